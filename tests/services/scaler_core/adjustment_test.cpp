// R'(t+T) = k R(t) + share x total change: known answers, and that a group follows its load.

#include "services/scaler/core/adjustment.hpp"

#include <rapidcheck.h>

#include <cmath>
#include <numeric>

#include "tests/services/scaler_core/support.hpp"

namespace lepton::scaler {
namespace {

double sum(std::vector<double> const& v) {
  return std::accumulate(v.begin(), v.end(), 0.0);
}

void expect_near(std::vector<double> const& a, std::vector<double> const& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12) << i;
}

TEST(Adjust, KnownAnswers) {
  std::vector<double> const replicas{10, 4, 2}, shares{0.5, 0.3, 0.2};
  ASSERT_TRUE(check_shares(shares));
  expect_near(adjust(replicas, shares, 1, 6), {13, 5.8, 3.2});
  expect_near(adjust(replicas, shares, 0.9, -5), {6.5, 2.1, 0.8});
  expect_near(adjust(replicas, shares, 1, 0), replicas);
  expect_near(adjust(replicas, shares, 0, 10), {5, 3, 2});
  expect_near(adjust(replicas, shares, 1, -15), {2.5, 0, 0});  // none below zero
}

TEST(Adjust, SharesMustSumToOne) {
  EXPECT_TRUE(check_shares({1}));
  EXPECT_TRUE(check_shares({0.1, 0.2, 0.3, 0.4}));
  EXPECT_FALSE(check_shares({}));
  EXPECT_FALSE(check_shares({0.5, 0.4}));
  EXPECT_FALSE(check_shares({1.5, -0.5}));
  EXPECT_FALSE(check_shares({std::nan("")}));
}

TEST(Adjust, AGroupChangesByTheTotalChange) {
  ASSERT_TRUE(rc::check([] {
    auto const weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
        rc::gen::map(rc::gen::inRange(1, 100), [](int x) { return static_cast<double>(x); })));
    std::vector<double> shares, replicas;
    for (auto w : weights) shares.push_back(w / sum(weights));
    for (auto w : weights) replicas.push_back(w);
    RC_ASSERT(check_shares(shares).has_value());
    auto const keep = *rc::gen::inRange(50, 151) / 100.0;
    auto const change = *rc::gen::inRange(0, 1000) / 10.0;
    auto const next = adjust(replicas, shares, keep, change);
    RC_ASSERT(std::abs(sum(next) - (keep * sum(replicas) + change)) < 1e-6);
    auto const whole = round_together(next);
    auto const total = std::accumulate(whole.begin(), whole.end(), std::int64_t{0});
    RC_ASSERT(total == std::llround(sum(next)));
    for (std::size_t i = 0; i < whole.size(); ++i) RC_ASSERT(std::abs(whole[i] - next[i]) <= 1);
  }));
}

TEST(RoundTogether, TheRestGoesToTheLargestRemainders) {
  EXPECT_EQ(round_together({13, 5.8, 3.2}), (std::vector<std::uint32_t>{13, 6, 3}));
  EXPECT_EQ(round_together({1.5, 1.5, 1.0}), (std::vector<std::uint32_t>{2, 1, 1}));
  EXPECT_EQ(round_together({0.4, 0.4, 0.4}), (std::vector<std::uint32_t>{1, 0, 0}));
  EXPECT_EQ(round_together({}), (std::vector<std::uint32_t>{}));
}

TEST(Adjustment, TakesItsShareOfTheChangeOncePerPeriod) {
  Adjustment const half({.target = {Signal::requests_per_s, 5}, .share = 0.5, .period_ms = 10'000});
  Service s;
  s.replicas = 3;
  s.run(Signal::requests_per_s, 10, 10);
  s.run(Signal::requests_per_s, 30, 10);
  auto const d = s.ask(half);
  EXPECT_EQ(d.replicas, 5u);  // 3 + 0.5 x (30 - 10) / 5
  EXPECT_EQ(d.reason, "1 x 3 + 0.5 x 4 (the change of requests_per_s by 20 at 5 each) = 5");
  s.replicas = 5;
  s.run(Signal::requests_per_s, 30, 5);
  EXPECT_EQ(s.ask(half).replicas, 5u);  // half of the old change is still to be seen
  s.run(Signal::requests_per_s, 30, 5);
  EXPECT_EQ(s.ask(half).replicas, 5u);
}

TEST(Adjustment, RoundingDoesNotAddUp) {
  Adjustment const all({.target = {Signal::requests_per_s, 10}, .period_ms = 10'000});
  Service s;
  s.replicas = 1;
  double load = 10;
  s.run(Signal::requests_per_s, load, 10);
  for (int i = 0; i < 10; ++i) {
    s.run(Signal::requests_per_s, load += 1, 10);  // a tenth of a replica each time
    s.replicas = s.ask(all).replicas;
    ASSERT_EQ(s.replicas, 2u) << i;
  }
  s.run(Signal::requests_per_s, load += 1, 10);
  EXPECT_EQ(s.ask(all).replicas, 3u);
}

TEST(Adjustment, ANumberSetBySomebodyElseIsTheNewBeginning) {
  Adjustment const all({.target = {Signal::requests_per_s, 10}, .period_ms = 10'000});
  Service s;
  s.run(Signal::requests_per_s, 10, 10);
  s.run(Signal::requests_per_s, 24, 10);
  EXPECT_EQ(s.ask(all).replicas, 3u);  // 2.4
  s.replicas = 7;
  s.run(Signal::requests_per_s, 34, 10);
  EXPECT_EQ(s.ask(all).replicas, 8u);
}

TEST(Adjustment, SettingsOutOfRangeAreRefused) {
  EXPECT_TRUE(check(AdjustmentSettings{.target = {Signal::cpu, 1}}));
  EXPECT_FALSE(check(AdjustmentSettings{.target = {Signal::cpu, 1}, .keep = -1}));
  EXPECT_FALSE(check(AdjustmentSettings{.target = {Signal::cpu, 1}, .share = 1.1}));
  EXPECT_FALSE(check(AdjustmentSettings{.target = {Signal::cpu, 1}, .period_ms = 0}));
}

}  // namespace
}  // namespace lepton::scaler
