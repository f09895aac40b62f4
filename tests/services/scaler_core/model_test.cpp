// The queue model against queueing theory, plans by hand, and arrivals by hand: what the reference
// figures rest on must itself be right.

#include "bench/autoscale/model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "bench/autoscale/plan.hpp"
#include "bench/autoscale/replica_pool.hpp"

namespace lepton::bench {
namespace {

TEST(Trace, SpreadsNarrowBinsEvenlyAndDrawsWideOnes) {
  auto const narrow = arrivals_of({2, 0, 1}, {"t", "", 1, 0, 0, 2, 1});
  EXPECT_EQ(narrow.at_s, (std::vector<double>{0.125, 0.375, 0.625, 0.875, 2.25, 2.75}));
  EXPECT_EQ(narrow.length_s, 3);
  auto const wide = arrivals_of({3, 5}, {"t", "", 10, 10, 0, 1, 1});
  ASSERT_EQ(wide.at_s.size(), 5u);
  EXPECT_TRUE(std::is_sorted(wide.at_s.begin(), wide.at_s.end()));
  EXPECT_LT(wide.at_s.back(), 10);
  EXPECT_EQ(wide.length_s, 10);
  auto const thinned = arrivals_of(std::vector<double>(1000, 10), {"t", "", 1, 0, 0, 0.3, 1});
  EXPECT_EQ(thinned.at_s.size(), 3163u);  // of 10,000, as the reference draws them
}

// The numbers come from splitmix64 as published, seed 1234567.
TEST(Trace, ChanceIsSplitmix64) {
  SplitMix dice(1234567);
  EXPECT_DOUBLE_EQ(dice.next(), static_cast<double>(6457827717110365317u >> 11) * 0x1p-53);
  EXPECT_DOUBLE_EQ(dice.next(), static_cast<double>(3203168211198807973u >> 11) * 0x1p-53);
}

TEST(ReplicaPool, HoldsWhatASetHoldsAndDrawsInItsOwnOrder) {
  ReplicaPool pool;
  std::set<std::int32_t> mirror;
  SplitMix dice(7);
  std::int32_t next = 0;
  std::int64_t digest = 0, drawn = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto const x = dice.next();
    if (x < 0.40) {
      pool.add(next);
      mirror.insert(next++);
    } else if (x < 0.55) {
      auto const id = static_cast<std::int32_t>(dice.next() * std::max(next, 1));
      pool.remove(id);
      mirror.erase(id);
    } else if (!pool.empty()) {
      auto const id = pool.draw();
      ASSERT_EQ(mirror.erase(id), 1u);
      digest = (digest * 1'000'003 + id) % 2'147'483'647;
      ++drawn;
      if (x < 0.80) pool.add(id), mirror.insert(id);
    }
  }
  EXPECT_EQ(drawn, 90'100);
  EXPECT_EQ(mirror.size(), 28'759u);
  EXPECT_EQ(digest, 579'217'318);  // the order of the reference model
}

TEST(Plan, OneRequestAtATimeByHand) {
  auto const steps = levels({10, 110}, 2);
  ASSERT_EQ(steps.size(), 4u);
  // Two starts of 5 s and two services of 2 s; or, with slow starts, the gap of 98 s bridged.
  EXPECT_NEAR(oracle(steps, 1, 5, 200, 0).replica_hours * 3600, 14, 1e-9);
  EXPECT_NEAR(oracle(steps, 1, 98, 200, 0).replica_hours * 3600, 10 + 102, 1e-9);
  EXPECT_NEAR(oracle(steps, 1, 5, 200, 1).replica_hours * 3600, 190, 1e-9);  // always one
  EXPECT_EQ(oracle(steps, 1, 5, 200, 0).starts, 2);
  EXPECT_EQ(peak_replicas(levels({1, 1, 1.5, 3.2}, 2), 2), 2);
}

TEST(Model, WaitsByHand) {
  ServiceModel const model{.service_s = 2, .slots = 1, .cold_s = 5, .min = 1, .max = 1};
  Arrivals const arrivals{"t", {0.5, 1, 1.5}, 3};
  auto const o = replay(arrivals, model, constant(1), 1);
  EXPECT_EQ(o.requests, 3u);
  EXPECT_EQ(o.violations, 2u);  // 0, 1.5 and 3 s
  EXPECT_DOUBLE_EQ(o.wait_max_s, 3);
  EXPECT_NEAR(o.replica_hours * 3600, 5, 1e-9);  // the run ends when nothing waits any more
  EXPECT_EQ(o.starts, 0);
}

TEST(Model, AColdStartIsPaidAndWaitedFor) {
  ServiceModel const model{.service_s = 2, .slots = 1, .cold_s = 5, .min = 0, .max = 9};
  Arrivals const arrivals{"t", {0.5}, 20};
  auto const o = replay(
      arrivals, model,
      {1, [](auto const& seen, TimeMs now_ms) { return now_ms < 10'000 ? seen.replicas : 0; }}, 0);
  EXPECT_EQ(o.starts, 1);
  EXPECT_DOUBLE_EQ(o.wait_max_s, 5);
  EXPECT_NEAR(o.replica_hours * 3600, 9.5, 1e-9);  // 0.5 to 10
}

TEST(Model, WaitsAsQueueingTheorySays) {
  // M/D/1 at 2/3 of its capacity: mean wait = rho x service / (2 (1 - rho)) = 2 s.
  Arrivals arrivals{"poisson", {}, 0};
  SplitMix dice(42);
  double t = 0;
  for (int i = 0; i < 300'000; ++i) arrivals.at_s.push_back(t -= std::log1p(-dice.next()) * 3);
  arrivals.length_s = t;
  ServiceModel const model{.service_s = 2, .slots = 1, .min = 1, .max = 1};
  auto const o = replay(arrivals, model, constant(1), 1);
  EXPECT_NEAR(o.wait_mean_s, 2, 0.06);
}

}  // namespace
}  // namespace lepton::bench
