// Alerts on their way out: order, retries that are bounded, and what is told again.

#include "services/monitor/core/alert_post.hpp"

#include <gtest/gtest.h>

namespace lepton::monitor {
namespace {

AlertChange alert(std::string const& node, AlertState state = AlertState::firing) {
  AlertChange a;
  a.rule = "hot";
  a.node = node;
  a.state = state;
  return a;
}

TEST(AlertPost, GoesOutOnceInOrder) {
  AlertPost post;
  EXPECT_TRUE(post.take(0).empty());
  post.add(alert("a"));
  post.add(alert("b"));
  EXPECT_EQ(post.take(0), (std::vector{alert("a"), alert("b")}));
  EXPECT_TRUE(post.take(0).empty());  // one batch is out at a time
  post.delivered();
  EXPECT_TRUE(post.take(0).empty());
  EXPECT_EQ(post.sent(), 2u);
}

TEST(AlertPost, TheNewestOfAnAlertCounts) {
  AlertPost post;
  post.add(alert("a"));
  post.add(alert("a", AlertState::resolved));
  EXPECT_EQ(post.take(0), std::vector{alert("a", AlertState::resolved)});
}

TEST(AlertPost, TriesAgainWithLongerPausesAndNotForEver) {
  AlertPost post;
  post.add(alert("a"));
  TimeMs now = 0;
  std::vector<TimeMs> tried;
  for (; now < 1'000'000; now += 500) {
    if (post.take(now).empty()) continue;
    tried.push_back(now);
    post.failed(now);
  }
  EXPECT_EQ(tried, (std::vector<TimeMs>{0, 1'000, 3'000, 7'000, 15'000, 31'000, 63'000, 123'000}));
  EXPECT_EQ(post.dropped(), 1u);
  EXPECT_EQ(post.waiting(), 0u);
}

TEST(AlertPost, WhatComesMeanwhileWaitsForTheBatchAtHand) {
  AlertPost post;
  post.add(alert("a"));
  ASSERT_EQ(post.take(0).size(), 1u);
  post.failed(0);
  post.add(alert("b"));
  EXPECT_TRUE(post.take(999).empty());
  EXPECT_EQ(post.take(1'000), std::vector{alert("a")});
  post.delivered();
  EXPECT_EQ(post.take(1'000), std::vector{alert("b")});
}

TEST(AlertPost, HasLimitsAndCountsWhatItDrops) {
  AlertPost post({.waiting_max = 5, .batch_max = 2});
  for (int i = 0; i < 8; ++i) post.add(alert(std::to_string(i)));
  EXPECT_EQ(post.dropped(), 3u);
  EXPECT_EQ(post.take(0), (std::vector{alert("3"), alert("4")}));
}

TEST(AlertPost, FiringAlertsAreToldAgain) {
  AlertPost post;
  EXPECT_TRUE(post.is_repeat_due(0));  // at the start, for a receiver may have missed them
  post.repeat({alert("a")}, 0);
  EXPECT_EQ(post.take(0).size(), 1u);
  post.delivered();
  EXPECT_FALSE(post.is_repeat_due(59'999));
  EXPECT_TRUE(post.is_repeat_due(60'000));
}

}  // namespace
}  // namespace lepton::monitor
