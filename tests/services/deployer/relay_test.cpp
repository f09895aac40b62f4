// What people ask of a task on its node: outputs.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class RelayTest : public DeployerTest {
 protected:
  // Of ann's job on n1, which has ended.
  AttemptId ended() {
    orders(n1);
    EXPECT_TRUE(submit("job-1"));
    auto const attempt = run_on(n1);
    end_on(n1, attempt);
    return attempt;
  }
  Result<NodeOrders> sync_with(FakeNode& node, OutputPart part) {
    auto m = node.next(0);
    m.outputs.push_back(std::move(part));
    return ask(m, {.name = node.name});
  }
};

TEST_F(RelayTest, AListComesFromTheNodeThatRanTheTask) {
  auto const attempt = ended();
  auto const waiting = park(n1);
  auto const id = post_as(JobOutputs{JobId{"job-1"}, 0, "after"}, ann);
  auto const heard = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(heard && *heard) << "a wish is news";
  ASSERT_EQ((*heard)->outputs.size(), 1u);
  auto const order = (*heard)->outputs[0];
  EXPECT_EQ(order.attempt, attempt);
  EXPECT_EQ(order.path, "");
  EXPECT_EQ(order.after, "after");
  EXPECT_TRUE(orders(n1).outputs.empty()) << "said once";
  OutputPart part;
  part.ticket = order.ticket;
  part.page.attempt = attempt;
  part.page.files = {{"model", 3, 5, false}};
  ASSERT_TRUE(sync_with(n1, part));
  auto const page = answer_to<JobOutputs>(id);
  ASSERT_TRUE(page && *page);
  EXPECT_EQ((*page)->files, part.page.files);
}

TEST_F(RelayTest, ARefusalOfTheNodeReachesThePerson) {
  auto const attempt = ended();
  auto const id = post_as(JobOutputRead{JobId{"job-1"}, 0, attempt, "model", 7, 9}, ann);
  auto const order = orders(n1).outputs.at(0);
  EXPECT_EQ(order.path, "model");
  EXPECT_EQ(order.offset, 7);
  EXPECT_EQ(order.limit, 9u);
  OutputPart part;
  part.ticket = order.ticket;
  part.refused = Code::denied;
  part.why = "is no plain file";
  ASSERT_TRUE(sync_with(n1, part));
  auto const got = answer_to<JobOutputRead>(id);
  ASSERT_TRUE(got && !*got);
  EXPECT_EQ(got->error(), (Error{Code::denied, "is no plain file"}));
}

TEST_F(RelayTest, AnotherNodeCannotAnswer) {
  ended();
  orders(n2);
  auto const id = post_as(JobOutputs{JobId{"job-1"}, 0, ""}, ann);
  OutputPart part;
  part.ticket = orders(n1).outputs.at(0).ticket;
  ASSERT_TRUE(sync_with(n2, part));
  EXPECT_FALSE(answer_to<JobOutputs>(id));
  ASSERT_TRUE(sync_with(n1, part));
  EXPECT_TRUE(answer_to<JobOutputs>(id));
}

// Seeds 306 and 777 of the simulation: the bytes of another file.
TEST_F(RelayTest, AnAnswerToAnEarlierLifeReachesNobody) {
  auto const attempt = ended();
  post_as(JobOutputRead{JobId{"job-1"}, 0, attempt, "model"}, ann);
  OutputPart part;
  part.ticket = orders(n1).outputs.at(0).ticket;
  boot();
  orders(n1);
  auto const id = post_as(JobOutputRead{JobId{"job-1"}, 0, attempt, "result"}, ann);
  orders(n1);
  ASSERT_TRUE(sync_with(n1, part));
  EXPECT_FALSE(answer_to<JobOutputRead>(id));
}

TEST_F(RelayTest, OnlyWhoMayReadTheJobAsks) {
  auto const attempt = ended();
  EXPECT_EQ(outcome(ask(JobOutputs{JobId{"job-1"}, 0, ""}, bob)), "denied");
  EXPECT_EQ(outcome(ask(JobOutputRead{JobId{"job-1"}, 0, attempt, "model"}, bob)), "denied");
  EXPECT_TRUE(orders(n1).outputs.empty());
}

TEST_F(RelayTest, WhatCannotBeAnsweredIsSaidAtOnce) {
  orders(n1);
  ASSERT_TRUE(submit("job-2"));
  auto const attempt = run_on(n1);
  EXPECT_EQ(outcome(ask(JobOutputs{JobId{"job-2"}, 1, ""}, ann)), "invalid");
  EXPECT_EQ(outcome(ask(JobOutputRead{JobId{"job-2"}, 0, AttemptId{"job-2-0-9"}, "a"}, ann)),
            "conflict");
  EXPECT_EQ(outcome(ask(JobOutputRead{JobId{"job-2"}, 0, attempt, ""}, ann)), "invalid");
  advance(16'000);
  EXPECT_EQ(outcome(ask(JobOutputs{JobId{"job-2"}, 0, ""}, ann)), "unavailable") << "silent";
}

}  // namespace
}  // namespace lepton::deployer::testing
