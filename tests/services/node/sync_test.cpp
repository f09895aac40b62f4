// The conversation with the deployer: which answers count, silence, logs.

#include <algorithm>

#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {
namespace {

class SyncTest : public NodeTest {};

TEST_F(SyncTest, NumbersRiseAndOneSyncIsOutInPeace) {
  auto last = newest().number;
  for (int i = 0; i < 5; ++i) {
    answer(NodeOrders{});
    ASSERT_EQ(out().size(), 1u);
    EXPECT_GT(newest().number, last);
    last = newest().number;
  }
}

TEST_F(SyncTest, OnlyTheNewestAnsweredSyncIsObeyed) {
  script("job-2-0", {.duration_ms = std::nullopt});
  script("job-1-0", {.duration_ms = 500});
  answer(start(start_order()));
  answer(NodeOrders{});
  ASSERT_EQ(out().size(), 1u);
  pass(1'000);  // its end is news: a second sync goes out beside the one that waits
  auto const open = open_requests<NodeSync>();
  ASSERT_EQ(open.size(), 2u);
  answer(open[1], NodeOrders{});
  answer(open[0], start(start_order("job-2")));
  EXPECT_EQ(runner->starts.size(), 1u) << "what the older answer orders may be stopped since";
  answer(start(start_order("job-2")));
  EXPECT_EQ(runner->starts.size(), 2u);
}

// Its question may be of a sync that came late; the task would be ended for nothing.
TEST_F(SyncTest, WhatTheDeployerMissesIsToldAgainAndNotEnded) {
  script("job-1-0", {.duration_ms = std::nullopt});
  answer(start(start_order()));
  ASSERT_EQ(reported_state("job-1-0-1"), "running");
  auto missed = stop("job-1-0-1");
  missed.stops.front().unless_known = true;
  answer(missed);
  pass(500);
  EXPECT_EQ(reported_state("job-1-0-1"), "running");
  EXPECT_EQ(runner->fake.running().size(), 1u);
}

TEST_F(SyncTest, WhatANodeDoesNotKnowNeverStarts) {
  auto missed = stop("job-1-0-1");
  missed.stops.front().unless_known = true;
  answer(missed);
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
  answer(start(start_order()));
  EXPECT_TRUE(runner->starts.empty());
}

TEST_F(SyncTest, WhatItEndedForItsLimitIsReportedAsThat) {
  script("job-1-0", {.duration_ms = std::nullopt});
  auto limited = start_order();
  limited.spec.max_duration_ms = 1'000;
  answer(start(limited));
  EXPECT_FALSE(reported("job-1-0-1")->over_limit);
  pass(6'500);  // five seconds are the deployer's
  EXPECT_EQ(reported_state("job-1-0-1"), "exited final");
  EXPECT_TRUE(reported("job-1-0-1")->over_limit);
}

TEST_F(SyncTest, AtMostTwoSyncsAreOut) {
  for (int i = 0; i < 6; ++i) {
    auto const job = "job-" + std::to_string(10 + i);
    script(job + "-0", {.duration_ms = 300 * (i + 1)});
  }
  NodeOrders many;
  for (int i = 0; i < 6; ++i) many.starts.push_back(start_order("job-" + std::to_string(10 + i)));
  answer(many);
  for (int i = 0; i < 10; ++i) {
    pass(250);
    EXPECT_LE(out().size(), 2u);
  }
}

TEST_F(SyncTest, ADeployerThatIsAwayIsAskedAgainAndToldEverything) {
  answer(start(start_order()));
  pass(20'000);
  auto const late = newest();
  ASSERT_EQ(late.reports.size(), 1u) << "what was not acknowledged is told again";
  auto const open = open_requests<NodeSync>().size();
  EXPECT_LT(open, 15u) << "not in a hurry";
  // The lease of 10 s has ended it meanwhile.
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
}

TEST_F(SyncTest, ARefusalIsLoggedOnceAndSomethingOverTakenNever) {
  auto const said = [this] {
    return std::count_if(logs.begin(), logs.end(), [](std::string const& line) {
      return line.find("did not take the sync") != std::string::npos;
    });
  };
  for (int i = 0; i < 4; ++i) {
    answer(Error{Code::denied, "the token has expired"});
    pass(600);
  }
  EXPECT_EQ(said(), 1);
  answer(NodeOrders{});
  for (int i = 0; i < 3; ++i) {
    answer(Error{Code::conflict, "an older sync; ignored"});
    pass(600);
  }
  EXPECT_EQ(said(), 1);
}

TEST_F(SyncTest, ANewInstanceInTheSameProcessIsTakenForNew) {
  for (int i = 0; i < 5; ++i) answer(NodeOrders{});
  auto const before = newest();
  system->host("node").crash("a test");
  rest();
  pass(2'000);
  auto const after = newest();
  EXPECT_NE(after.incarnation, before.incarnation)
      << "else its low numbers would pass for old ones for ever";
  EXPECT_EQ(after.boot_id, before.boot_id);
}

TEST_F(SyncTest, ALivingNodeThatIsTakenForAnOldOneMakesItselfKnownAgain) {
  auto const before = newest();
  answer(Error{Code::conflict, "an older sync; ignored"});
  pass(600);
  auto const after = newest();
  EXPECT_NE(after.incarnation, before.incarnation);
  answer(NodeOrders{});
  EXPECT_EQ(newest().incarnation, after.incarnation) << "once is enough";
}

// Logs

TEST_F(SyncTest, ALogIsReadAndSentAtOnce) {
  script("job-1-0", {.duration_ms = 5'000, .log = "epoch 1\n"});
  answer(start(start_order()));
  answer(log("job-1-0-1", 7));
  auto sync = newest();
  ASSERT_EQ(sync.logs.size(), 1u);
  EXPECT_EQ(sync.logs[0].ticket, 7u);
  EXPECT_EQ(sync.logs[0].chunk.text.data, "epoch 1\n");
  EXPECT_EQ(sync.logs[0].chunk.next, 8);
  EXPECT_FALSE(sync.logs[0].chunk.ended);
  EXPECT_EQ(sync.wait_ms, 0);
  answer(NodeOrders{});
  EXPECT_TRUE(newest().logs.empty()) << "sent once";
  pass(6'000);
  answer(acknowledge("job-1-0-1"));
  answer(log("job-1-0-1", 8));
  sync = newest();
  ASSERT_EQ(sync.logs.size(), 1u) << "also after its end";
  EXPECT_TRUE(sync.logs[0].chunk.ended);
}

TEST_F(SyncTest, ALogThatIsNotThereIsSaid) {
  answer(log("nobody-0-1"));
  auto const sync = newest();
  ASSERT_EQ(sync.logs.size(), 1u);
  EXPECT_TRUE(sync.logs[0].chunk.ended);
  EXPECT_NE(sync.logs[0].chunk.note.find("nobody-0-1"), std::string::npos);
}

TEST_F(SyncTest, APartThatDidNotArriveIsSentAgain) {
  script("job-1-0", {.duration_ms = std::nullopt, .log = "epoch 1\n"});
  answer(start(start_order()));
  answer(log("job-1-0-1", 7));
  ASSERT_EQ(newest().logs.size(), 1u);
  for (auto const& sync : open_requests<NodeSync>())
    reply_to<NodeSync>(sync, Error{Code::unavailable, "the store is away"});
  rest();
  pass(600);
  ASSERT_EQ(newest().logs.size(), 1u);
  EXPECT_EQ(newest().logs[0].ticket, 7u);
}

}  // namespace
}  // namespace lepton::node::testing
