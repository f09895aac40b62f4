// Fragmentation gradient descent against fragmentation worked out by hand.

#include "services/deployer/core/fgd.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

Mix const typical{
    {{1000, 0, 0, 0, {}}, 0.25}, {{1000, 0, 1, 500, {}}, 0.5}, {{1000, 0, 2, 1000, {}}, 0.25}};

TEST(Fgd, FragmentationIsWhatATypicalTaskCannotUse) {
  Fgd const fgd(typical, {"A100"});
  std::vector<Device> const devices{{0, 0, 1000}, {0, 0, 300}};
  // The share leaves 300 unused; two whole GPUs do not fit, nor does CPU-only work use any: 1300.
  EXPECT_DOUBLE_EQ(fgd.fragmentation(devices, 4000), 0.5 * 300 + 0.25 * 1300 + 0.25 * 1300);
  // Without CPU nothing of it is of use.
  EXPECT_DOUBLE_EQ(fgd.fragmentation(devices, 999), 1300);
  EXPECT_DOUBLE_EQ(fgd.fragmentation({{0, 0, 1000}, {0, 0, 1000}}, 4000), 0.25 * 2000);
  EXPECT_DOUBLE_EQ(fgd.fragmentation({}, 4000), 0);
}

TEST(Fgd, ModelsThatATaskRefusesAreLostToIt) {
  Fgd const fgd({{{1000, 0, 1, 500, {"T4"}}, 1.0}}, {"A100", "T4"});
  EXPECT_DOUBLE_EQ(fgd.fragmentation({{0, 0, 1000}}, 4000), 1000);
  EXPECT_DOUBLE_EQ(fgd.fragmentation({{1, 0, 1000}}, 4000), 0);
}

TEST(Fgd, TypicalTasksCoverNineteenInTwenty) {
  Mix const mix{{{1, 10, 1, 100, {}}, 0.30},
                {{1, 20, 1, 100, {}}, 0.30},
                {{2, 10, 1, 100, {}}, 0.30},
                {{3, 10, 1, 100, {}}, 0.07},
                {{4, 10, 1, 100, {}}, 0.03}};
  auto const found = typical_tasks(mix);
  ASSERT_EQ(found.size(), 3u);  // memory makes no class of its own
  EXPECT_DOUBLE_EQ(found[0].weight, 0.60 / 0.97);
  EXPECT_DOUBLE_EQ(found[1].weight, 0.30 / 0.97);
  EXPECT_EQ(found[2].task.cpu_milli, 3);
}

TEST(Fgd, TheScoreIsTheSigmoidOfTheDropCutToAWholeNumber) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 2))});
  Fgd const fgd(typical, c.models());
  auto const& n = *c.find({"a"});
  auto const r = ask_gpus(1, 700);
  // Before 0.25 * 2000; after, with 1000 and 300 free: 800. 100 / (1 + e^0.3) = 42.6
  auto const share = fgd.judge(n, n.free, Ask(c, r, default_pool));
  EXPECT_EQ(share.score, 42);
  // Both taken: from 500 to 0. 100 / (1 + e^-0.5) = 62.2
  auto const two = ask_gpus(2);
  EXPECT_EQ(fgd.judge(n, n.free, Ask(c, two, default_pool)).score, 62);
}

TEST(Fgd, AShareTakesTheDeviceThatFragmentsLeast) {
  auto c = cluster_of({node("a", capacity(8000, 8000, 2))});
  must(c.reserve({"x"}, {{"a"}, 1, 1, 0, {{1, 400}}, {}}));
  Fgd const fgd(typical, c.models());
  auto const& n = *c.find({"a"});
  auto const r = ask_gpus(1, 200);
  auto const v = fgd.judge(n, n.free, Ask(c, r, default_pool));
  // 800 and 600 are both of use to the share of 500; of 1000 and 400 one is not.
  EXPECT_EQ(v.gpus.device, 0u);
  EXPECT_EQ(v.gpus.left_milli, 800u);
}

}  // namespace
}  // namespace lepton::deployer
