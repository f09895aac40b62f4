// Commands beside tasks on the node's side: the test plays the deployer, a fake runs them.

#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {
namespace {

class NodeExecsTest : public NodeTest {
 protected:
  std::shared_ptr<FakeExecutor> executor = std::make_shared<FakeExecutor>();

  void SetUp() override {
    boot_service("node", [this] {
      return std::make_unique<Node>(node_settings, runner, nullptr, nullptr, nullptr, executor);
    });
    rest();
  }
  void order(std::string const& exec = "exec-1") {
    NodeOrders orders;
    orders.execs.push_back({exec, AttemptId{"job-1-0-1"}, {"ps"}, 60'000});
    answer(orders);
  }
  std::vector<ExecReport> said() {
    std::vector<ExecReport> all;
    for (auto const& request : open_requests<ExecReport>())
      all.push_back(*codec::decode<ExecReport>(request.body));
    return all;
  }
  // Answers the oldest question.
  void tell(Result<ExecInput> const& input) {
    auto const open = open_requests<ExecReport>();
    ASSERT_FALSE(open.empty()) << "the node says nothing";
    reply_to<ExecReport>(open.front(), input);
    rest();
  }
  void begin() {
    order();
    tell(ExecInput{});
    ASSERT_TRUE(executor->runs.contains("exec-1"));
  }
  FakeExecutor::Run& run() { return executor->runs.at("exec-1"); }
  void prints(std::string const& text) {
    run().next.output.push_back({false, {text}});
    pass(50);
  }
};

TEST_F(NodeExecsTest, NothingBeginsBeforeTheDeployersYes) {
  order();
  EXPECT_TRUE(executor->runs.empty());
  ASSERT_EQ(said().size(), 1u);
  EXPECT_EQ(said()[0].exec, "exec-1");
  EXPECT_TRUE(said()[0].incarnation.starts_with("life-1"));
  tell(ExecInput{});
  ASSERT_EQ(executor->runs.size(), 1u);
  EXPECT_EQ(run().task.attempt, "job-1-0-1");
  EXPECT_EQ(run().task.command, std::vector<std::string>{"ps"});
}

TEST_F(NodeExecsTest, AnOrderThatIsToldTwiceRunsOnce) {
  begin();
  run().forgotten = false;
  order();
  pass(100);
  EXPECT_EQ(executor->runs.size(), 1u);
  EXPECT_FALSE(run().forgotten);
}

TEST_F(NodeExecsTest, ANoBeginsNothing) {
  order();
  ExecInput no;
  no.stop = true;
  tell(no);
  EXPECT_TRUE(executor->runs.empty());
  order("exec-2");
  tell(Error{Code::not_found, "nobody waits for it"});
  EXPECT_TRUE(executor->runs.empty());
  EXPECT_TRUE(said().empty());
}

TEST_F(NodeExecsTest, OutputIsSaidUntilItIsTaken) {
  begin();
  prints("hello");
  auto const first = said().back();
  EXPECT_EQ(first.output_offset, 0);
  ASSERT_EQ(first.output.size(), 1u);
  EXPECT_EQ(first.output[0].data.data, "hello");
  while (!said().empty()) tell(Error{Code::unavailable, "away"});
  pass(400);
  ASSERT_FALSE(said().empty());
  EXPECT_EQ(said().back().output.at(0).data.data, "hello") << "again";
  ExecInput some;
  some.output_taken = 2;
  tell(some);
  prints("!");
  EXPECT_EQ(said().back().output_offset, 2);
  EXPECT_EQ(said().back().output.at(0).data.data, "llo");
  EXPECT_EQ(said().back().output.at(1).data.data, "!");
}

TEST_F(NodeExecsTest, TheEndIsSaidAfterAllOutputAndThenItIsForgotten) {
  begin();
  run().next.end = {true, 3, ""};
  prints("bye");
  auto const last = said().back();
  EXPECT_EQ(last.end, (ExecEnd{true, 3, ""}));
  EXPECT_FALSE(run().forgotten);
  ExecInput all;
  all.output_taken = 3;
  while (!said().empty()) tell(all);
  EXPECT_TRUE(run().forgotten);
  pass(5'000);
  EXPECT_TRUE(said().empty());
}

TEST_F(NodeExecsTest, InputIsGivenOnceAndOnlyWhatFits) {
  begin();
  executor->room_bytes = 4;
  ExecInput input;
  input.input.data = "abcdef";
  input.input_ended = true;
  tell(input);
  EXPECT_EQ(run().input, "abcd");
  EXPECT_FALSE(run().input_ended);
  pass(50);
  EXPECT_EQ(said().back().input_taken, 4);
  tell(input);
  EXPECT_EQ(run().input, "abcdef") << "what was given is left out";
  EXPECT_TRUE(run().input_ended);
  pass(50);
  tell(input);
  EXPECT_EQ(run().input, "abcdef");
}

TEST_F(NodeExecsTest, ItEndsWhenTheDeployerSaysSo) {
  begin();
  ExecInput stop;
  stop.stop = true;
  stop.why = "the person ended it";
  tell(stop);
  EXPECT_EQ(run().stopped, "the person ended it");
  pass(50);
  EXPECT_EQ(said().back().end.why, "the person ended it");
}

TEST_F(NodeExecsTest, AfterAStopItDoesNotAskAgainAtOnce) {
  begin();
  while (!said().empty()) tell(ExecInput{.stop = true, .why = "enough"});
  run().next = {};  // it takes its time
  EXPECT_TRUE(said().empty());
  pass(200);
  EXPECT_TRUE(said().empty());
  pass(200);
  EXPECT_EQ(said().size(), 1u);
}

TEST_F(NodeExecsTest, ItEndsWhenNobodyKnowsIt) {
  begin();
  tell(Error{Code::not_found, "nobody waits for it"});
  EXPECT_TRUE(run().forgotten);
}

TEST_F(NodeExecsTest, ItEndsWhenTheDeployerIsSilentForLong) {
  begin();
  for (int i = 0; i < 40 && !run().forgotten; ++i) {
    if (!said().empty()) tell(Error{Code::unavailable, "away"});
    pass(500);
  }
  EXPECT_TRUE(run().forgotten);
}

TEST_F(NodeExecsTest, ItEndsAtItsLimit) {
  begin();
  for (int i = 0; i < 58; ++i) {
    while (!said().empty() && said()[0].wait_ms == 0) tell(ExecInput{});
    if (!said().empty()) tell(ExecInput{});
    pass(1'000);
  }
  EXPECT_EQ(run().stopped, "");
  pass(2'500);
  EXPECT_NE(run().stopped.find("limit"), std::string::npos);
}

TEST_F(NodeExecsTest, WhatCannotBeginIsSaid) {
  executor->refuse = Error{Code::exhausted, "16 commands run on this node"};
  order();
  tell(ExecInput{});
  pass(50);
  EXPECT_EQ(said().back().end, (ExecEnd{true, -1, "16 commands run on this node"}));
}

class NoExecutorTest : public NodeTest {};

TEST_F(NoExecutorTest, WithoutAnExecutorItSaysSo) {
  NodeOrders orders;
  orders.execs.push_back({"exec-1", AttemptId{"job-1-0-1"}, {"ps"}, 60'000});
  answer(orders);
  auto const claim = open_requests<ExecReport>();
  ASSERT_EQ(claim.size(), 1u);
  reply_to<ExecReport>(claim[0], ExecInput{});
  rest();
  auto const open = open_requests<ExecReport>();
  ASSERT_EQ(open.size(), 1u);
  auto const end = codec::decode<ExecReport>(open[0].body)->end;
  EXPECT_TRUE(end.ended);
  EXPECT_NE(end.why.find("runs no commands"), std::string::npos);
}

}  // namespace
}  // namespace lepton::node::testing
