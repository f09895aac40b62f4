// Both tables of the default policy: what a GPU's free part is worth by itself, and beside a host.

#include "services/deployer/core/remnant.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/host_share.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Remnant, WhatNobodyFitsIsWaste) {
  RemnantTable const t({{500, 1.0}});
  EXPECT_DOUBLE_EQ(t.waste(0), 0);
  EXPECT_NEAR(t.waste(400), 400, 1);
  EXPECT_NEAR(t.useful(400), 0, 1);
  EXPECT_LT(t.waste(500), 10);
  EXPECT_NEAR(t.waste(600) - t.waste(500), 100, 1);
}

TEST(Remnant, APairThatFillsAGpuIsWorthKeepingWhole) {
  // 0.7 and 0.3 arrive equally often and fill GPUs together; 0.4 remnants fit 0.3 with a rest.
  RemnantTable const t({{700, 1.0}, {300, 1.0}});
  EXPECT_LT(t.waste(300), 30);
  EXPECT_NEAR(t.waste(400) - t.waste(300), 100, 30);
  // Putting 0.3 beside a 0.7 beats opening a GPU for it.
  EXPECT_LT(t.waste(0) - t.waste(300), t.waste(700) - t.waste(1000) + 1);
}

TEST(Remnant, ARareFillerDoesNotMakeARemnantUseful) {
  RemnantTable const rare({{700, 1.0}, {300, 0.02}}), common({{700, 1.0}, {300, 1.0}});
  EXPECT_GT(rare.waste(300) - rare.waste(0), common.waste(300) - common.waste(0) + 50);
}

TEST(Remnant, ThirdsFillAGpu) {
  RemnantTable const t({{333, 1.0}});
  EXPECT_LT(t.waste(666), t.waste(600));
}

TEST(Remnant, NoTasksMeansAllIsWaste) {
  RemnantTable const t({});
  EXPECT_NEAR(t.waste(1000), 1000, 1e-6);
}

std::vector<HostNeed> any_needs() {
  std::vector<HostNeed> needs;
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i)
    needs.push_back({*rc::gen::element(1000u, 500u, 250u, 810u),
                     static_cast<double>(*rc::gen::inRange(0, 20)) * 1000,
                     static_cast<double>(*rc::gen::inRange(1, 10))});
  return needs;
}

TEST(HostShareProperty, MoreOfTheHostNeverStrandsMoreAndPlentyStrandsNothing) {
  ASSERT_TRUE(rc::check([] {
    HostTable const t(any_needs());
    auto const milli = *rc::gen::element(1000u, 530u, 190u, 0u);
    double last = 1e9;
    for (int cpu = 0; cpu <= 64'000; cpu += 700) {
      auto const now = t.stranded(milli, cpu);
      RC_ASSERT(now >= 0 && now <= last + 1e-9 && now <= milli + 1e-9);
      last = now;
    }
    RC_ASSERT(t.stranded(milli, 1e9) == 0.0);
  }));
}

TEST(HostShare, WithoutCpuAGpuIsLost) {
  HostTable const t({{1000, 8000, 1.0}});
  EXPECT_NEAR(t.stranded(1000, 0), 1000, 1e-6);
  EXPECT_NEAR(t.stranded(1000, 7000), 1000, 1e-6);
  EXPECT_NEAR(t.stranded(1000, 9000), 0, 1e-6);
}

}  // namespace
}  // namespace lepton::deployer
