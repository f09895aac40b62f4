// The mix: what is counted, and that counting is bounded.

#include "services/deployer/core/mix.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

double sum(Mix const& mix) {
  double total = 0;
  for (auto const& part : mix) total += part.weight;
  return total;
}

TEST(Mix, CountsTasksByWhatTheyAskFor) {
  MixCounter counter;
  counter.add(ask_gpus(1, 500, {"T4", "A100"}), 3);
  counter.add(ask_gpus(1, 500, {"A100", "T4"}));
  counter.add(ask_cpu(1000, 1000), 4);
  auto const mix = counter.mix();
  ASSERT_EQ(mix.size(), 2u);
  EXPECT_EQ(mix[0].task.gpus, 0u);
  EXPECT_EQ(mix[0].task.gpu_milli, 0u);
  EXPECT_EQ(mix[1].task.models, (std::vector<std::string>{"A100", "T4"}));
  EXPECT_DOUBLE_EQ(mix[1].weight, 0.5);
  EXPECT_EQ(counter.seen(), 8u);
}

TEST(Mix, NothingSeenIsTheGuess) {
  EXPECT_EQ(MixCounter().mix().size(), unknown_mix().size());
  EXPECT_NEAR(sum(unknown_mix()), 1, 1e-12);
}

TEST(Mix, OldTimesFadeAndClassesStayBounded) {
  MixCounter counter;
  for (int i = 0; i < 5000; ++i) counter.add(ask_cpu(i, 1));
  EXPECT_LE(counter.mix().size(), MixCounter::most_classes);
  counter.add(ask_gpus(1), MixCounter::most_counts);
  for (int i = 0; i < 40; ++i) counter.add(ask_gpus(2), MixCounter::most_counts / 8);
  auto const mix = counter.mix();
  EXPECT_NEAR(sum(mix), 1, 1e-9);
  EXPECT_EQ(mix.back().task.gpus, 2u);
  EXPECT_GT(mix.back().weight, 0.95);
  EXPECT_EQ(counter.seen(), 5000 + 6 * MixCounter::most_counts);
}

}  // namespace
}  // namespace lepton::deployer
