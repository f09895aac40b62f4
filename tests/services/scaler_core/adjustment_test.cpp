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
  EXPECT_NEAR(*sum_of_shares(shares), 1, 1e-12);
  expect_near(adjust(replicas, shares, 1, 6), {13, 5.8, 3.2});
  expect_near(adjust(replicas, shares, 0.9, -5), {6.5, 2.1, 0.8});
  expect_near(adjust(replicas, shares, 1, 0), replicas);
  expect_near(adjust(replicas, shares, 0, 10), {5, 3, 2});
  expect_near(adjust(replicas, shares, 1, -15), {2.5, 0, 0});  // none below zero
}

TEST(Adjust, SharesSumToOneAtMost) {
  EXPECT_EQ(*sum_of_shares({1}), 1);
  EXPECT_NEAR(*sum_of_shares({0.1, 0.2, 0.3, 0.4}), 1, 1e-12);
  EXPECT_EQ(*sum_of_shares({0.5, 0.25}), 0.75);
  EXPECT_FALSE(sum_of_shares({0.5, 0.6}));
  EXPECT_FALSE(sum_of_shares({std::nan("")}));
}

TEST(Adjust, AGroupChangesByTheTotalChange) {
  ASSERT_TRUE(rc::check([] {
    auto const weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
        rc::gen::map(rc::gen::inRange(1, 100), [](int x) { return static_cast<double>(x); })));
    std::vector<double> shares, replicas;
    for (auto w : weights) shares.push_back(w / sum(weights));
    for (auto w : weights) replicas.push_back(w);
    RC_ASSERT(std::abs(*sum_of_shares(shares) - 1) < 1e-9);
    auto const keep = *rc::gen::inRange(50, 151) / 100.0;
    auto const change = *rc::gen::inRange(0, 1000) / 10.0;
    auto const next = adjust(replicas, shares, keep, change);
    RC_ASSERT(std::abs(sum(next) - (keep * sum(replicas) + change)) < 1e-6);
  }));
}

TEST(Adjustment, TakesItsShareOfTheChangeOncePerPeriod) {
  Adjustment const half({{Signal::requests_per_s, 5}, {.share = 0.5, .period_ms = 10'000}});
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
  Adjustment const all({{Signal::requests_per_s, 10}, {.period_ms = 10'000}});
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
  Adjustment const all({{Signal::requests_per_s, 10}, {.period_ms = 10'000}});
  Service s;
  s.run(Signal::requests_per_s, 10, 10);
  s.run(Signal::requests_per_s, 24, 10);
  EXPECT_EQ(s.ask(all).replicas, 3u);  // 2.4
  s.replicas = 7;
  s.run(Signal::requests_per_s, 34, 10);
  EXPECT_EQ(s.ask(all).replicas, 8u);
}

TEST(Adjustment, SettingsOutOfRangeAreRefused) {
  Target const target{Signal::cpu, 1};
  EXPECT_TRUE(check(AdjustmentSettings{target, {}}));
  EXPECT_FALSE(check(AdjustmentSettings{target, {.keep = -1}}));
  EXPECT_FALSE(check(AdjustmentSettings{target, {.share = 1.1}}));
  EXPECT_FALSE(check(AdjustmentSettings{target, {.period_ms = 0}}));
}

}  // namespace
}  // namespace lepton::scaler
