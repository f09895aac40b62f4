// The promises, checked on what really is: running fake processes, rows on disk, and the history
// that clients keep.

#include "common/base/text.hpp"
#include "services/auditor/core/entry.hpp"
#include "services/auditor/core/merkle.hpp"
#include "services/auditor/rows.hpp"
#include "services/deployer/decisions/replayer.hpp"
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

constexpr char const* services[] = {"auditor", "deployer", "monitor", "scaler", "vault"};

}  // namespace

void Suite::check_now() {
  // These count what stays wrong, so that every 64th event is often enough.
  if (++events_ % 64 == 0) {
    if (auto const* d = deployer()) d->cluster().check_invariants();
    for (auto const* name : services) check_lease(name);
  }
  // Neither can begin but with the start of a task, or another size for one.
  std::uint64_t changes = 0;
  for (auto const& [name, runner] : runners_) changes += runner->starts() + runner->resizes();
  if (std::exchange(changes_seen_, changes) != changes) {
    check_running();
    check_entrances();
  }
}

// Of a worker of an elastic job, as worker_id() names it; else the job itself.
JobId base_of(JobId const& job) {
  auto const at = job.value.find("-w");
  return at == std::string::npos ? job : JobId{job.value.substr(0, at)};
}

// Promise 2 on real processes, and promise 5 on the GPUs and the limits that they were given.
void Suite::check_running() {
  std::map<std::string, std::string> live;  // task to attempt
  for (auto& [name, runner] : runners_) {
    std::map<std::string, std::uint32_t> taken;  // GPU to thousandths
    TaskSize all;
    runner->each_running([&, &node = name](node::RunSpec const& spec, node::RunLimits const& now) {
      all.cpu_milli += now.cpu_milli;
      all.memory_mib += now.memory_mib;
      if (auto const what = folders_.difference(spec); !what.empty())
        world_.fail("the working folder of " + spec.attempt + " is not what was sent: " + what);
      auto const [at, first] = live.emplace(spec.task, spec.attempt + " on " + node);
      if (!first)
        world_.fail("two attempts of task " + spec.task + " run at once: " + at->second + " and " +
                    spec.attempt + " on " + node);
      // Replicas of services are not among the specs; they ask for no GPU.
      auto const known = specs_.find(base_of(job_of_task(spec.task)));
      auto const wanted = known == specs_.end() ? ResourceRequest{} : known->second.resources;
      if (spec.gpu_uuids.size() != wanted.gpus)
        world_.fail(spec.attempt + " runs with another number of GPUs than it asked for");
      for (auto const& gpu : spec.gpu_uuids)
        if ((taken[gpu] += wanted.gpu_milli > 0 ? wanted.gpu_milli : 1'000) > 1'000)
          world_.fail(gpu + " of " + node + " is given out beyond its capacity");
    });
    auto const has = capacity_of_node();
    if (all.cpu_milli > has.cpu_milli || all.memory_mib > has.memory_mib)
      world_.fail("what runs on " + name + " may use more CPU or memory than it has");
  }
}

// A process that another one has taken over from must not write any more.
void Suite::check_lease(std::string const& name) {
  if (world_.disk(name).stale_writes() > 0)
    world_.fail("an instance of " + name + " wrote after another had taken over");
}

bool Suite::all_at_end() {
  if (admin_->open() > 0) return false;
  for (auto const* client : clients_)
    if (client->open() > 0) return false;
  auto const* d = deployer();
  if (d == nullptr || !d->services().empty() || d->vacated_ports() > 0 || !commands_over() ||
      !slices_released())
    return false;
  for (auto const& [id, job] : d->jobs())
    if (!is_final(job.run.state)) return false;
  for (auto const& [id, link] : d->nodes())  // none is doubted for ever
    if (link.row.state != NodeState::ready && link.row.state != NodeState::draining) return false;
  for (auto const* name : services) {
    auto* system = world_.system(name);
    if (system == nullptr || !system->host(name).is_ready()) return false;
    auto const* outlet = system->host(name).outlet("audit");
    if (outlet->acknowledged() != outlet->numbered()) return false;
    if (system->host(name).is_committing()) return false;  // memory is before the disk
  }
  return true;
}

// What still stands in the way of the end, for the message of a failure.
std::string Suite::unfinished() {
  std::string text;
  auto people = clients_;
  people.push_back(admin_);
  for (auto const* client : people)
    if (client->open() > 0)
      text += client->name() + " waits for " + std::to_string(client->open()) + " answers; ";
  for (auto const* name : services) {
    auto* system = world_.system(name);
    if (system == nullptr || !system->host(name).is_ready()) {
      text += std::string(name) + " is not ready; ";
      continue;
    }
    auto const* outlet = system->host(name).outlet("audit");
    if (outlet->acknowledged() != outlet->numbered())
      text += std::string(name) + " has numbered " + std::to_string(outlet->numbered()) +
              " events for the log, and " + std::to_string(outlet->acknowledged()) +
              " have arrived; ";
    if (system->host(name).is_committing()) text += std::string(name) + " commits something; ";
  }
  if (!commands_over()) text += "commands beside tasks run; ";
  if (!slices_released()) text += "slices are there; ";
  text += services_in_words();
  auto const* d = deployer();
  if (d == nullptr) return text;
  for (auto const& pool : d->cluster().pools())
    for (auto slot : d->cluster().pool(pool))
      if (auto const& node = d->cluster().at(slot).spec; node.state != NodeState::ready)
        text += node.id.value + " is " + std::string(schema::name_of(node.state)) + "; ";
  if (d->vacated_ports() > 0)
    text += "no word of the balancer on " + std::to_string(d->vacated_ports()) + " ports; ";
  for (auto const& [id, job] : d->jobs()) {
    if (is_final(job.run.state)) continue;
    text += id.value + " is " + std::string(schema::name_of(job.run.state)) + " (" +
            d->why_now(job) + "), tasks";
    for (auto const& member : job.run.members)
      text += " " + std::string(schema::name_of(member.state)) + " on " + member.node.value;
    text += "; ";
  }
  return text;
}

void Suite::check_at_end() {
  deployer()->cluster().check_invariants();
  for (auto const* name : services) check_lease(name);
  if (deployer()->cluster().held_count() != 0)
    world_.fail("all jobs have ended, and something is held");
  for (auto const* client : clients_)
    if (!(deployer()->ledger().used(PoolId{"default"}, client->name()) == deployer::Usage{}))
      world_.fail("all jobs have ended, and " + client->name() + " is said to use something");
  for (auto& [name, runner] : runners_)
    if (!runner->running().empty())
      world_.fail("all jobs have ended, and " + name + " runs something");
  check_requests_answered();
  check_cancels();
  check_acknowledged_jobs();
  check_ends();
  check_memory_is_disk();
  check_same_answers();
  check_audit_log();
  check_no_secret_on_disk();
  check_decisions();
}

// Whatever the deployer keeps of its decisions gives the same ones again.
void Suite::check_decisions() {
  deployer::Replayer replayer;
  std::uint64_t decisions = 0;
  for (auto const& row : rows_of<deployer::DecisionRow>(world_.disk("deployer"))) {
    if (row.number < deployer()->oldest_decision()) continue;
    decisions += row.job.empty() ? 0 : 1;
    if (auto fed = replayer.feed(row); !fed) world_.fail(fed.error().what);
  }
  auto const& again = replayer.result();
  if (again.replayed + again.given != decisions) world_.fail("a decision was not made again");
  for (auto number : again.different)
    world_.fail("decision " + std::to_string(number) + " comes out otherwise when made again");
}

std::vector<JobId> jobs_of(JobSubmit const& message) {
  if (message.spec.array == 0) return {message.job};
  std::vector<JobId> jobs;
  for (std::uint32_t i = 0; i < message.spec.array; ++i)
    jobs.push_back(deployer::member_of_array(message.job, i));
  return jobs;
}

// Promise 1.
void Suite::check_acknowledged_jobs() {
  std::set<std::string> stored;
  for (auto const& row : rows_of<deployer::JobRow>(world_.disk("deployer")))
    stored.insert(row.job.value);
  for (auto const& sent : world_.history()) {
    if (sent.outcome != Outcome::acked || sent.topic != JobSubmit::topic) continue;
    auto const message = codec::decode<JobSubmit>(sent.body);
    for (auto const& job : jobs_of(*message))
      if (!stored.contains(job.value))
        world_.fail("job " + job.value + " was acknowledged and is lost");
  }
}

// Jobs end as their tasks do: nothing but an error of the work, its time limit or a loss of what
// it ran on makes it fail, and work that fails does not succeed.
void Suite::check_ends() {
  for (auto const& row : rows_of<deployer::JobRunRow>(world_.disk("deployer"))) {
    auto const known = specs_.find(row.job);
    if (known == specs_.end()) continue;  // a replica of a service
    auto const cause = row.run.ending.cause;
    auto const failing = bound_to_fail_.contains(row.job);
    if (row.state == JobState::succeeded && failing)
      world_.fail(row.job.value + " has succeeded, and one of its tasks fails");
    if (row.state != JobState::failed) continue;
    if ((cause == deployer::Cause::error && !failing) ||
        (cause == deployer::Cause::time_limit && known->second.max_duration_ms == 0))
      world_.fail(row.job.value + " has failed by no fault of its own: " + row.why);
  }
}

// The same request again gives the same answer.
void Suite::check_same_answers() {
  std::map<std::string, std::string> answers;
  for (auto const& sent : world_.history()) {
    if (sent.outcome != Outcome::acked || !mutating_.contains(sent.topic)) continue;
    auto const [first, fresh] = answers.emplace(sent.client + " " + sent.id, sent.reply);
    if (!fresh && first->second != sent.reply)
      world_.fail("the request " + sent.id + ", sent again, has another answer");
  }
}

// Promise 3: one entry for each change, sequences and source numbers without gaps, and roots that
// the entries themselves give, also those that somebody has seen long ago.
void Suite::check_audit_log() {
  std::map<std::string, int> done;
  std::map<std::string, std::uint64_t> last;
  std::vector<auditor::EntryRow> entries = rows_of<auditor::EntryRow>(world_.disk("auditor"));
  std::sort(entries.begin(), entries.end(),
            [](auto const& a, auto const& b) { return a.sequence < b.sequence; });
  auditor::Frontier frontier;
  std::vector<auditor::Node> complete;
  auto const check_root = [&] {
    auto const seen = roots_.find(frontier.size());
    if (seen != roots_.end() && seen->second != lepton::text::hex(crypto::view(frontier.root())))
      world_.fail("the log contradicts a checkpoint over " + std::to_string(frontier.size()) +
                  " entries");
  };
  check_root();
  for (auto const& row : entries) {
    if (row.sequence != frontier.size()) world_.fail("the audit log has a gap or a double");
    if (row.source_seq != ++last[row.source])
      world_.fail("an event of " + row.source + " is lost or doubled");
    auto const leaf = auditor::leaf_bytes(auditor::entry_of(row));
    frontier.append(auditor::leaf_hash(*leaf), complete);
    check_root();
    if (row.outcome == "done" && mutating_.contains(row.action))
      ++done[row.source + " " + row.actor + " " + row.request_id];
  }
  check_commands(entries);
  auto const heads = rows_of<auditor::HeadRow>(world_.disk("auditor"));
  if (heads.empty() ? frontier.size() > 0 : heads[0].size != frontier.size())
    world_.fail("the head of the audit log is not its end");
  check_one_entry_each(done);
}

// Every change has one entry, and no entry is without its change.
void Suite::check_one_entry_each(std::map<std::string, int> const& done) {
  std::size_t changes = 0;
  for (auto const* name : services)
    for (auto const& row : rows_of<actor::RequestRow>(world_.disk(name))) {
      ++changes;
      auto const key = std::string(name) + " " + row.caller + " " + row.request_id;
      auto const found = done.find(key);
      auto const count = found == done.end() ? 0 : found->second;
      if (count != 1)
        world_.fail("the change " + key + " has " + std::to_string(count) + " audit entries");
    }
  if (changes != done.size())
    for (auto const& [key, count] : done) {
      auto const parts = lepton::text::split(key, ' ');
      auto const& requests = world_.disk(parts[0]).rows("request");
      if (!requests.contains({store::Cell(parts[1]), store::Cell(parts[2])}))
        world_.fail("the log says that " + key + " was done, and nothing was changed");
    }
}

// Promise 4, for what the services keep.
void Suite::check_no_secret_on_disk() {
  auto const holds = [](store::Cell const& cell) {
    auto const* text = std::get_if<std::string>(&cell);
    auto const* bytes = std::get_if<Bytes>(&cell);
    auto const& data = text != nullptr ? *text : bytes != nullptr ? bytes->data : std::string();
    return data.find("hf_canary") != std::string::npos;
  };
  for (auto const* name : services)
    for (auto const& [table, rows] : world_.disk(name).tables())
      for (auto const& [key, cells] : rows)
        if (std::any_of(cells.begin(), cells.end(), holds))
          world_.fail("a secret stands in table " + table + " of " + name);
}

}  // namespace lepton::sim
