// Slices through the actor: people make them, work runs in them, and their machine's fate is
// theirs.

#include "schemas/node_marks.hpp"
#include "schemas/slice.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class SlicesTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.offer = capacity(4);
    boot();
    orders(n1);
  }
  SliceCreate team_a(std::uint32_t gpus = 2) {
    SliceCreate m;
    m.name = "team-a";
    m.size = {4'000, 8'192, 0, 0, gpus};
    return m;
  }
  JobSpec inside(std::uint32_t gpus = 1, std::string name = "train") {
    auto s = spec(std::move(name), gpus);
    s.pool = PoolId{"team-a"};
    return s;
  }
  SlicePart shown(std::size_t part = 0) {
    auto const page = ask(SliceList{"team-a"}, root);
    return page && page->slices[0].parts.size() > part ? page->slices[0].parts[part] : SlicePart{};
  }
  SliceResize to_gpus(std::int64_t gpus) {
    SliceResize m;
    m.name = "team-a";
    m.gpus = gpus;
    return m;
  }
};

TEST_F(SlicesTest, WorkThatNamesItsPoolRunsOnItsMachine) {
  auto const made = ask(team_a(), root);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(made->pool, PoolId{"team-a"});
  EXPECT_EQ(made->parts.at(0).machine, NodeId{"n1"});
  EXPECT_EQ(made->parts.at(0).node, NodeId{"team-a"});
  auto const taken = made->parts.at(0).gpus;
  ASSERT_TRUE(submit("job-1", inside(2)));
  auto const start = orders(n1).starts.at(0);
  EXPECT_EQ(start.allocation.node, NodeId{"n1"});
  EXPECT_EQ(start.allocation.gpus, taken) << "the machine's numbers";
  EXPECT_EQ(view("job-1").tasks.at(0).allocation.node, NodeId{"team-a"});
  EXPECT_EQ(shown().gpu_milli_free, 0);
  EXPECT_EQ(shown().attempts, 1u);
  ASSERT_TRUE(submit("job-2", inside(1)));
  EXPECT_EQ(state("job-2"), "queued") << "the machine has GPUs, the slice has not";
  ASSERT_TRUE(submit("job-3", spec("beside", 2)));
  EXPECT_EQ(state("job-3"), "starting");
  EXPECT_EQ(gpu_milli_free(), 0);
  n1.says(start.attempt, AttemptState::running);
  orders(n1);
  EXPECT_EQ(state("job-1"), "running");
  end_on(n1, start.attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
  EXPECT_EQ(state("job-2"), "starting");
}

TEST_F(SlicesTest, OnlyThoseWhoManageNodesMayAndBadOnesAreRefused) {
  EXPECT_EQ(outcome(ask(team_a(), ann)), "denied");
  auto const refused = [&](auto change) {
    auto m = team_a();
    change(m);
    return outcome(ask(m, root));
  };
  EXPECT_EQ(refused([](auto& m) { m.name = "Team A"; }), "invalid");
  EXPECT_EQ(refused([](auto& m) { m.name = "n1"; }), "conflict");
  EXPECT_EQ(refused([](auto& m) { m.size.cpu_milli = 0; }), "invalid");
  EXPECT_EQ(refused([](auto& m) { m.size.gpu_milli = 500; }), "invalid");
  EXPECT_EQ(refused([](auto& m) { m.size.gpus = 5; }), "invalid") << "no machine has so many";
  EXPECT_EQ(refused([](auto& m) { m.machine = NodeId{"n9"}; }), "not_found");
  EXPECT_EQ(refused([](auto& m) { m.parts = 3; }), "invalid") << "nor room for three";
  EXPECT_EQ(refused([](auto& m) { m.parts = 3, m.machine = NodeId{"n1"}; }), "exhausted");
  EXPECT_EQ(refused([](auto& m) { m.ports = 101; }), "exhausted");
  EXPECT_EQ(refused([](auto& m) { m.pool = PoolId{"a/b"}; }), "invalid");
  EXPECT_EQ(gpu_milli_free(), 4'000);
  EXPECT_EQ(actor().cluster().held_count(), 0u) << "nothing is half done";
  ASSERT_TRUE(ask(team_a(), root));
  EXPECT_EQ(outcome(ask(team_a(), root)), "conflict");
  EXPECT_EQ(refused([](auto& m) { m.name = "inner", m.machine = NodeId{"team-a"}; }), "invalid");
  FakeNode thief{"team-a"};
  EXPECT_EQ(outcome(sync(thief)), "conflict") << "no daemon may take a slice over";
}

TEST_F(SlicesTest, GrowsAndShrinksWhileInUse) {
  ASSERT_TRUE(ask(team_a(), root));
  ASSERT_TRUE(submit("job-1", inside(2)));
  auto const attempt = run_on(n1);
  ASSERT_TRUE(submit("job-2", inside(1)));
  EXPECT_EQ(outcome(ask(to_gpus(1), root)), "conflict") << "both are used";
  EXPECT_EQ(outcome(ask(to_gpus(2), root)), "conflict") << "it has that size";
  EXPECT_EQ(outcome(ask(to_gpus(5), root)), "exhausted");
  ASSERT_TRUE(ask(to_gpus(3), root));
  EXPECT_EQ(state("job-2"), "starting") << "who waited is placed at once";
  EXPECT_EQ(gpu_milli_free(), 1'000);
  end_on(n1, attempt);
  ASSERT_TRUE(ask(to_gpus(1), root));
  EXPECT_EQ(gpu_milli_free(), 3'000);
  EXPECT_EQ(audited("deployer.slice.resize").back().outcome, AuditOutcome::done);
}

TEST_F(SlicesTest, SeveralPartsComeAndGoTogether) {
  auto m = team_a(1);
  m.size.cpu_milli = 2'000;
  m.size.memory_mib = 1'024;
  m.parts = 3;
  m.ports = 10;
  ASSERT_TRUE(ask(m, root));
  EXPECT_EQ(shown(2).node, NodeId{"team-a-2"});
  auto gang = inside(1, "gang");
  gang.nodes = 3;
  gang.resources.ports = 2;
  gang.gang_port = true;
  ASSERT_TRUE(submit("job-1", gang));
  auto const starts = orders(n1).starts;
  ASSERT_EQ(starts.size(), 3u);
  std::set<std::uint32_t> gpus, ports;
  for (auto const& start : starts) {
    gpus.insert(start.allocation.gpus.at(0).index);
    ports.insert(start.allocation.ports.begin(), start.allocation.ports.end());
    EXPECT_EQ(start.gang.size(), 3u);
  }
  EXPECT_EQ(gpus.size(), 3u);
  EXPECT_EQ(ports.size(), 6u);
  SliceResize wider;
  wider.name = "team-a";
  wider.cpu_milli = 3'000;
  EXPECT_EQ(outcome(ask(wider, root)), "exhausted") << "two of three would fit";
  EXPECT_EQ(ask(SliceList{}, root)->slices.at(0).size.cpu_milli, 2'000);
  EXPECT_EQ(outcome(ask(SliceRelease{"team-a"}, root)), "conflict");
  for (auto const& start : starts) end_on(n1, start.attempt);
  EXPECT_EQ(ask(SliceRelease{"team-a"}, root)->parts, 3u);
  EXPECT_EQ(actor().cluster().held_count(), 0u);
  EXPECT_EQ(outcome(ask(SliceRelease{"team-a"}, root)), "not_found");
}

TEST_F(SlicesTest, OutlivesTheDeployer) {
  ASSERT_TRUE(ask(team_a(), root));
  ASSERT_TRUE(submit("job-1", inside(2)));
  auto const attempt = run_on(n1);
  boot();
  EXPECT_EQ(gpu_milli_free(), 2'000);
  EXPECT_TRUE(orders(n1).stops.empty());
  EXPECT_EQ(shown().attempts, 1u);
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
  EXPECT_TRUE(ask(SliceRelease{"team-a"}, root));
  boot();
  orders(n1);
  EXPECT_EQ(gpu_milli_free(), 4'000);
}

TEST_F(SlicesTest, NoNameIsTakenForAnAttempt) {
  auto m = team_a();
  m.name = "exam-2026-11";
  ASSERT_TRUE(ask(m, root));
  n1.incarnation = "life-2";
  orders(n1);
  n1.boot = "boot-2";
  orders(n1);
  advance(deployer_settings.unreachable_after_ms + 1'000);
  EXPECT_TRUE(ask(SliceRelease{"exam-2026-11"}, root));
}

TEST_F(SlicesTest, ASlowerLinkKeepsWhatASliceHasOverARestart) {
  n1.offer.bandwidth_mbit = 10'000;
  orders(n1);
  auto m = team_a();
  m.size.bandwidth_mbit = 8'000;
  ASSERT_TRUE(ask(m, root));
  n1.offer.bandwidth_mbit = 1'000;
  orders(n1);
  boot();
  orders(n1);
  EXPECT_EQ(actor().cluster().find(NodeId{"team-a"})->free.bandwidth_mbit(), 8'000);
}

TEST_F(SlicesTest, IsAsItsMachineIs) {
  ASSERT_TRUE(ask(team_a(), root));
  ASSERT_TRUE(submit("job-1", inside(1)));
  run_on(n1);
  ASSERT_TRUE(
      ask(NodeMark{NodeId{"n1"}, {{"zone", "b"}}, {}, {{"maintenance", "", false}}, {}}, root));
  EXPECT_EQ(actor().cluster().find(NodeId{"team-a"})->spec.labels.at("zone"), "b");
  EXPECT_EQ(actor().cluster().find(NodeId{"team-a"})->spec.labels.at("slice"), "team-a");
  EXPECT_EQ(outcome(submit("job-2", inside(1))), "invalid") << "its machine is tainted";
  ASSERT_TRUE(ask(NodeMark{NodeId{"n1"}, {}, {}, {}, {"maintenance"}}, root));
  ASSERT_TRUE(submit("job-2", inside(1)));
  EXPECT_EQ(state("job-2"), "starting");
  ASSERT_TRUE(ask(NodeDrain{NodeId{"team-a"}, true}, root));
  EXPECT_EQ(node_state("team-a"), "draining");
  EXPECT_EQ(node_state("n1"), "ready");
  ASSERT_TRUE(ask(NodeDrain{NodeId{"team-a"}, false}, root));
  EXPECT_EQ(node_state("team-a"), "ready");
  ASSERT_TRUE(ask(NodeDrain{NodeId{"n1"}, true}, root));
  EXPECT_EQ(node_state("team-a"), "draining");
  ASSERT_TRUE(ask(NodeDrain{NodeId{"n1"}, false}, root));
  EXPECT_EQ(node_state("team-a"), "ready");
  n1.boot = "boot-2";
  n1.reports.clear();
  orders(n1);
  EXPECT_EQ(view("job-1").interruptions, 1u) << "what ran in it is over with the boot";
}

TEST_F(SlicesTest, ASilentMachineTakesNoWorkForItsSlices) {
  ASSERT_TRUE(ask(team_a(), root));
  advance(deployer_settings.unreachable_after_ms + 1'000);
  EXPECT_EQ(node_state("team-a"), "unreachable");
  orders(n1);
  EXPECT_EQ(node_state("team-a"), "ready");
}

TEST_F(SlicesTest, AMachineThatLosesWhatASliceHasGetsNoNewWork) {
  ASSERT_TRUE(ask(team_a(), root));
  auto const whole = n1.offer;
  n1.offer.gpus.pop_back();
  n1.offer.gpus.pop_back();
  n1.offer.gpus.pop_back();
  orders(n1);
  EXPECT_EQ(node_state("n1"), "suspect");
  EXPECT_EQ(node_state("team-a"), "suspect");
  n1.offer = whole;
  orders(n1);
  EXPECT_EQ(node_state("team-a"), "ready");
}

TEST_F(SlicesTest, SimulatedMachinesHaveThemToo) {
  NodeDeclare pool{PoolId{"sim"}, {{NodeId{"s1"}, capacity(2)}}};
  ASSERT_TRUE(ask(pool, root));
  auto m = team_a();
  m.from = PoolId{"sim"};
  ASSERT_TRUE(ask(m, root));
  auto job = inside(2);
  job.env["LEPTON_SIMULATED_MS"] = "5000";
  ASSERT_TRUE(submit("job-1", job));
  advance(100);
  EXPECT_EQ(state("job-1"), "running");
  EXPECT_EQ(outcome(ask(PoolRemove{PoolId{"sim"}}, root)), "conflict");
  EXPECT_EQ(ask(NodeList{PoolId{"sim"}}, root)->gpu_milli, 0);
  advance(6'000);
  EXPECT_EQ(state("job-1"), "succeeded");
  ASSERT_TRUE(ask(SliceRelease{"team-a"}, root));
  EXPECT_EQ(ask(PoolRemove{PoolId{"sim"}}, root)->nodes, 1u);
}

}  // namespace
}  // namespace lepton::deployer::testing
