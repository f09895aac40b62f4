// Pools of simulated nodes: declaring, running, removing, and going on after a restart.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class SimulatedTest : public DeployerTest {
 protected:
  static NodeDeclare pool(std::int64_t gpus = 2) { return simulated_nodes(2, gpus); }
  static JobSpec exits(TimeMs runs_ms, std::string status) {
    auto s = simulated(runs_ms);
    s.env["LEPTON_SIMULATED_EXIT"] = std::move(status);
    return s;
  }
};

TEST_F(SimulatedTest, OnlyThoseWhoManagePoolsDeclareAndRemove) {
  EXPECT_EQ(outcome(ask(pool(), ann)), "denied");
  EXPECT_EQ(outcome(ask(PoolRemove{PoolId{"sim"}}, ann)), "denied");
  EXPECT_EQ(ask(pool(), root)->nodes, 2u);
  EXPECT_EQ(ask(NodeList{.pool = PoolId{"sim"}}, ann)->gpu_milli, 4'000);
  EXPECT_EQ(ask(NodeList{}, ann)->nodes.at(0).engine, "simulated");
  EXPECT_EQ(ask(pool(), root)->nodes, 2u) << "the same again is harmless";
}

TEST_F(SimulatedTest, BadDeclarationsAreRefusedWhole) {
  auto in_default = pool();
  in_default.pool = PoolId{"default"};
  EXPECT_EQ(outcome(ask(in_default, root)), "invalid");
  auto many = pool();
  for (int i = 0; i < 500; ++i) many.nodes.push_back({NodeId{"m" + std::to_string(i)}, {}});
  EXPECT_EQ(outcome(ask(many, root)), "invalid");
  auto bad = pool();
  bad.nodes[1].capacity.cpu_milli = -1;
  EXPECT_EQ(outcome(ask(bad, root)), "invalid");
  EXPECT_EQ(ask(NodeList{}, root)->total, 0u);
  orders(n1);
  auto real = pool();
  real.nodes[0].node = NodeId{"n1"};
  EXPECT_EQ(outcome(ask(real, root)), "conflict");
  ASSERT_TRUE(ask(pool(), root));
  auto elsewhere = pool();
  elsewhere.pool = PoolId{"sim2"};
  EXPECT_EQ(outcome(ask(elsewhere, root)), "conflict");
  FakeNode s1{"s1"};
  EXPECT_EQ(outcome(sync(s1)), "conflict") << "no daemon may take a simulated node over";
}

TEST_F(SimulatedTest, ASmallerDeclarationThanIsHeldIsRefusedAndChangesNothing) {
  ASSERT_TRUE(ask(pool(), root));
  auto gang = simulated(60'000);
  gang.resources.gpus = 2;
  gang.nodes = 2;
  ASSERT_TRUE(submit("job-1", gang));
  advance(10);
  auto smaller = pool(1);
  smaller.nodes.insert(smaller.nodes.begin(), {NodeId{"s0"}, capacity(1)});
  EXPECT_EQ(outcome(ask(smaller, root)), "conflict");
  EXPECT_EQ(node_state("s0"), "gone");
  EXPECT_EQ(ask(NodeList{}, root)->gpu_milli, 4'000);
  EXPECT_EQ(state("job-1"), "running");
  boot();
  EXPECT_EQ(ask(NodeList{}, root)->gpu_milli, 4'000);
}

TEST_F(SimulatedTest, WorkLastsAndEndsAsItsEnvironmentSays) {
  ASSERT_TRUE(ask(pool(), root));
  ASSERT_TRUE(submit("job-1", simulated(5'000)));
  ASSERT_TRUE(submit("job-2", exits(1'000, "7")));
  auto never = simulated(1'000);
  never.env["LEPTON_SIMULATED_MS"] = "never";
  ASSERT_TRUE(submit("job-3", never));
  advance(900);
  EXPECT_EQ(state("job-1"), "running");
  advance(200);
  EXPECT_EQ(state("job-2"), "failed");
  EXPECT_EQ(view("job-2").tasks.at(0).exit_code, 7);
  EXPECT_EQ(state("job-3"), "succeeded") << "what is no number lasts no time";
  advance(3'800);
  EXPECT_EQ(state("job-1"), "running");
  advance(200);
  EXPECT_EQ(state("job-1"), "succeeded");
  EXPECT_EQ(view("job-1").finished_at_ms - view("job-1").started_at_ms, 5'000);
  EXPECT_EQ(gpu_milli_free(), 4'000);
}

TEST_F(SimulatedTest, SilenceAndLeasesDoNotConcernSimulatedNodes) {
  ASSERT_TRUE(ask(pool(), root));
  ASSERT_TRUE(submit("job-1", simulated(3'600'000)));
  advance(600'000);
  EXPECT_EQ(state("job-1"), "running");
  EXPECT_EQ(node_state("s1"), "ready");
}

TEST_F(SimulatedTest, ARestartGoesOnWhereTheTimeStood) {
  ASSERT_TRUE(ask(pool(), root));
  ASSERT_TRUE(submit("job-1", exits(60'000, "3")));
  advance(20'000);
  boot();
  advance(35'000);
  EXPECT_EQ(state("job-1"), "running") << "no lease runs out on a simulated node";
  advance(5'100);
  EXPECT_EQ(state("job-1"), "failed");
  EXPECT_EQ(view("job-1").tasks.at(0).exit_code, 3);
  EXPECT_EQ(view("job-1").round, 1u);
  EXPECT_EQ(view("job-1").interruptions, 0u);
}

TEST_F(SimulatedTest, ARestartBetweenClaimAndStartStartsIt) {
  ASSERT_TRUE(ask(pool(), root));
  store.hold_commits = true;
  post_as(JobSubmit{JobId{"job-1"}, simulated(1'000)}, ann);
  boot();  // the claim is on disk, its effects were never released
  store.hold_commits = false;
  settle();
  advance(1'100);
  EXPECT_EQ(state("job-1"), "succeeded");
}

TEST_F(SimulatedTest, CancellingEndsSimulatedWork) {
  ASSERT_TRUE(ask(pool(), root));
  ASSERT_TRUE(submit("job-1", simulated(60'000)));
  advance(10);
  ASSERT_TRUE(ask(JobCancel{JobId{"job-1"}, ""}, ann));
  advance(10);
  EXPECT_EQ(state("job-1"), "cancelled");
  ASSERT_TRUE(submit("job-2", simulated(60'000)));
  advance(10);
  ASSERT_TRUE(ask(JobCancel{JobId{"job-2"}, ""}, ann));
  boot();
  advance(10);
  EXPECT_EQ(state("job-2"), "cancelled") << "also when the deployer ends in between";
}

TEST_F(SimulatedTest, RemovingAPoolEndsItsJobs) {
  orders(n1);
  EXPECT_EQ(outcome(ask(PoolRemove{PoolId{"default"}}, root)), "invalid");
  n2.pool = PoolId{"real"};
  orders(n2);
  EXPECT_EQ(outcome(ask(PoolRemove{PoolId{"real"}}, root)), "conflict");
  ASSERT_TRUE(ask(pool(), root));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(submit("job-" + std::to_string(i), simulated(60'000)));
  advance(10);
  auto const removed = ask(PoolRemove{PoolId{"sim"}}, root);
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(removed->nodes, 2u);
  EXPECT_EQ(removed->jobs, 6u);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(state("job-" + std::to_string(i)), "cancelled");
  EXPECT_EQ(ask(NodeList{.pool = PoolId{"sim"}}, root)->total, 0u);
  boot();
  EXPECT_EQ(ask(NodeList{}, root)->total, 2u);
  EXPECT_EQ(state("job-0"), "cancelled");
  EXPECT_EQ(ask(PoolRemove{PoolId{"sim"}}, root)->nodes, 0u);
}

TEST_F(SimulatedTest, TheSimulatedEngineWritesNoLog) {
  ASSERT_TRUE(ask(pool(), root));
  ASSERT_TRUE(submit("job-1", simulated(1'000)));
  auto const log = ask(JobLogs{.job = JobId{"job-1"}}, ann);
  ASSERT_TRUE(log) << log.error().what;
  EXPECT_NE(log->note.find("simulated"), std::string::npos);
  EXPECT_FALSE(log->ended);
}

}  // namespace
}  // namespace lepton::deployer::testing
