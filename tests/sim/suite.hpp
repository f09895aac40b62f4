#pragma once
// The whole suite in a simulated world: the real actors of all services and of the nodes, fake
// runners whose processes outlive their nodes, clients that ask, and faults drawn from the seed.
// After each event the promises of docs/architecture.md section 8 are checked, at each answer that
// it tells only what is durable; after the faults end, everything must come to its end. Repeat one
// run with `scripts/sim --seed N`.
//
// Files: plan.cpp what a run does; suite.cpp the processes; workload.cpp what people do;
// serving.cpp services; talking.cpp commands beside tasks, which commands.cpp plays;
// sent_folders.cpp what jobs bring along; slicing.cpp parts of machines; durable.cpp what answers
// may tell; answered.cpp what was answered; invariants.cpp what holds at each moment and at the
// end; shorten.cpp the smallest run that fails.

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/sim/client.hpp"
#include "common/sim/machine.hpp"
#include "common/sim/world.hpp"
#include "schemas/exec.hpp"
#include "schemas/resize.hpp"
#include "schemas/slice.hpp"
#include "services/auditor/rows.hpp"
#include "services/deployer/balancer/fake_balancer.hpp"
#include "services/node/runner/fake_runner.hpp"
#include "tests/sim/commands.hpp"
#include "tests/sim/left_outputs.hpp"
#include "tests/sim/plan.hpp"
#include "tests/sim/sent_folders.hpp"

namespace lepton::sim {

inline constexpr std::uint32_t entrance_first = 7'120, entrance_count = 4;

class Suite {
 public:
  explicit Suite(Plan plan);
  // What runs on the machines belongs to the suite, and goes after them.
  ~Suite() { world_.end(); }
  Suite(Suite const&) = delete;
  Suite& operator=(Suite const&) = delete;

  // Throws Failure at the first broken promise.
  void run();

  World& world() { return world_; }
  Plan const& plan() const { return plan_; }
  std::uint64_t jobs_submitted() const { return submitted_.size(); }
  std::uint64_t acknowledged() const;
  std::uint64_t commands_heard_out() const { return commands_heard_out_; }
  std::uint64_t outputs_read() const { return outputs_read_; }
  std::uint64_t log_parts_read() const { return log_parts_read_; }
  std::uint64_t folders_compared() const { return folders_.compared(); }

 private:
  // suite.cpp
  void add_services();
  void add_node(std::string const& name);
  NodeCapacity capacity_of_node() const;
  deployer::Deployer const* deployer();

  // workload.cpp
  template <class M>
  void ask(Client& client, std::string peer, M const& message, SendOptions options = {},
           std::function<void(Result<typename M::Reply>)> then = nullptr) {
    if (actor::traits_of<M>().mutates) mutating_.insert(std::string(M::topic));
    client.send(std::move(peer), message, std::move(options), std::move(then));
  }
  // So many times within the time of trouble.
  template <class F>
  void some_time(std::uint64_t times, F what) {
    auto const span = static_cast<std::uint64_t>(std::max<TimeMs>(1, plan_.trouble_ms - 4'000));
    for (std::uint64_t i = 0; i < times; ++i)
      world_.at(2'000 + static_cast<TimeMs>(chance_.below(span)), what);
  }
  void plan_work();
  void open_vault();
  void init_vault();
  void submit(Client& client);
  void send_folder(Client& client, JobSubmit const& message);
  void send_job(Client& client, JobSubmit const& message);
  void submit_again(Client& client, JobSubmit const& message, std::string const& id);
  JobSpec random_spec();
  void script_tasks(JobId const& job, JobSpec const& spec);
  void look_closely(JobId const& job);
  void resize_something();
  void drain_something();
  std::shared_ptr<node::FakeRunner> any_runner();
  void kill_runner();
  void take_back(NodeId const& node);
  void put_secret();
  void change_quota();
  void put_quota(std::string const& owner);
  void mark_something();
  void ask_something();
  void put_scaling(std::string const& service);
  void scale_something();
  void put_rule();
  void watch_something();
  void read_log();

  // serving.cpp
  static node::FakeTask replica_task(node::RunSpec const& spec);
  ServiceSpec random_service(std::string const& name);
  void scale_by_load(ServiceSpec& s);
  void load_something();
  void plan_serving();
  void change_service();
  void kill_replica();
  void check_entrances();
  bool services_settled();
  bool entrances_right();
  bool requests_answered();
  bool services_stored();
  void end_serving();
  void remove_services();
  std::string services_in_words();

  // talking.cpp
  struct Conversation;
  std::optional<JobId> running_job();
  void run_command();
  void say_more(std::shared_ptr<Conversation> const& talk);
  bool hear(Conversation& talk, ExecHeard const& heard);
  bool commands_over();
  void check_commands(std::vector<auditor::EntryRow> const& entries);

  // slicing.cpp
  void slice_something();
  void reserve_later(SliceCreate& m);
  void resize_slice(std::string const& name);
  void release_slices();
  bool slices_released();

  // fetching.cpp
  void fetch_something();
  void read_job_log();
  void read_output(JobId const& job, OutputPage const& page);

  // durable.cpp
  void check_answer(Machine const& from, std::string const& to, Header const& header,
                    std::string const& body);
  void check_recorded(Machine const& from, std::string const& to, Header const& header);
  void check_taken_in(Machine const& from, JobId const& submitted);
  void check_shown(Machine const& from, JobView const& view);
  void check_page(Machine const& from, std::string const& to, std::string const& id,
                  EventsPage const& page);
  void check_checkpoint(Machine const& from, std::string const& text);

  // answered.cpp
  void check_requests_answered();
  void check_cancels();

  // invariants.cpp
  void check_now();
  void check_running();
  void check_lease(std::string const& name);
  void check_at_end();
  void check_memory_is_disk();
  void check_jobs_are_stored(store::MemoryDisk const& disk);
  void check_same_answers();
  void check_acknowledged_jobs();
  void check_ends();
  void check_audit_log();
  void check_one_entry_each(std::map<std::string, int> const& done);
  void check_no_secret_on_disk();
  void check_decisions();
  bool all_at_end();
  std::string unfinished();

  Plan plan_;
  Chance chance_;
  World world_;
  Commands commands_{world_};
  SentFolders folders_;
  LeftOutputs outputs_;
  std::map<std::string, std::shared_ptr<node::FakeRunner>> runners_;
  std::shared_ptr<deployer::FakeBalancer> balancer_ =
      std::make_shared<deployer::FakeBalancer>(entrance_first, entrance_count);
  std::vector<Client*> clients_;
  Client* admin_ = nullptr;
  std::vector<JobId> submitted_;
  std::map<JobId, JobSpec> specs_;
  std::set<JobId> bound_to_fail_;               // one of their tasks ends with an error of its own
  std::set<std::string> mutating_;              // topics
  std::map<std::string, std::string> puts_;     // path and version of a secret to its value
  std::map<std::uint64_t, std::string> roots_;  // size of the log to the root in a checkpoint
  TimeMs healed_at_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t commands_heard_out_ = 0;  // to their own end
  std::uint64_t outputs_read_ = 0;
  std::uint64_t log_parts_read_ = 0;
  std::uint64_t changes_seen_ = 0;
};

std::string address_of_node(std::string const& node);

// What a task prints at its start.
std::string log_of(std::string const& task);

// The job that a worker joins, or the job itself.
JobId base_of(JobId const& job);

// The job, or all jobs of the array.
std::vector<JobId> jobs_of(JobSubmit const& message);

// What an answer tells a person: the plan that fails with the least in it, found by leaving out
// jobs, time, faults and settings for the same seed, and its failure.
struct Shortened {
  Plan plan;
  std::string failure;
  int tries = 0;
};
std::string failure_of(Plan const& plan);  // empty: every promise held
Shortened shorten(Plan plan, std::string failure, int tries_max);

}  // namespace lepton::sim
