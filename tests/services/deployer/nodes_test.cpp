// Nodes: joining, silence, reboots, drains, and what a sync is answered.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class NodesTest : public DeployerTest {};

TEST_F(NodesTest, ANodeJoinsWithItsFirstSync) {
  auto const first = orders(n1);
  EXPECT_EQ(first.state, NodeState::ready);
  auto const page = *ask(NodeList{}, ann);
  ASSERT_EQ(page.nodes.size(), 1u);
  EXPECT_EQ(page.nodes[0].engine, "process");
  EXPECT_EQ(page.nodes[0].detail, "rack 7");
  EXPECT_EQ(page.gpu_milli, 2'000);
  EXPECT_EQ(page.nodes[0].heard_at_ms, clock.wall_ms());
  EXPECT_EQ(test::rows_of<NodeRow>(*store.disk).size(), 1u);
  EXPECT_EQ(audited("deployer.node.joined").size(), 1u);
  orders(n2);
  EXPECT_EQ(ask(NodeList{.limit = 1}, ann)->total, 2u);
  EXPECT_EQ(ask(NodeList{.pool = PoolId{"other"}}, ann)->total, 0u);
}

TEST_F(NodesTest, ANodeSpeaksForItselfOnly) {
  EXPECT_EQ(outcome(ask(n1.next(0), {.name = "n2"})), "denied");
  EXPECT_EQ(outcome(ask(n1.next(0), root)), "denied") << "whatever policies say";
  EXPECT_EQ(node_state("n1"), "gone");
  n1.offer.cpu_milli = -1;
  EXPECT_EQ(outcome(sync(n1)), "invalid");
  EXPECT_EQ(node_state("n1"), "gone");
}

TEST_F(NodesTest, ASyncWithoutNewsWaitsForSome) {
  orders(n1);
  auto const waiting = park(n1, 1'000);
  EXPECT_TRUE(answers(waiting).empty());
  advance(999);
  EXPECT_TRUE(answers(waiting).empty());
  advance(1);
  EXPECT_EQ(answers(waiting).size(), 1u);
  auto const next = park(n1, 1'000);
  ASSERT_TRUE(submit("job-1"));
  auto const heard = answer_to<NodeSync>(next);
  ASSERT_TRUE(heard && *heard) << "a start is news";
  EXPECT_EQ((*heard)->starts.size(), 1u);
  EXPECT_EQ((*heard)->leases.size(), 1u);
}

TEST_F(NodesTest, AnOlderSyncIsRefused) {
  orders(n1);
  auto const late = n1.next(0);
  orders(n1);
  EXPECT_EQ(outcome(ask(late, {.name = "n1"})), "conflict");
}

TEST_F(NodesTest, ALateSyncOfAnEarlierBootEndsNothing) {
  orders(n1);
  auto const late = n1.next(0);
  n1.boot = "boot-2";
  n1.incarnation = "life-2";
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  EXPECT_EQ(outcome(ask(late, {.name = "n1"})), "conflict");
  EXPECT_EQ(state("job-1"), "running");
  EXPECT_EQ(view("job-1").round, 1u);
}

TEST_F(NodesTest, SilenceLeadsToSuspicionAndAfterTheLeaseToAnotherNode) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  orders(n2);
  keep({&n2}, 3'000);
  EXPECT_EQ(node_state("n1"), "ready");
  keep({&n2}, 2'000);
  EXPECT_EQ(node_state("n1"), "suspect");
  EXPECT_EQ(state("job-1"), "running");
  // Lease 10 s, grace 1 s, margins 2.1 s: until then the task may live, and runs nowhere else.
  keep({&n2}, 7'000);
  EXPECT_EQ(state("job-1"), "running");
  EXPECT_TRUE(orders(n2).starts.empty());
  keep({&n2}, 6'000);
  EXPECT_EQ(node_state("n1"), "unreachable");
  EXPECT_EQ(view("job-1").round, 2u);
  EXPECT_EQ(run_on(n2).value, "job-1-0-2");
  EXPECT_EQ(view("job-1").interruptions, 1u);
  // The old node comes back and still has the old attempt: it must stop it.
  auto const back = orders(n1);
  EXPECT_EQ(node_state("n1"), "ready");
  EXPECT_TRUE(stops(back, attempt));
  EXPECT_EQ(state("job-1"), "running");
  EXPECT_EQ(view("job-1").round, 2u);
}

TEST_F(NodesTest, ANodeThatIsHeardAgainInTimeKeepsItsWork) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  advance(8'000);
  EXPECT_EQ(node_state("n1"), "suspect");
  keep({&n1}, 10'000);
  EXPECT_EQ(node_state("n1"), "ready");
  EXPECT_EQ(state("job-1"), "running");
  EXPECT_EQ(view("job-1").round, 1u);
}

TEST_F(NodesTest, AutonomousWorkHoldsItsPlaceThroughSilence) {
  orders(n1);
  auto s = spec();
  s.autonomous = true;
  ASSERT_TRUE(submit("job-1", s));
  auto const attempt = run_on(n1);
  advance(120'000);
  EXPECT_EQ(state("job-1"), "running");
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
}

TEST_F(NodesTest, ASilentNodeGetsNoWork) {
  orders(n1);
  advance(6'000);
  ASSERT_TRUE(submit("job-1"));
  EXPECT_EQ(state("job-1"), "queued");
  EXPECT_EQ(run_on(n1).value, "job-1-0-1");
}

TEST_F(NodesTest, ARebootLosesItsAttemptsAtOnce) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  n1.boot = "boot-2";
  n1.incarnation = "life-2";
  n1.reports.clear();
  auto const after = orders(n1);
  EXPECT_EQ(view("job-1").interruptions, 1u);
  EXPECT_NE(view("job-1").why.find("rebooted"), std::string::npos);
  EXPECT_TRUE(after.starts.empty()) << "after its backoff";
  keep({&n1}, 3'000);
  EXPECT_EQ(run_on(n1).value, "job-1-0-2");
  boot();
  EXPECT_EQ(outcome(sync(n1)), "ok");
  EXPECT_EQ(view("job-1").round, 2u) << "the new boot is durable";
}

TEST_F(NodesTest, AnUnknownAttemptIsStoppedAndAnEndedOneAcknowledged) {
  orders(n1);
  AttemptId const stray{"nobody-0-1"};
  n1.says(stray, AttemptState::running);
  EXPECT_TRUE(stops(orders(n1), stray));
  auto const waiting = park(n1);
  EXPECT_TRUE(answers(waiting).empty()) << "told already";
  advance(1'000);
  auto const again = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(again && *again);
  EXPECT_TRUE(stops(**again, stray)) << "until it is gone";
  n1.says(stray, AttemptState::exited);
  EXPECT_EQ(orders(n1).acknowledged, std::vector<AttemptId>{stray});
}

TEST_F(NodesTest, ANodeThatHasLostAnAttemptIsAskedToConfirmItsEnd) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  n1.reports.clear();
  auto const asked = orders(n1);
  ASSERT_TRUE(stops(asked, attempt));
  EXPECT_TRUE(asked.stops.front().unless_known) << "a sync that came late would end it else";
  EXPECT_EQ(state("job-1"), "running");
  n1.says(attempt, AttemptState::lost);
  orders(n1);
  EXPECT_EQ(view("job-1").interruptions, 1u);
}

TEST_F(NodesTest, OneNodesWordOnAnothersAttemptCountsNothing) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  n2.says(attempt, AttemptState::exited);
  EXPECT_EQ(orders(n2).acknowledged.size(), 1u);
  EXPECT_EQ(state("job-1"), "running");
}

TEST_F(NodesTest, ADrainedNodeTakesNoWorkAndKeepsWhatItHas) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  EXPECT_EQ(outcome(ask(NodeDrain{NodeId{"n1"}, true}, ann)), "denied");
  EXPECT_EQ(outcome(ask(NodeDrain{NodeId{"n9"}, true}, root)), "not_found");
  EXPECT_EQ(ask(NodeDrain{NodeId{"n1"}, true}, root)->state, NodeState::draining);
  ASSERT_TRUE(submit("job-2"));
  EXPECT_EQ(state("job-2"), "queued");
  EXPECT_EQ(orders(n1).state, NodeState::draining) << "a sync ends no drain";
  boot();
  orders(n1);
  EXPECT_EQ(node_state("n1"), "draining") << "nor a restart";
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
  EXPECT_EQ(ask(NodeDrain{NodeId{"n1"}, false}, root)->state, NodeState::ready);
  EXPECT_EQ(run_on(n1).value, "job-2-0-1");
}

TEST_F(NodesTest, ASilentNodeThatIsTakenBackWaitsUntilItIsHeard) {
  orders(n1);
  ASSERT_TRUE(ask(NodeDrain{NodeId{"n1"}, true}, root));
  ASSERT_TRUE(submit("job-1"));
  advance(20'000);
  EXPECT_EQ(ask(NodeDrain{NodeId{"n1"}, false}, root)->state, NodeState::suspect);
  EXPECT_EQ(state("job-1"), "queued") << "nothing would ever tell that it was not started";
  advance(1'000);
  EXPECT_EQ(node_state("n1"), "unreachable");
  EXPECT_EQ(run_on(n1).value, "job-1-0-1");
}

TEST_F(NodesTest, MoreCapacityIsTakenAtOnce) {
  orders(n1);
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  run_on(n1);
  ASSERT_TRUE(submit("job-2", spec("train", 2)));
  EXPECT_EQ(state("job-2"), "queued");
  n1.offer = capacity(4);
  n1.incarnation = "life-2";
  EXPECT_EQ(orders(n1).starts.size(), 1u);
  boot();
  EXPECT_EQ(ask(NodeList{}, root)->gpu_milli, 4'000);
}

TEST_F(NodesTest, ANodeThatOffersLessThanIsHeldIsHeardButGetsNothingNew) {
  orders(n1);
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  auto const attempt = run_on(n1);
  n1.offer = capacity(1);
  n1.incarnation = "life-2";
  auto const heard = orders(n1);
  EXPECT_EQ(heard.leases.size(), 1u) << "what runs goes on";
  EXPECT_EQ(heard.state, NodeState::suspect);
  auto cpu = spec("cpu", 0);
  ASSERT_TRUE(submit("job-2", cpu));
  EXPECT_EQ(state("job-2"), "queued");
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
  orders(n1);
  EXPECT_EQ(node_state("n1"), "ready");
  EXPECT_EQ(ask(NodeList{}, root)->gpu_milli, 1'000);
  EXPECT_EQ(run_on(n1).value, "job-2-0-1");
}

}  // namespace
}  // namespace lepton::deployer::testing
