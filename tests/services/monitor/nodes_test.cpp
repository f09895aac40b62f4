// The monitor's actor and nodes: what a report does, what silence does, and what a new life knows.

#include "tests/services/monitor/rig.hpp"

namespace lepton::monitor::testing {
namespace {

TEST_F(MonitorTest, ANodeThatReportsIsReady) {
  auto const taken = send(report_of("n1", {{Series::cpu_use, "", 0.5}}));
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_EQ(taken->state, NodeState::ready);
  auto const told = show("n1");
  EXPECT_EQ(told.health.state, NodeState::ready);
  EXPECT_EQ(told.health.values, (std::vector<Measure>{{Series::cpu_use, "", 0.5}}));
  ASSERT_EQ(told.changes.size(), 1u);
  EXPECT_EQ(told.changes[0].before, NodeState::unknown);
  EXPECT_EQ(outcome(ask(NodeShow{NodeId{"n2"}}, ann)), "not_found");
}

TEST_F(MonitorTest, ReportsLeaveNoRowsOnlyChangesDo) {
  beat("n1", 30);
  EXPECT_EQ(rows<NodeChange>().size(), 1u);
  EXPECT_EQ(events<NodeStateChanged>(nodes_stream).size(), 1u);
  EXPECT_EQ(counter("reports"), 30);
}

TEST_F(MonitorTest, SilenceIsToldSuspicionFirst) {
  beat("n1", 30);
  pass(20'000);
  auto const told = events<NodeStateChanged>(nodes_stream);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[1].state, NodeState::suspect);
  EXPECT_EQ(told[2].state, NodeState::unreachable);
  EXPECT_EQ(told[2].before, NodeState::suspect);
  EXPECT_LT(told[1].number, told[2].number);
  EXPECT_EQ(rows<NodeChange>().size(), 3u);
  auto const entries = audited("monitor.node.changed");
  ASSERT_EQ(entries.size(), 1u);  // suspicion alone is no news for the books
  EXPECT_EQ(entries[0].resource, "node/n1");
  EXPECT_EQ(entries[0].detail.at("state"), "unreachable");
  beat("n1", 1);
  EXPECT_EQ(state("n1"), "ready");
}

TEST_F(MonitorTest, ANewBootIsTold) {
  beat("n1", 2);
  ASSERT_TRUE(send(report_of("n1", {}, "boot-2")));
  auto const told = events<NodeStateChanged>(nodes_stream);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[1].state, NodeState::down);
  EXPECT_EQ(told[2].state, NodeState::ready);
}

TEST_F(MonitorTest, DrainingIsWhatTheDeployerTold) {
  auto report = report_of("n1", {});
  report.draining = true;
  EXPECT_EQ(send(report)->state, NodeState::draining);
}

TEST_F(MonitorTest, AMonitorThatStoodStillBlamesNobody) {
  beat("n1", 30);
  clock.now += 40'000;  // without a look in between
  advance(500);
  EXPECT_EQ(state("n1"), "ready");
  pass(20'000);
  EXPECT_EQ(state("n1"), "unreachable");
}

TEST_F(MonitorTest, ANewLifeKnowsTheStates) {
  beat("n1", 5);
  beat("n2", 5);
  beat("n1", 25);
  ASSERT_EQ(state("n2"), "unreachable");
  boot();
  EXPECT_EQ(state("n1"), "ready");
  EXPECT_EQ(state("n2"), "unreachable");
  EXPECT_FALSE(show("n1").health.heard_at_ms);
  beat("n1", 10);
  EXPECT_EQ(state("n1"), "ready");
  auto const before = rows<NodeChange>().size();
  beat("n2", 1);
  EXPECT_EQ(state("n2"), "ready");
  EXPECT_EQ(rows<NodeChange>().size(), before + 1);
}

TEST_F(MonitorTest, NodesAreForgottenAndTheirNumbersGoOn) {
  monitor_settings.forget_after_ms = 7'200'000;
  boot();
  beat("n1", 2);
  pass(20'000);
  for (int i = 0; i < 4; ++i) advance(3'600'000);
  EXPECT_EQ(outcome(ask(NodeShow{NodeId{"n1"}}, ann)), "not_found");
  EXPECT_TRUE(rows<NodeRow>().empty());
  auto const last = events<NodeStateChanged>(nodes_stream).back();
  EXPECT_EQ(last.state, NodeState::down);
  beat("n1", 1);
  EXPECT_GT(rows<NodeRow>().at(0).last.number, last.number);
}

TEST_F(MonitorTest, RefusesWhatIsNoReport) {
  auto report = report_of("n1", {});
  report.boot_id = "";
  EXPECT_EQ(outcome(send(report)), "invalid");
  report = report_of("n1", {});
  report.samples.resize(31);
  EXPECT_EQ(outcome(send(report)), "invalid");
  report = report_of("n1", std::vector<Measure>(2'001));
  EXPECT_EQ(outcome(send(report)), "invalid");
  EXPECT_EQ(outcome(send(report_of(std::string(64, 'n'), {}))), "invalid");
  monitor_settings.nodes_max = 1;
  boot();
  EXPECT_EQ(outcome(send(report_of("n1", {}))), "ok");
  EXPECT_EQ(outcome(send(report_of("n2", {}))), "exhausted");
  EXPECT_EQ(counter("nodes"), 1);
}

TEST_F(MonitorTest, ANodeSpeaksForItselfOnly) {
  rule_gate.rule = [](actor::Caller const& caller, Verb, std::string_view resource) -> Status {
    if (resource == "node/" + caller.name) return ok();
    return Error{Code::denied, "not yours"};
  };
  EXPECT_EQ(outcome(ask(report_of("n1", {}), As{.name = "n2"})), "denied");
  EXPECT_EQ(outcome(ask(report_of("n1", {}), As{.name = "n1"})), "ok");
}

TEST_F(MonitorTest, ListsInPages) {
  for (auto const* name : {"a", "b", "c"}) ASSERT_TRUE(send(report_of(name, {})));
  auto const first = ask(NodeHealthList{"", 2}, ann);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->total, 3u);
  ASSERT_EQ(first->nodes.size(), 2u);
  auto const rest = ask(NodeHealthList{first->nodes[1].node.value, 2}, ann);
  ASSERT_EQ(rest->nodes.size(), 1u);
  EXPECT_EQ(rest->nodes[0].node.value, "c");
}

TEST_F(MonitorTest, TheStreamOfNodesHasASnapshot) {
  beat("n1", 1);
  beat("n2", 1);
  auto const taken =
      ask(SnapshotGet{"monitor", nodes_stream}, As{.name = "deployer", .door = actor::Door::peer});
  ASSERT_TRUE(taken) << taken.error().what;
  auto const all = *codec::decode<NodeStates>(taken->body.data);
  ASSERT_EQ(all.nodes.size(), 2u);
  EXPECT_EQ(all.nodes[0].node, "n1");
  EXPECT_EQ(all.nodes[0].state, NodeState::ready);
}

TEST_F(MonitorTest, WhatWasNotCommittedIsToldAgain) {
  store.script = {store::FaultKind::unavailable};
  EXPECT_EQ(outcome(send(report_of("n1", {}))), "unavailable");
  EXPECT_TRUE(rows<NodeChange>().empty());
  pass(1'000);
  EXPECT_EQ(outcome(send(report_of("n1", {}))), "ok");
  EXPECT_EQ(rows<NodeChange>().size(), 1u);
}

}  // namespace
}  // namespace lepton::monitor::testing
