#pragma once
// The whole suite in a simulated world: the real deployer, vault, auditor and node actors, fake
// runners whose processes outlive their nodes, clients that submit and cancel, and faults drawn
// from the seed. After each event the promises of docs/architecture.md section 8 are checked; after
// the faults end, everything must come to its end. Repeat one run with `scripts/sim --seed N`.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/sim/client.hpp"
#include "common/sim/machine.hpp"
#include "common/sim/world.hpp"
#include "services/deployer/deployer.hpp"
#include "services/node/runner/fake_runner.hpp"

namespace lepton::sim {

struct SuiteOptions {
  TimeMs trouble_ms = 120'000;  // virtual time with faults
  TimeMs peace_ms = 1'800'000;  // limit for everything to end, once the faults are over
  std::uint32_t nodes = 3;
  std::uint32_t jobs = 40;
};

class Suite {
 public:
  Suite(std::uint64_t seed, Faults faults, SuiteOptions options = {});

  // Throws Failure at the first broken promise.
  void run();

  World& world() { return world_; }
  std::uint64_t jobs_submitted() const { return submitted_.size(); }

 private:
  // suite.cpp
  void add_services();
  void add_node(std::string const& name);
  deployer::Deployer const* deployer();
  node::FakeRunner* runner(std::string const& node);

  // workload.cpp
  void plan_work();
  void open_vault();
  void submit(Client& client, std::string owner);
  JobSpec random_spec();
  void script_tasks(JobId const& job, JobSpec const& spec);
  void drain_something();

  // invariants.cpp
  void check_now();
  void check_one_attempt_per_task();
  void check_gpus_of_nodes();
  void check_at_end();
  void check_acknowledged_jobs();
  void check_audit_log();
  bool all_at_end();
  std::string unfinished();

  SuiteOptions options_;
  Chance chance_;
  World world_;
  std::map<std::string, std::shared_ptr<node::FakeRunner>> runners_;
  std::vector<Client*> clients_;
  Client* admin_ = nullptr;
  std::vector<JobId> submitted_;
  std::set<JobId> with_secrets_;
  std::uint64_t events_ = 0;
  std::uint64_t drains_ = 0;
};

}  // namespace lepton::sim
