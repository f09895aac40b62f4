// audit tail.

#include <chrono>
#include <deque>
#include <memory>
#include <thread>

#include "cli/audit/audit_commands.hpp"
#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "common/codec/json.hpp"
#include "schemas/auditor.hpp"

namespace lepton::cli {
namespace {

constexpr auto poll_pause = std::chrono::milliseconds(500);
constexpr std::uint32_t page_limit = 500;

struct TailOptions {
  AuditTail filter;
  bool follow = false;
  std::int64_t lines = 20;
};

Table header() {
  return Table({"SEQ", "TIME", "ACTOR", "ACTION", "RESOURCE", "OUTCOME", "SOURCE", "DETAIL"});
}

void add_row(Table& table, AuditEntry const& e) {
  table.row({std::to_string(e.sequence), time_words(e.at_ms), e.actor, e.action, e.resource,
             e.outcome, e.source, e.detail == "{}" ? "" : e.detail});
}

bool is_filtered(AuditTail const& f) {
  return !f.source.empty() || !f.actor.empty() || !f.action.empty() || !f.resource_prefix.empty() ||
         !f.outcome.empty() || !f.request_id.empty();
}

// The last `lines` matching entries; leaves in `filter.from` where the log ended.
Result<AuditPage> last_entries(bus::Client& client, TimeMs timeout_ms, AuditTail& filter,
                               std::size_t lines) {
  auto const first = client.call(AuditTail{0, 1}, timeout_ms);
  if (!first) return first.error();
  auto const size = first->size;
  // Without a filter every entry matches, so that only the end of the log is looked at.
  filter.from = is_filtered(filter) || size < lines ? 0 : size - lines;
  filter.limit = page_limit;
  std::deque<AuditEntry> kept;
  AuditPage all;
  do {
    auto page = client.call(filter, timeout_ms);
    if (!page) return page.error();
    for (auto& entry : page->entries) kept.push_back(std::move(entry));
    while (kept.size() > lines) kept.pop_front();
    bool const stuck = page->next <= filter.from;
    filter.from = page->next;
    all.size = page->size;
    if (stuck) break;
  } while (filter.from < size);
  all.next = filter.from;
  all.entries.assign(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  return all;
}

Result<int> follow(Shell& shell, bus::Client& client, AuditTail filter) {
  std::string said;
  for (;;) {
    auto const page = client.call(filter, shell.timeout_ms());
    if (!page && page.error().code == Code::denied) return page.error();
    if (!page && page.error().what != said) shell.say(said = page.error().what);
    if (page) {
      filter.from = page->next;
      auto lines = Table::sheet();
      for (auto const& entry : page->entries) {
        if (shell.format == Format::table || shell.format == Format::name)
          add_row(lines, entry);
        else
          shell.print(codec::to_json(entry) + "\n");
      }
      shell.print(lines.text(shell.colour));
    }
    if (!page || page->entries.empty()) std::this_thread::sleep_for(poll_pause);
  }
}

Result<int> tail(Shell& shell, TailOptions const& o) {
  if (o.lines < 0 || o.lines > 100'000)
    return Error{Code::invalid, "--lines must be from 0 to 100000"};
  auto client = connect(shell, Service::auditor);
  if (!client) return client.error();
  auto filter = o.filter;
  auto const last =
      last_entries(*client, shell.timeout_ms(), filter, static_cast<std::size_t>(o.lines));
  if (!last) return last.error();
  auto table = header();
  for (auto const& entry : last->entries) add_row(table, entry);
  emit(shell, *last, table);
  if (o.follow) return follow(shell, *client, filter);
  shell.next("lepton audit verify");
  return 0;
}

}  // namespace

Command tail_command() {
  auto const o = std::make_shared<TailOptions>();
  Command c{"audit tail", "Shows the last entries of the audit log",
            "lepton audit tail -f\nlepton audit tail --action vault.secret.get --outcome denied"};
  c.flag("-f,--follow", "Go on as entries come; with -o json one object a line", &o->follow)
      .option("-n,--lines", "How many", &o->lines)
      .option("--source", "Only of this service", &o->filter.source)
      .option("--actor", "Only by this subject", &o->filter.actor)
      .option("--action", "Only this action, for example deployer.job.submit", &o->filter.action)
      .option("--resource", "Only resources that begin with this path", &o->filter.resource_prefix)
      .option("--outcome", "Only this outcome", &o->filter.outcome)
      .option("--request", "Only of this request", &o->filter.request_id);
  c.run = [o](Shell& shell) { return tail(shell, *o); };
  return c;
}

}  // namespace lepton::cli
