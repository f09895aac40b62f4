// What GPUs draw, by model.

#include "services/deployer/core/watts.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

TEST(Watts, AreKnownByModelHoweverItIsWritten) {
  EXPECT_EQ(model_watts("T4"), 70);
  EXPECT_EQ(model_watts("NVIDIA A100-SXM4-80GB"), 400);
  EXPECT_EQ(model_watts("A10"), 150) << "not an A100";
  EXPECT_EQ(model_watts("NVIDIA H200"), 700);
  EXPECT_EQ(model_watts("L40S"), 350);
  EXPECT_EQ(model_watts("L40"), 300);
  EXPECT_EQ(model_watts("L4"), 72);
  EXPECT_EQ(model_watts("of tomorrow"), 1'200) << "nobody knows: the most";
}

TEST(Watts, AnInstanceDrawsItsPart) {
  EXPECT_EQ(model_watts("H100", "1g.10gb"), 100);
  EXPECT_EQ(model_watts("H100", "3g.40gb"), 300);
  EXPECT_EQ(model_watts("H100", "7g.80gb"), 700);
  EXPECT_EQ(model_watts("H100", "9g.99gb"), 700) << "never more than the whole";
}

}  // namespace
}  // namespace lepton::deployer
