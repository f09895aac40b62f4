// Exponential and Poisson figures known from tables, and staffing by them.

#include "services/scaler/core/staffing.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "services/scaler/core/staffed.hpp"
#include "tests/services/scaler_core/support.hpp"

namespace lepton::scaler {
namespace {

TEST(Staffing, ExponentialKnownAnswers) {
  EXPECT_NEAR(exponential_cdf(0.5, 2), 0.6321205588285577, 1e-15);  // 1 - 1/e
  EXPECT_NEAR(exponential_cdf(2, 3), 0.9975212478233336, 1e-15);
  EXPECT_NEAR(exponential_cdf(1, std::log(2.0)), 0.5, 1e-15);
  EXPECT_DOUBLE_EQ(exponential_cdf(1e-9, 1e-9), 1e-18);  // no cancellation
  EXPECT_EQ(exponential_cdf(1, 0), 0);
  EXPECT_EQ(exponential_cdf(1, -1), 0);
  EXPECT_EQ(exponential_cdf(0, 5), 0);
}

TEST(Staffing, PoissonKnownAnswers) {
  EXPECT_NEAR(poisson_pmf(2, 0), 0.1353352832366127, 1e-15);
  EXPECT_NEAR(poisson_pmf(2, 3), 0.1804470443154836, 1e-15);
  EXPECT_NEAR(poisson_cdf(2, 3), 0.8571234604985472, 1e-15);
  EXPECT_NEAR(poisson_cdf(10, 10), 0.5830397501929856, 1e-13);
  EXPECT_EQ(poisson_pmf(0, 0), 1);
  EXPECT_EQ(poisson_cdf(0, 7), 1);
  EXPECT_EQ(poisson_quantile(2, 0.95), 5u);  // P(N <= 4) = 0.9473
  EXPECT_EQ(poisson_quantile(2, 0.94), 4u);
  EXPECT_EQ(poisson_quantile(100, 0.99), 124u);
  EXPECT_EQ(poisson_quantile(0, 0.999), 0u);
}

TEST(Staffing, TheQuantileIsTheLeastNumberThatSuffices) {
  ASSERT_TRUE(rc::check([] {
    auto const mean = *rc::gen::inRange(1, 100'000) / 100.0;
    auto const p = *rc::gen::inRange(1, 999) / 1000.0;
    auto const k = poisson_quantile(mean, p);
    RC_ASSERT(poisson_cdf(mean, k) >= p - 1e-12);
    if (k > 0) RC_ASSERT(poisson_cdf(mean, k - 1) < p + 1e-12);
  }));
}

TEST(Staffing, LargeMeansAreNearlyNormal) {
  auto const k = static_cast<double>(poisson_quantile(1e6, 0.975));
  EXPECT_NEAR(k, 1e6 + 1.96 * 1e3, 5);
}

TEST(Staffing, ReplicasForALoad) {
  // 50 in flight on average, 67 in 99 of 100 moments: 17 replicas of 4 slots.
  EXPECT_EQ(poisson_quantile(50, 0.99), 67u);
  EXPECT_EQ(staff(25 * 2, 4, 0.99), 17u);
  EXPECT_EQ(staff(0, 4, 0.99), 0u);
  EXPECT_EQ(staff(1e12, 1e6, 0.99), 1'000'000u) << "chance no longer counts";
}

TEST(Staffing, APolicyHoldsRoomForAllThatChanceSends) {
  Staffed const policy({.target = {Signal::concurrency, 4}, .window_ms = 10'000});
  Service s;
  s.run(Signal::concurrency, 50, 10);
  auto const told = s.ask(policy);
  EXPECT_EQ(told.replicas, 17u);
  EXPECT_EQ(told.reason,
            "50 in flight over 10 s: 17 replicas of 4 have room for all in 99 % of all moments");
  s.run(Signal::concurrency, 0, 20);
  EXPECT_EQ(s.ask(policy).replicas, 0u);
}

TEST(Staffing, WithoutSamplesNothingChanges) {
  Service s;
  s.replicas = 3;
  s.run(Signal::cpu, 1, 10);
  auto const told = s.ask(Staffed({.target = {Signal::concurrency, 4}}));
  EXPECT_EQ(told.replicas, 3u);
  EXPECT_FALSE(told.value);
}

TEST(Staffing, OnlyRequestsInFlightAreCounted) {
  EXPECT_TRUE(check(StaffedSettings{.target = {Signal::concurrency, 4}}));
  EXPECT_FALSE(check(StaffedSettings{.target = {Signal::requests_per_s, 4}}));
  EXPECT_FALSE(check(StaffedSettings{.target = {Signal::concurrency, 4}, .certainty = 1}));
  EXPECT_FALSE(check(StaffedSettings{.target = {Signal::concurrency, 4}, .window_ms = 0}));
}

}  // namespace
}  // namespace lepton::scaler
