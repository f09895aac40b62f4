// What replicas use of what they were given, by hand.

#include "services/deployer/core/usage.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

Allocation given(std::int64_t cpu_milli, std::vector<GpuShare> gpus = {}) {
  return {NodeId{"n1"}, cpu_milli, 512, 0, std::move(gpus), {}};
}

TEST(Usage, CpuIsAShareOfWhatWasGiven) {
  auto const half = given(500), two = given(2'000), none = given(0);
  EXPECT_DOUBLE_EQ(*cpu_share({&half, 0.35, {}}), 0.7);
  EXPECT_DOUBLE_EQ(*cpu_share({&two, 3.0, {}}), 1.5) << "a burst above what was given";
  EXPECT_EQ(cpu_share({&two, std::nullopt, {}}), std::nullopt) << "not measured is not idle";
  EXPECT_EQ(cpu_share({&none, 1.0, {}}), std::nullopt);
}

TEST(Usage, GpuIsTheMeanOfItsWholeDevices) {
  auto const one = given(0, {{0, 1000}}), two = given(0, {{0, 1000}, {3, 1000}});
  auto const part = given(0, {{0, 500}}), none = given(0);
  EXPECT_EQ(gpu_share({&one, {}, {0.9}}), 0.9);
  EXPECT_EQ(gpu_share({&two, {}, {0.25, 0.75}}), 0.5);
  EXPECT_EQ(gpu_share({&two, {}, {0.25, std::nullopt}}), std::nullopt);
  EXPECT_EQ(gpu_share({&two, {}, {0.25}}), std::nullopt) << "a device that nobody knows";
  EXPECT_EQ(gpu_share({&part, {}, {0.9}}), std::nullopt) << "who else uses it?";
  EXPECT_EQ(gpu_share({&none, {}, {}}), std::nullopt);
}

TEST(Usage, TheTotalCountsWhoWasNotMeasured) {
  auto const a = given(1'000);
  EXPECT_EQ(total_use(ScaleSignal::cpu, {{&a, 0.7, {}}, {&a, 0.7, {}}, {&a, 0.5, {}}}),
            (ServiceUse{1.9, 0}));
  EXPECT_EQ(total_use(ScaleSignal::cpu, {{&a, 0.7, {}}, {&a, {}, {}}}), (ServiceUse{0.7, 1}));
  EXPECT_EQ(total_use(ScaleSignal::cpu, {{&a, {}, {}}}), (ServiceUse{std::nullopt, 1}));
  EXPECT_EQ(total_use(ScaleSignal::gpu, {{&a, 0.7, {}}}), (ServiceUse{std::nullopt, 1}));
  EXPECT_EQ(total_use(ScaleSignal::cpu, {}), (ServiceUse{std::nullopt, 0}));
}

}  // namespace
}  // namespace lepton::deployer
