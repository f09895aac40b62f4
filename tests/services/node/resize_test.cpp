// Orders for another size: obeyed once, reported until the deployer has heard.

#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {
namespace {

class ResizeTest : public NodeTest {
 protected:
  void SetUp() override {
    boot();
    script("job-1-0", {.duration_ms = std::nullopt, .memory_used_mib = 300});
    answer(start(start_order()));
  }
  static NodeOrders size(TaskSize size, std::uint64_t ticket = 7) {
    NodeOrders orders;
    orders.leases.push_back({AttemptId{"job-1-0-1"}, 10'000});
    orders.sizes.push_back({AttemptId{"job-1-0-1"}, size, ticket});
    return orders;
  }
};

TEST_F(ResizeTest, AnOrderIsObeyedOnceAndReported) {
  EXPECT_EQ(reported("job-1-0-1")->size, SizeReport{}) << "nobody has asked yet";
  TaskSize const larger{3'000, 2'048};
  answer(size(larger));
  EXPECT_EQ(reported("job-1-0-1")->size, (SizeReport{larger, {}, "", 7}));
  EXPECT_EQ(*runner->limits("job-1-0-1"), (RunLimits{3'000, 2'048}));
  EXPECT_EQ(newest().wait_ms, 0) << "news do not wait";
  auto const before = runner->resizes;
  for (int i = 0; i < 3; ++i) answer(size(larger));
  EXPECT_EQ(runner->resizes, before);
  EXPECT_EQ(out().size(), 1u) << "an order that is repeated makes no haste";
}

TEST_F(ResizeTest, ARefusalIsReportedWithItsReason) {
  TaskSize const tight{2'000, 128};
  answer(size(tight));
  auto const report = reported("job-1-0-1")->size;
  EXPECT_EQ(report.refused, tight);
  EXPECT_NE(report.why.find("300 MiB"), std::string::npos);
  EXPECT_EQ(report.size, TaskSize{}) << "nobody knows what holds";
  auto const before = runner->resizes;
  for (int i = 0; i < 3; ++i) answer(size(tight));
  EXPECT_EQ(runner->resizes, before + 3) << "less may be in use by now";
  EXPECT_EQ(out().size(), 1u) << "a refusal that is repeated makes no haste";
  TaskSize const back{2'000, 1'024};
  answer(size(back, 8));
  EXPECT_EQ(reported("job-1-0-1")->size, (SizeReport{back, {}, "", 8}));
}

// As of a container that is not there yet.
TEST_F(ResizeTest, TroubleThatPassesIsNoRefusalAndIsTriedAgain) {
  TaskSize const larger{3'000, 2'048};
  runner->resize_trouble = Error{Code::unavailable, "Docker does not answer"};
  answer(size(larger));
  EXPECT_EQ(reported("job-1-0-1")->size.refused, TaskSize{});
  auto const tries = runner->resizes;
  EXPECT_EQ(out().size(), 1u) << "without haste";
  runner->resize_trouble.reset();
  answer(size(larger));
  EXPECT_EQ(runner->resizes, tries + 1);
  EXPECT_EQ(reported("job-1-0-1")->size, (SizeReport{larger, {}, "", 7}));
}

TEST_F(ResizeTest, ANewOrderForTheSameSizeIsObeyedAnew) {
  TaskSize const larger{3'000, 2'048};
  answer(size(larger));
  auto const before = runner->resizes;
  answer(size(larger, 8));
  EXPECT_EQ(reported("job-1-0-1")->size, (SizeReport{larger, {}, "", 8}));
  EXPECT_EQ(runner->resizes, before + 1);
}

TEST_F(ResizeTest, WhereNobodyKnowsWhatHoldsNothingIsSaidToHold) {
  TaskSize const former{2'000, 1'024}, larger{3'000, 2'048};
  answer(size(former, 1));
  runner->fake.hide_next_resize();
  answer(size(larger, 2));
  answer_all_news();
  EXPECT_EQ(reported("job-1-0-1")->size.size, TaskSize{});
  EXPECT_EQ(reported("job-1-0-1")->size.ticket, 1u) << "it has answered nothing since";
  answer(size(former, 3));
  EXPECT_EQ(*runner->limits("job-1-0-1"), (RunLimits{2'000, 1'024}));
}

// The runner has not come to the first one yet; what is reported till then was before both.
TEST_F(ResizeTest, AnOrderThatIsTakenBackBeforeItIsObeyedLeavesTheFormerSize) {
  TaskSize const former{2'000, 1'024}, larger{3'000, 2'048};
  answer(size(former, 1));
  auto both = size(larger, 2);
  both.sizes.push_back({AttemptId{"job-1-0-1"}, former, 3});
  answer(both);
  EXPECT_EQ(*runner->limits("job-1-0-1"), (RunLimits{2'000, 1'024}));
  answer_all_news();
  EXPECT_EQ(reported("job-1-0-1")->size, (SizeReport{former, {}, "", 3}));
}

TEST_F(ResizeTest, ANewDaemonIsToldAgainAndAgrees) {
  TaskSize const larger{3'000, 2'048};
  answer(size(larger));
  boot();
  EXPECT_EQ(reported("job-1-0-1")->size, SizeReport{});
  answer(size(larger));
  EXPECT_EQ(reported("job-1-0-1")->size.size, larger);
}

}  // namespace
}  // namespace lepton::node::testing
