#include "cli/jobs/decision_commands.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/connect.hpp"
#include "cli/jobs/explain.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"

namespace lepton::cli {
namespace {

constexpr int differs_status = 1;

struct ListOptions {
  std::string job;
  std::int64_t limit = 20, before = 0;
};

struct ReplayOptions {
  std::string job;
  std::int64_t number = 0;
};

template <class T>
std::string names_of(std::vector<T> const& ids) {
  std::string names;
  for (auto const& id : ids) names += (names.empty() ? "" : " ") + id.value;
  return names.empty() ? "-" : names;
}

std::string reason_of(DecisionLine const& d) {
  if (!d.why.empty()) return d.why;
  return d.victims.empty() ? cost_words(d.terms) : "stops " + names_of(d.victims);
}

std::string verdict_of(DecisionsReplayed const& r) {
  if (!r.different.empty()) {
    std::string numbers;
    for (auto number : r.different) numbers += " " + std::to_string(number);
    return "otherwise:" + numbers;
  }
  return r.replayed > 0 ? "the same again" : "nothing could be made again";
}

Result<int> list(Shell& shell, ListOptions const& o) {
  if (o.limit < 1 || o.limit > 1'000)
    return Error{Code::invalid, "--limit must be from 1 to 1000, it is " + std::to_string(o.limit)};
  if (o.before < 0) return Error{Code::invalid, "--before must not be negative"};
  auto const page = ask(shell, Service::deployer,
                        DecisionList{JobId{o.job}, o.before, static_cast<std::uint32_t>(o.limit)});
  if (!page) return page.error();
  emit(shell, *page, decision_table(*page));
  if (!page->decisions.empty())
    shell.next("lepton decision replay --number " + std::to_string(page->decisions.front().number));
  return 0;
}

// All that is kept, a snapshot at a time.
Result<DecisionsReplayed> replay_all(Shell& shell) {
  DecisionsReplayed sum;
  DecisionReplay next;
  do {
    auto const part = ask(shell, Service::deployer, next);
    if (!part) return part.error();
    if (sum.first == 0) sum.first = part->first;
    sum.last = part->last;
    sum.replayed += part->replayed;
    sum.given += part->given;
    sum.different.insert(sum.different.end(), part->different.begin(), part->different.end());
    next.from = part->next;
  } while (next.from > 0);
  return sum;
}

Result<int> show(Shell& shell, Result<DecisionsReplayed> const& r) {
  if (!r) return r.error();
  emit(shell, *r, replay_sheet(*r));
  if (shell.format == Format::table && !r->choices.empty())
    shell.print("\n" + choice_table(r->choices).text(shell.colour));
  return r->different.empty() ? 0 : differs_status;
}

Result<int> replay(Shell& shell, ReplayOptions const& o) {
  if (o.number < 0) return Error{Code::invalid, "--number must not be negative"};
  if (!o.job.empty() && o.number > 0)
    return Error{Code::invalid, "--job and --number exclude each other; name one"};
  if (o.job.empty() && o.number == 0) return show(shell, replay_all(shell));
  return show(shell, ask(shell, Service::deployer, DecisionReplay{JobId{o.job}, o.number}));
}

Command list_command() {
  auto const o = std::make_shared<ListOptions>();
  Command c{"decision list", "Lists what was decided, the newest first",
            "lepton decision list\nlepton decision list --job digits -o json"};
  c.option("--job", "Only about this job: identity, unique start, or name of your newest", &o->job)
      .option("--limit", "At most so many, 1 to 1000", &o->limit)
      .option("--before", "Only with a lower number, to go on from a list", &o->before);
  c.run = [o](Shell& shell) { return list(shell, *o); };
  return c;
}

Command replay_command() {
  auto const o = std::make_shared<ReplayOptions>();
  Command c{"decision replay",
            "Makes decisions again from what they were made from: all that are kept, or one",
            "lepton decision replay\nlepton decision replay --number 1204"};
  c.option("--job", "The newest about this job", &o->job)
      .option("--number", "This one, with the nodes as they stood then", &o->number);
  c.run = [o](Shell& shell) { return replay(shell, *o); };
  return c;
}

}  // namespace

Result<int> replay_job(Shell& shell, std::string const& job) {
  return show(shell, ask(shell, Service::deployer, DecisionReplay{JobId{job}}));
}

Table decision_table(DecisionPage const& page) {
  Table table({"NUMBER", "AT", "KIND", "JOB", "NODES", "POLICY", "WHY"});
  for (auto const& d : page.decisions)
    table.row({std::to_string(d.number), time_words(d.at_ms), d.kind, d.job.value,
               names_of(d.nodes), d.policy, reason_of(d)});
  return table;
}

Table replay_sheet(DecisionsReplayed const& r) {
  auto table = Table::sheet();
  if (!r.decision.empty()) {
    auto const& d = r.decision.front();
    table.row({"DECISION", std::to_string(d.number) + ", " + d.kind + ", " + time_words(d.at_ms)})
        .row({"JOB", d.job.value})
        .row({"NODES", names_of(d.nodes)});
    if (!d.why.empty()) table.row({"REASON", d.why});
    if (!d.victims.empty()) table.row({"STOPS", names_of(d.victims)});
    table.row({"FITTED", fmt::format("{} of {} nodes then", r.nodes_that_fit, r.pool_nodes)})
        .row({"POLICY", d.policy});
  }
  table.row({"RECORDS", fmt::format("{} to {}", r.first, r.last)})
      .row({"MADE AGAIN", std::to_string(r.replayed)});
  if (r.given > 0) table.row({"AS GIVEN", std::to_string(r.given)});
  return table.row({"OUTCOME", verdict_of(r)});
}

Commands decision_commands() {
  return {list_command(), replay_command()};
}

}  // namespace lepton::cli
