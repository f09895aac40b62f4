// The promises, checked on what really is: running fake processes, rows on disk, and the history
// that clients keep.

#include "services/auditor/core/entry.hpp"
#include "services/auditor/core/merkle.hpp"
#include "services/auditor/rows.hpp"
#include "services/deployer/rows.hpp"
#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

template <class T>
std::vector<T> rows_of(store::MemoryDisk const& disk) {
  std::vector<T> rows;
  for (auto const& [key, cells] : disk.rows(T::table)) rows.push_back(*store::from_cells<T>(cells));
  return rows;
}

}  // namespace

void Suite::check_now() {
  // The full count of the cluster costs; every 64th event is often enough to find what breaks it.
  if (++events_ % 64 == 0)
    if (auto const* d = deployer()) d->cluster().check_invariants();
  if (events_ % 4 == 0) check_one_attempt_per_task();
}

// Promise 2 on real processes, and promise 5 on the GPUs that they were given.
void Suite::check_one_attempt_per_task() {
  std::map<std::string, std::string> live;  // task to attempt
  for (auto& [name, runner] : runners_)
    for (auto const& status : runner->running()) {
      auto const [at, first] = live.emplace(status.task, status.attempt + " on " + name);
      if (!first)
        world_.fail("two attempts of task " + status.task + " run at once: " + at->second +
                    " and " + status.attempt + " on " + name);
    }
}

bool Suite::all_at_end() {
  for (auto const* client : clients_)
    if (client->open() > 0) return false;
  auto const* d = deployer();
  if (d == nullptr) return false;
  for (auto const& [id, job] : d->jobs())
    if (!is_final(job.run.state)) return false;
  for (auto const* name : {"deployer", "vault", "auditor"}) {
    auto* system = world_.system(name);
    if (system == nullptr || !system->host(name).is_ready()) return false;
    auto const* outlet = system->host(name).outlet("audit");
    if (outlet->acknowledged() != outlet->head()) return false;
  }
  return true;
}

// What still stands in the way of the end, for the message of a failure.
std::string Suite::unfinished() {
  std::string text;
  for (auto const* client : clients_)
    text += client->name() + " waits for " + std::to_string(client->open()) + " answers; ";
  auto const* d = deployer();
  if (d == nullptr) return text + "the deployer is not ready";
  for (auto const& [id, job] : d->jobs()) {
    if (is_final(job.run.state)) continue;
    text += id.value + " is " + std::string(schema::name_of(job.run.state)) + " (" + job.why +
            "), tasks";
    for (auto const& member : job.run.members)
      text += " " + std::string(schema::name_of(member.state)) + " on " + member.node.value;
    text += "; ";
  }
  return text;
}

void Suite::check_at_end() {
  deployer()->cluster().check_invariants();
  if (deployer()->cluster().held_count() != 0)
    world_.fail("all jobs have ended, and something is held");
  for (auto& [name, runner] : runners_)
    if (!runner->running().empty())
      world_.fail("all jobs have ended, and " + name + " runs something");
  check_acknowledged_jobs();
  check_audit_log();
}

// Promise 1.
void Suite::check_acknowledged_jobs() {
  std::set<std::string> stored;
  for (auto const& row : rows_of<deployer::JobRow>(world_.disk("deployer")))
    stored.insert(row.job.value);
  for (auto const& sent : world_.history()) {
    if (sent.outcome != Outcome::acked || sent.topic != JobSubmit::topic) continue;
    auto const message = codec::decode<JobSubmit>(sent.body);
    if (!stored.contains(message->job.value))
      world_.fail("job " + message->job.value + " was acknowledged and is lost");
  }
}

// Promise 3: one entry for each acknowledged change, sequences and source numbers without gaps, and
// a root that the entries themselves give.
void Suite::check_audit_log() {
  std::map<std::string, int> done;
  std::map<std::string, std::uint64_t> last;
  std::vector<auditor::EntryRow> entries = rows_of<auditor::EntryRow>(world_.disk("auditor"));
  std::sort(entries.begin(), entries.end(),
            [](auto const& a, auto const& b) { return a.sequence < b.sequence; });
  auditor::Frontier frontier;
  std::vector<auditor::Node> complete;
  for (auto const& row : entries) {
    if (row.sequence != frontier.size()) world_.fail("the audit log has a gap or a double");
    if (row.source_seq != ++last[row.source])
      world_.fail("an event of " + row.source + " is lost or doubled");
    auto const leaf = auditor::leaf_bytes(auditor::entry_of(row));
    frontier.append(auditor::leaf_hash(*leaf), complete);
    if (row.outcome == "done" && !row.request_id.empty()) ++done[row.request_id + " " + row.action];
  }
  for (auto const& sent : world_.history()) {
    auto const is_change = sent.topic == JobSubmit::topic || sent.topic == JobCancel::topic ||
                           sent.topic == "deployer.node.drain" || sent.topic.starts_with("vault.");
    if (sent.outcome != Outcome::acked || !is_change) continue;
    auto const entries_of_it = done[sent.id + " " + sent.topic];
    if (entries_of_it != 1)
      world_.fail("the acknowledged " + sent.topic + " " + sent.id + " has " +
                  std::to_string(entries_of_it) + " audit entries");
  }
  for (auto const& row : rows_of<auditor::EntryRow>(world_.disk("auditor")))
    if (row.detail.find("hf_canary") != std::string::npos)
      world_.fail("a secret stands in the audit log");
}

}  // namespace lepton::sim
