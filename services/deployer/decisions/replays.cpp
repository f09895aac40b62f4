#include "services/deployer/decisions/replays.hpp"

#include <algorithm>

#include "services/deployer/decisions/replayer.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t rows_per_page = 100;

Error no_decision(std::string const& whose) {
  return {Code::not_found,
          "no decision " + whose + " is kept; see lepton decision list for those that are"};
}

}  // namespace

struct Replays::Run {
  actor::Ticket<DecisionReplay> ticket;
  Replayer replayer;
  std::int64_t next = 0;
  std::int64_t last = 0;
  std::int64_t go_on_at = 0;
  Status good = ok();
};

void Replays::list(DecisionList const& m, JobId const& job, actor::Ticket<DecisionList> ticket,
                   actor::Context& c) {
  store::Query query{nullptr, {}, "", true, m.limit};
  query.where.push_back({"job", job.empty() ? store::Compare::greater : store::Compare::equal,
                         job.value});  // rows that hold no decision name no job
  if (m.before > 0) query.where.push_back({"number", store::Compare::less, m.before});
  c.find<DecisionRow>(std::move(query), [ticket](Result<std::vector<DecisionRow>> const& found,
                                                 actor::Context& later) {
    if (!found) return later.answer(ticket, found.error());
    DecisionPage page;
    for (auto const& row : *found) page.decisions.push_back(decision_line(row));
    later.answer(ticket, page);
  });
}

void Replays::replay(DecisionReplay const& m, JobId const& job,
                     actor::Ticket<DecisionReplay> ticket, actor::Context& c) {
  if (!job.empty())
    return find(m, {"job", store::Compare::equal, job.value}, "about job " + job.value, ticket, c);
  if (m.number > 0)
    return find(m, {"number", store::Compare::equal, m.number},
                "with number " + std::to_string(m.number), ticket, c);
  begin(m, 0, ticket, c);
}

void Replays::find(DecisionReplay const& m, store::Condition which, std::string const& whose,
                   actor::Ticket<DecisionReplay> ticket, actor::Context& c) {
  store::Query query{nullptr, {std::move(which)}, "", true, 1};
  c.find<DecisionRow>(std::move(query),
                      [this, m, whose, ticket](Result<std::vector<DecisionRow>> const& found,
                                               actor::Context& later) {
                        if (!found) return later.answer(ticket, found.error());
                        if (found->empty() || found->front().job.empty())
                          return later.answer(ticket, no_decision(whose));
                        begin(m, found->front().number, ticket, later);
                      });
}

// One decision is made again from the snapshot before it; without one all decisions are, from a
// snapshot to the next.
void Replays::begin(DecisionReplay const& m, std::int64_t number,
                    actor::Ticket<DecisionReplay> ticket, actor::Context& c) {
  if (busy_)
    return c.answer(ticket, Error{Code::exhausted,
                                  "decisions are being made again for somebody else; try again in "
                                  "a few seconds"});
  auto const& all = log_.snapshots();
  auto first = number > 0 ? std::upper_bound(all.begin(), all.end(), number)
                          : std::lower_bound(all.begin(), all.end(), m.from);
  if (number > 0 ? first == all.begin() : first == all.end())
    return c.answer(ticket, no_decision("with number " + std::to_string(std::max(number, m.from))));
  if (number > 0) --first;
  auto const next = std::next(first);
  auto const is_last = number > 0 || next == all.end();
  auto run = std::make_shared<Run>(Run{.ticket = ticket, .replayer = Replayer(number, m.choices)});
  run->next = *first;
  run->last = number > 0 ? number : (is_last ? log_.next() : *next) - 1;
  run->go_on_at = is_last ? 0 : *next;
  busy_ = true;
  go_on(std::move(run), c);
}

void Replays::go_on(std::shared_ptr<Run> run, actor::Context& c) {
  store::Query query{nullptr,
                     {{"number", store::Compare::greater_equal, run->next},
                      {"number", store::Compare::less_equal, run->last}},
                     "",
                     false,
                     rows_per_page};
  c.find<DecisionRow>(std::move(query), [this, run](Result<std::vector<DecisionRow>> const& found,
                                                    actor::Context& later) {
    if (!found) run->good = found.error();
    if (!found || found->empty()) return end(*run, later);
    run->next = found->back().number + 1;
    later.work(
        [run, rows = *found] {
          for (auto const& row : rows)
            if (run->good) run->good = run->replayer.feed(row);
        },
        [this, run](actor::Context& after) {
          if (!run->good || run->next > run->last) return end(*run, after);
          go_on(run, after);
        });
  });
}

void Replays::end(Run& run, actor::Context& c) {
  busy_ = false;
  if (!run.good) return c.answer(run.ticket, run.good.error());
  auto result = run.replayer.result();
  result.next = run.go_on_at;
  c.answer(run.ticket, result);
}

}  // namespace lepton::deployer
