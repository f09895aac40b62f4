// What signals say of demand.

#include "services/scaler/core/observation.hpp"

#include <gtest/gtest.h>

namespace lepton::scaler {
namespace {

TEST(Signals, DemandIsRequestsOrConcurrency) {
  Signals s;
  EXPECT_FALSE(s.sees_demand());
  s[Signal::cpu].add(1, 0.5);
  EXPECT_FALSE(s.sees_demand());
  EXPECT_EQ(s.last_demand_ms(), std::nullopt);
  s[Signal::requests_per_s].add(1000, 3);
  s[Signal::requests_per_s].add(2000, 0);
  EXPECT_TRUE(s.sees_demand());
  EXPECT_EQ(s.last_demand_ms(), 1000);
  s[Signal::concurrency].add(1500, 1);
  EXPECT_EQ(s.last_demand_ms(), 1500);
}

TEST(SignalsDeathTest, ThereIsNoWindowOfNoSignal) {
  Signals s;
  EXPECT_DEATH(s[Signal::unknown], "a signal of the list");
}

}  // namespace
}  // namespace lepton::scaler
