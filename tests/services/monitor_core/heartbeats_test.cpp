// Phi: known values of the normal distribution, its limits, and that it only rises with silence.

#include "services/monitor/core/heartbeats.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace lepton::monitor {
namespace {

Heartbeats punctual(int beats, TimeMs every_ms = 1'000) {
  Heartbeats h(1'000, 500);
  for (int i = 0; i < beats; ++i) h.beat(i * every_ms);
  return h;
}

// Phi at z deviations above the mean is -log10 of the upper tail of the normal distribution.
TEST(Heartbeats, PhiIsThatOfTheNormalDistribution) {
  auto const h = punctual(20);
  EXPECT_NEAR(h.phi(1'000), 0.30103, 1e-5);  // z = 0: one half
  EXPECT_NEAR(h.phi(1'500), 0.79955, 1e-5);  // z = 1: 0.158655
  EXPECT_NEAR(h.phi(2'500), 2.86970, 1e-5);  // z = 3: 1.349898e-3
  EXPECT_NEAR(h.phi(4'000), 9.00586, 1e-5);  // z = 6: 9.865876e-10
}

TEST(Heartbeats, BeforeIntervalsAreKnownTheUsualOneCounts) {
  Heartbeats h(2'000, 500);
  EXPECT_EQ(h.mean_ms(), 2'000);
  h.beat(7'000);
  EXPECT_EQ(h.intervals(), 0u);
  h.beat(10'000);
  EXPECT_EQ(h.mean_ms(), 3'000);
  EXPECT_EQ(h.deviation_ms(), 500);  // of one interval nothing is known
}

TEST(Heartbeats, IrregularNodesAreGivenMoreTime) {
  Heartbeats h(1'000, 100);
  TimeMs now = 0;
  for (int i = 0; i < 40; ++i) h.beat(now += i % 2 == 0 ? 500 : 3'500);
  EXPECT_NEAR(h.mean_ms(), 2'000, 50);
  EXPECT_NEAR(h.deviation_ms(), 1'500, 10);
  EXPECT_LT(h.phi(4'000), punctual(40).phi(4'000));
}

TEST(Heartbeats, OldIntervalsLeave) {
  auto h = punctual(5, 10'000);
  TimeMs now = 40'000;
  for (std::size_t i = 0; i < Heartbeats::intervals_max; ++i) h.beat(now += 1'000);
  EXPECT_EQ(h.intervals(), Heartbeats::intervals_max);
  EXPECT_EQ(h.mean_ms(), 1'000);
}

TEST(Heartbeats, AnOutageIsNoInterval) {
  auto h = punctual(10);
  h.forget_interval();
  h.beat(1'000'000);
  EXPECT_EQ(h.mean_ms(), 1'000);
  EXPECT_EQ(h.intervals(), 9u);
}

TEST(Heartbeats, PhiRisesWithSilenceAndStaysFinite) {
  ASSERT_TRUE(rc::check([] {
    Heartbeats h(1'000, 200);
    TimeMs now = 0;
    for (auto gap : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20'000)))
      h.beat(now += gap);
    double last = 0;
    for (TimeMs silence = 0; silence < 100'000; silence += 777) {
      auto const phi = h.phi(silence);
      RC_ASSERT(phi >= last);
      RC_ASSERT(phi <= Heartbeats::phi_max);
      last = phi;
    }
  }));
}

}  // namespace
}  // namespace lepton::monitor
