// Kubernetes' rule: its two formulas, windows and scaling rules, each by hand.

#include "services/scaler/core/hpa.hpp"

#include <rapidcheck.h>

#include "tests/services/scaler_core/support.hpp"

namespace lepton::scaler {
namespace {

constexpr double tolerance = 0.1;
Limits const wide{.min = 0, .max = 1000};

std::uint32_t by_usage(double total, double target, std::uint32_t ready, std::uint32_t starting = 0,
                       std::uint32_t silent = 0) {
  Signals none;
  return hpa_by_usage(total, target, tolerance, {ready + starting, ready, starting, silent, none});
}

TEST(HpaByAverage, IsTheTotalOverTheTargetOutsideTheTolerance) {
  EXPECT_EQ(hpa_by_average(100, 10, tolerance, 5), 10u);
  EXPECT_EQ(hpa_by_average(101, 10, tolerance, 5), 11u);
  EXPECT_EQ(hpa_by_average(109, 10, tolerance, 10), 10u);  // 1.09
  EXPECT_EQ(hpa_by_average(112, 10, tolerance, 10), 12u);
  EXPECT_EQ(hpa_by_average(91, 10, tolerance, 10), 10u);
  EXPECT_EQ(hpa_by_average(88, 10, tolerance, 10), 9u);
  EXPECT_EQ(hpa_by_average(0, 10, tolerance, 0), 0u);
  EXPECT_EQ(hpa_by_average(1, 10, tolerance, 0), 1u);
}

TEST(HpaByUsage, ThreeFullReplicasAtATargetOf70PercentBecomeFive) {
  EXPECT_EQ(by_usage(3, 0.7, 3), 5u);  // 1.43 x 3 = 4.3
  EXPECT_EQ(by_usage(2.2, 0.7, 3), 3u);
  EXPECT_EQ(by_usage(1.0, 0.7, 3), 2u);  // 0.48 x 3 = 1.4
  EXPECT_EQ(by_usage(0, 0.7, 3), 0u);
}

TEST(HpaByUsage, StartingReplicasCountAsIdleOnTheWayUp) {
  EXPECT_EQ(by_usage(2, 0.5, 2, 2), 4u);    // 2.0 becomes 1.0
  EXPECT_EQ(by_usage(2, 0.5, 2, 1), 4u);    // 1.33 x 3
  EXPECT_EQ(by_usage(2, 0.5, 2, 6), 8u);    // would turn the direction
  EXPECT_EQ(by_usage(0.5, 0.5, 2, 2), 1u);  // down: only the ready ones speak
}

TEST(HpaByUsage, SilentReplicasCountAsFullOnTheWayDownAndIdleOnTheWayUp) {
  EXPECT_EQ(by_usage(0.6, 0.5, 4, 0, 1), 4u);  // 0.4 becomes 1.6 / 4 / 0.5 = 0.8: ceil(3.2)
  EXPECT_EQ(by_usage(0.2, 0.5, 8, 0, 1), 3u);  // 1.2 / 8 / 0.5 = 0.3: ceil(2.4)
  EXPECT_EQ(by_usage(0.3, 0.5, 4, 0, 3), 4u);  // 0.6 would become 1.65
  EXPECT_EQ(by_usage(2, 0.5, 4, 0, 2), 4u);    // 2.0 becomes 1.0
  EXPECT_EQ(by_usage(3, 0.5, 4, 0, 1), 6u);    // 2.0 becomes 1.5
  EXPECT_EQ(by_usage(2, 2.0, 2, 0, 1), 2u);    // a target above 100 % fills with itself: 1.0
}

TEST(HpaByUsage, WithoutOneThatSpeaksNothingChanges) {
  EXPECT_EQ(by_usage(0, 0.5, 0, 3), 3u);
  EXPECT_EQ(by_usage(0, 0.5, 3, 0, 3), 3u);
}

TEST(Hpa, GoesUpByTheLargerOfDoubleAndFourMore) {
  Hpa const hpa({.target = {Signal::concurrency, 1}});
  Service s;
  s.replicas = 3;
  std::vector<std::uint32_t> steps;
  for (int i = 0; i < 5; ++i) {
    s.run(Signal::concurrency, 100, 15);
    steps.push_back(s.step(hpa, wide).wanted);
  }
  EXPECT_EQ(steps, (std::vector<std::uint32_t>{7, 14, 28, 56, 100}));
}

TEST(Hpa, AskedMoreOftenItStillKeepsTheRatePerPeriod) {
  Hpa const hpa({.target = {Signal::concurrency, 1}});
  Service s;
  std::vector<std::uint32_t> steps;
  for (int i = 0; i < 9; ++i) {
    s.run(Signal::concurrency, 100, 5);
    steps.push_back(s.step(hpa, wide).wanted);
  }
  EXPECT_EQ(steps, (std::vector<std::uint32_t>{5, 5, 5, 10, 10, 10, 20, 20, 20}));
}

TEST(Hpa, GoesDownToTheLargestWishOfFiveMinutes) {
  Hpa const hpa({.target = {Signal::concurrency, 1}});
  Service s;
  s.replicas = 10;
  s.run(Signal::concurrency, 10, 15);
  EXPECT_EQ(s.step(hpa, wide).wanted, 10u);
  for (int i = 1; i < 20; ++i) {
    s.run(Signal::concurrency, 2, 15);
    auto const d = s.step(hpa, wide);
    ASSERT_EQ(d.wanted, 10u) << i;
    EXPECT_TRUE(says(d.reason, "10 by the wishes of the last 300 s")) << d.reason;
  }
  s.run(Signal::concurrency, 2, 15);  // 300 s later the wish for 10 is out
  EXPECT_EQ(s.step(hpa, wide).wanted, 2u);
}

TEST(Hpa, ALostMemoryKeepsWhatIsThereForAWindow) {
  Hpa const hpa({.target = {Signal::concurrency, 1}});
  Service s;
  s.replicas = 10;
  s.memory = Memory::after_loss(10, 0);
  s.run(Signal::concurrency, 2, 299);
  EXPECT_EQ(s.step(hpa, wide).wanted, 10u);
  s.run(Signal::concurrency, 2, 1);
  EXPECT_EQ(s.step(hpa, wide).wanted, 2u);
}

TEST(Hpa, AWindowUpwardsWaitsForTheLeastWish) {
  HpaSettings settings{.target = {Signal::concurrency, 1}};
  settings.up.window_ms = 60'000;
  Hpa const hpa(settings);
  Service s;
  s.replicas = 2;
  s.run(Signal::concurrency, 2, 15);
  s.step(hpa, wide);
  for (int i = 1; i < 4; ++i) {
    s.run(Signal::concurrency, 5, 15);
    ASSERT_EQ(s.step(hpa, wide).wanted, 2u) << i;
  }
  s.run(Signal::concurrency, 5, 15);
  EXPECT_EQ(s.step(hpa, wide).wanted, 5u);
}

TEST(Hpa, RulesDownwards) {
  HpaSettings settings{.target = {Signal::concurrency, 1}};
  settings.down = {
      0,
      {{ScalingRule::Unit::percent, 50, 60'000}, {ScalingRule::Unit::replicas, 1, 60'000}},
      ScalingBehavior::Select::most};
  auto const first = [&](std::uint32_t replicas) {
    Service s;
    s.replicas = replicas;
    s.run(Signal::concurrency, 0.1, 15);
    return s.step(Hpa(settings), wide).wanted;
  };
  EXPECT_EQ(first(10), 5u);
  EXPECT_EQ(first(11), 5u);  // half of 11, cut
  settings.down.select = ScalingBehavior::Select::least;
  EXPECT_EQ(first(10), 9u);
  settings.down.select = ScalingBehavior::Select::none;
  EXPECT_EQ(first(10), 10u);
  settings.down.rules.clear();
  settings.down.select = ScalingBehavior::Select::most;
  EXPECT_EQ(first(10), 1u);
}

TEST(Hpa, WhatWasRemovedInThePeriodCountsAsThereAtItsBegin) {
  HpaSettings settings{.target = {Signal::concurrency, 1}};
  settings.down = {0, {{ScalingRule::Unit::replicas, 3, 60'000}}, ScalingBehavior::Select::most};
  Hpa const hpa(settings);
  Service s;
  s.replicas = 10;
  std::vector<std::uint32_t> steps;
  for (int i = 0; i < 6; ++i) {
    s.run(Signal::concurrency, 1, 15);
    steps.push_back(s.step(hpa, wide).wanted);
  }
  EXPECT_EQ(steps, (std::vector<std::uint32_t>{7, 7, 7, 7, 4, 4}));
}

TEST(Hpa, SilenceChangesNothing) {
  Service s;
  s.replicas = 6;
  s.run(Signal::cpu, 6, 1);
  s.now_ms += 15'000;
  auto const p = s.ask(Hpa({.target = {Signal::cpu, 0.5}}));
  EXPECT_EQ(p.replicas, 6u);
  EXPECT_FALSE(p.value);
}

TEST(Hpa, SettingsOutOfRangeAreRefused) {
  HpaSettings const good{.target = {Signal::cpu, 0.5}};
  EXPECT_TRUE(check(good));
  auto bad = good;
  bad.tolerance = -1;
  EXPECT_FALSE(check(bad));
  bad = good;
  bad.down.window_ms = Memory::period_max_ms + 1;
  EXPECT_FALSE(check(bad));
  bad = good;
  bad.up.rules[0].period_ms = 0;
  EXPECT_FALSE(check(bad));
  bad = good;
  bad.up.rules[1].amount = 0;
  EXPECT_FALSE(check(bad));
  bad = good;
  bad.up.rules.resize(17, bad.up.rules[0]);
  EXPECT_FALSE(check(bad));
}

// More load never wants fewer replicas.
TEST(HpaFormula, RisesWithTheLoad) {
  ASSERT_TRUE(rc::check([] {
    auto const ready = *rc::gen::inRange<std::uint32_t>(0, 30);
    auto const starting = *rc::gen::inRange<std::uint32_t>(0, 10);
    auto const silent = *rc::gen::inRange<std::uint32_t>(0, ready + 1);
    auto const target = *rc::gen::inRange(1, 300) / 100.0;
    auto const low = *rc::gen::inRange(0, 10'000) / 100.0;
    auto const high = low + *rc::gen::inRange(0, 3000) / 100.0;
    RC_ASSERT(by_usage(low, target, ready, starting, silent) <=
              by_usage(high, target, ready, starting, silent));
    RC_ASSERT(hpa_by_average(low, target, tolerance, ready) <=
              hpa_by_average(high, target, tolerance, ready));
  }));
}

}  // namespace
}  // namespace lepton::scaler
