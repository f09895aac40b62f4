// The deployer follows the monitor's states of nodes: they withhold new work and end nothing.

#include "schemas/monitor.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class WatchTest : public DeployerTest {
 protected:
  std::int64_t head = 0;
  bool monitor_is_there = true;

  NodeChange change(NodeState state, std::string reason) {
    return {
        "n1", static_cast<std::uint64_t>(head), 0, NodeState::unknown, state, std::move(reason)};
  }
  void hint(std::int64_t epoch = 1) {
    system->deliver_hint(Hint{"monitor", "nodes", epoch, head});
    settle();
  }
  // The state as the monitor's next event says it, by what the deployer asks for.
  void monitor_says(NodeState state, std::string reason = "silent for 4 s") {
    ++head;
    hint();
    if (auto const asked = open_requests<SnapshotGet>(); !asked.empty())
      return reply_to<SnapshotGet>(
          asked.back(),
          Snapshot{1, head, Bytes{codec::encode(NodeStates{{change(state, reason)}})}});
    auto const pulls = open_requests<EventsPull>();
    ASSERT_FALSE(pulls.empty());
    EXPECT_EQ(codec::decode<EventsPull>(pulls.back().body)->after, head - 1);
    EventRecord const event{head, std::string(NodeStateChanged::topic),
                            Bytes{codec::encode(NodeStateChanged{change(state, reason)})}, 0};
    reply_to<EventsPull>(pulls.back(), EventsPage{1, head, false, {event}});
  }
  // Syncs of the node, and hints while the monitor is there.
  void live(TimeMs ms) {
    for (TimeMs passed = 0; passed < ms; passed += 1'000) {
      orders(n1);
      if (monitor_is_there) hint();
      advance(1'000);
    }
  }
};

TEST_F(WatchTest, ASuspectNodeGetsNothingNewAndKeepsWhatItHas) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  auto const runs = run_on(n1);
  monitor_says(NodeState::suspect);
  EXPECT_EQ(node_state("n1"), "suspect");
  ASSERT_TRUE(submit("job-2"));
  live(12'000);
  EXPECT_EQ(state("job-2"), "queued");
  EXPECT_EQ(state("job-1"), "running") << "its lease goes on: the node itself is heard";
  EXPECT_FALSE(stops(orders(n1), runs));
  monitor_says(NodeState::ready, "reports again");
  EXPECT_EQ(node_state("n1"), "ready");
  live(1'000);
  EXPECT_EQ(state("job-2"), "starting");
  auto const told = audited("deployer.node.state");
  ASSERT_FALSE(told.empty());
  EXPECT_NE(told.front().detail.at("why").find("the monitor calls it suspect: silent"),
            std::string::npos);
}

TEST_F(WatchTest, UnreachableForTheMonitorEndsNoLeaseOfANodeThatSyncs) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  monitor_says(NodeState::suspect);
  monitor_says(NodeState::unreachable, "silent for 15 s");
  EXPECT_EQ(node_state("n1"), "suspect");
  live(40'000);
  EXPECT_EQ(state("job-1"), "running");
}

TEST_F(WatchTest, AMonitorThatGoesAwayTakesItsDoubtsWithIt) {
  orders(n1);
  monitor_says(NodeState::suspect);
  monitor_is_there = false;
  live(4'000);
  EXPECT_EQ(node_state("n1"), "suspect");
  live(4'000);
  EXPECT_EQ(node_state("n1"), "ready") << "by the deployer's own liveness";
  monitor_is_there = true;
  live(2'000);
  EXPECT_EQ(node_state("n1"), "suspect") << "it is back and still says so";
}

TEST_F(WatchTest, AMinuteOfSteadySyncsOverrulesADoubt) {
  orders(n1);
  ASSERT_TRUE(submit("job-1", spec("big", 2)));
  monitor_says(NodeState::suspect);
  live(58'000);
  EXPECT_EQ(node_state("n1"), "suspect");
  live(4'000);
  EXPECT_EQ(node_state("n1"), "ready") << "its reports do not reach the monitor, its syncs do";
  EXPECT_EQ(state("job-1"), "starting");
}

TEST_F(WatchTest, SilenceForTheDeployerCountsWhateverTheMonitorSays) {
  orders(n1);
  monitor_says(NodeState::ready);
  for (int i = 0; i < 16; ++i) advance(1'000), hint();
  EXPECT_EQ(node_state("n1"), "unreachable");
}

TEST_F(WatchTest, AnotherEpochBeginsWithAllStates) {
  orders(n1);
  monitor_says(NodeState::suspect);
  head = 7;
  hint(2);
  auto const asked = open_requests<SnapshotGet>();
  ASSERT_EQ(asked.size(), 1u);
  reply_to<SnapshotGet>(asked[0], Snapshot{2, 7, Bytes{codec::encode(NodeStates{})}});
  live(1'000);
  EXPECT_EQ(node_state("n1"), "ready") << "it is not doubted any more";
}

TEST_F(WatchTest, EventsThatAreGoneAreReplacedByTheStates) {
  orders(n1);
  monitor_says(NodeState::ready);
  ++head;
  hint();
  auto const pulls = open_requests<EventsPull>();
  ASSERT_EQ(pulls.size(), 1u);
  reply_to<EventsPull>(pulls[0], EventsPage{1, head, true, {}});
  auto const asked = open_requests<SnapshotGet>();
  ASSERT_EQ(asked.size(), 1u);
  reply_to<SnapshotGet>(
      asked[0],
      Snapshot{1, head, Bytes{codec::encode(NodeStates{{change(NodeState::suspect, "late")}})}});
  EXPECT_EQ(node_state("n1"), "suspect");
}

TEST_F(WatchTest, WhatADeployerThatStartsAgainHears) {
  orders(n1);
  monitor_says(NodeState::suspect);
  boot();
  orders(n1);
  EXPECT_EQ(node_state("n1"), "ready") << "nothing is known yet";
  hint();
  ASSERT_FALSE(open_requests<SnapshotGet>().empty());
}

TEST_F(WatchTest, DrainingIsTheDeployersOwnWord) {
  orders(n1);
  ASSERT_TRUE(ask(NodeDrain{NodeId{"n1"}, true}, root));
  monitor_says(NodeState::suspect);
  EXPECT_EQ(node_state("n1"), "draining");
  ASSERT_TRUE(ask(NodeDrain{NodeId{"n1"}, false}, root));
  EXPECT_EQ(node_state("n1"), "suspect") << "doubted as before";
}

}  // namespace
}  // namespace lepton::deployer::testing
