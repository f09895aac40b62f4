// What an answer may tell: only what is durable at the instant at which it leaves. The disk of the
// simulation shows exactly what would be left if the process ended right then.

#include "common/base/text.hpp"
#include "schemas/platform.hpp"
#include "services/auditor/core/checkpoint.hpp"
#include "services/auditor/rows.hpp"
#include "services/deployer/rows.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

template <class T, class... Key>
std::optional<T> find_row(store::MemoryDisk const& disk, Key... key) {
  auto const& rows = disk.rows(T::table);
  auto const found = rows.find(store::Cells{store::Cell(std::move(key))...});
  if (found == rows.end()) return std::nullopt;
  return *store::from_cells<T>(found->second);
}

}  // namespace

void Suite::check_answer(Machine const& from, std::string const& to, Header const& header,
                         std::string const& body) {
  if (header.kind != Kind::reply) return;
  if (header.topic == JobSubmit::topic) check_taken_in(from, codec::decode<JobAccepted>(body)->job);
  if (mutating_.contains(header.topic)) return check_recorded(from, to, header);
  if (header.topic == JobShow::topic) return check_shown(from, *codec::decode<JobView>(body));
  if (header.topic == EventsPull::topic)
    return check_page(from, to, header.id, *codec::decode<EventsPage>(body));
  if (header.topic == AuditCheckpoint::topic)
    check_checkpoint(from, codec::decode<AuditCheckpointText>(body)->text);
}

// Promise 1, for every kind of change: its record is in the transaction of its effect.
void Suite::check_recorded(Machine const& from, std::string const& to, Header const& header) {
  if (!find_row<actor::RequestRow>(*from.disk(), to, header.id))
    world_.fail(from.name() + " acknowledges " + header.topic + " " + header.id +
                " before it is durable");
}

// Each has both rows: a new life takes one without a run for none that has to go on.
void Suite::check_taken_in(Machine const& from, JobId const& submitted) {
  auto const known = specs_.find(submitted);
  if (known == specs_.end()) return;
  for (auto const& job : jobs_of({submitted, known->second}))
    if (!find_row<deployer::JobRow>(*from.disk(), job.value) ||
        !find_row<deployer::JobRunRow>(*from.disk(), job.value))
      world_.fail("job " + job.value + " is acknowledged before its rows are durable");
}

// What a person has seen cannot become undone.
void Suite::check_shown(Machine const& from, JobView const& view) {
  if (view.spec.array > 0 && !view.spec.env.contains(array_index_variable)) {
    for (auto const& job : jobs_of({view.job, view.spec})) {
      if (!find_row<deployer::JobRow>(*from.disk(), job.value))
        return world_.fail("array " + view.job.value + " is shown before it is durable");
      auto const run = find_row<deployer::JobRunRow>(*from.disk(), job.value);
      if (is_final(view.state) && (!run || !is_final(run->state)))
        world_.fail("the end of array " + view.job.value + " is shown before it is durable");
    }
    return;
  }
  if (!find_row<deployer::JobRow>(*from.disk(), view.job.value))
    return world_.fail("job " + view.job.value + " is shown before it is durable");
  auto const run = find_row<deployer::JobRunRow>(*from.disk(), view.job.value);
  if (is_final(view.state) && (!run || run->state != view.state))
    world_.fail("the end of job " + view.job.value + " is shown before it is durable");
}

// The consumer acknowledges with its next pull, and may only build on what stays.
void Suite::check_page(Machine const& from, std::string const& to, std::string const& id,
                       EventsPage const& page) {
  std::string const name = to == "auditor" ? "audit" : "nodes";  // which the deployer follows
  for (auto const& event : page.events) {
    auto const stored = find_row<actor::EventRow>(*from.disk(), name, event.seq);
    auto const stream = find_row<actor::StreamRow>(*from.disk(), name);
    auto const dropped = stream && event.seq <= stream->head;
    if (!dropped && (!stored || stored->body.data != event.body.data))
      world_.fail("event " + std::to_string(event.seq) + " of " + from.name() + " goes to " + to +
                  " in " + id + " before it is durable");
  }
}

// Whoever holds a checkpoint can prove that the log was changed; so none may get out that the log
// could come to contradict.
void Suite::check_checkpoint(Machine const& from, std::string const& text) {
  auto const note = auditor::parse_note(text);
  auto const checkpoint = auditor::parse_checkpoint_text(note->text);
  auto const head = find_row<auditor::HeadRow>(*from.disk(), std::int64_t{0});
  auto const durable = head ? head->size : 0;
  if (checkpoint->size > durable)
    world_.fail("a checkpoint over " + std::to_string(checkpoint->size) + " entries leaves when " +
                std::to_string(durable) + " are durable");
  roots_.emplace(checkpoint->size, lepton::text::hex(crypto::view(checkpoint->root)));
}

}  // namespace lepton::sim
