#pragma once
// A deployer on the hand-driven surrounding, with nodes whose syncs the test writes and a vault
// that the test plays.

#include "schemas/vault.hpp"
#include "services/deployer/deployer.hpp"
#include "tests/common/harness/service_harness.hpp"

namespace lepton::deployer::testing {

using test::As;
using test::outcome;

NodeCapacity capacity(std::int64_t gpus = 2);
JobSpec spec(std::string name = "train", std::uint32_t gpus = 1);

// A pool "sim" of the machines s1, s2, ..., and a job that runs there for so long.
NodeDeclare simulated_nodes(int count, std::int64_t gpus = 2);
JobSpec simulated(TimeMs runs_ms, std::uint32_t gpus = 1);

// One machine's daemon as the test writes it.
struct FakeNode {
  explicit FakeNode(std::string n);
  ~FakeNode();
  std::string name;
  std::string boot = "boot-1";
  std::string incarnation = "life-1";
  std::uint64_t number = 0;
  PoolId pool{"default"};
  NodeCapacity offer;
  std::map<AttemptId, AttemptReport> reports;
  std::vector<LogPart> logs;
  std::map<std::string, std::string> labels;

  void says(AttemptId const& attempt, AttemptState state, int exit_code = 0);
  NodeSync next(std::int64_t wait_ms);
};

class DeployerTest : public test::ServiceHarness {
 protected:
  Settings deployer_settings;
  As const root{.name = "root", .policies = {"admin"}};
  As const ann{.name = "ann", .policies = {"user"}, .token = "token-of-ann"};
  As const bob{.name = "bob", .policies = {"user"}};
  FakeNode n1{"n1"}, n2{"n2"};

  DeployerTest();
  ~DeployerTest() override;
  void boot();
  void SetUp() override { boot(); }
  void TearDown() override;
  Deployer const& actor();

  Result<NodeOrders> sync(FakeNode& node, std::int64_t wait_ms = 0);
  // A sync that may be parked; its id.
  std::string park(FakeNode& node, std::int64_t wait_ms = 1'000);
  NodeOrders orders(FakeNode& node);
  // Syncs every second, as a node does.
  void keep(std::vector<FakeNode*> nodes, TimeMs ms);
  Result<JobAccepted> submit(std::string id, JobSpec const& s, As const& who);
  Result<JobAccepted> submit(std::string id, JobSpec const& s = spec());
  JobView view(std::string const& id);
  std::string state(std::string const& id) { return std::string(schema::name_of(view(id).state)); }
  std::string node_state(std::string const& name);
  // The node takes its start and runs it.
  AttemptId run_on(FakeNode& node);
  void end_on(FakeNode& node, AttemptId const& attempt, int exit_code = 0);
  std::int64_t gpu_milli_free() { return actor().cluster().totals().gpu_milli_free; }
};

bool stops(NodeOrders const& orders, AttemptId const& attempt);

}  // namespace lepton::deployer::testing
