#include "common/crypto/entropy.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/crypto/seeded_entropy.hpp"

namespace lepton::crypto {
namespace {

TEST(SystemEntropy, does_not_repeat) {
  SystemEntropy entropy;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(entropy.bytes(16));
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(SystemEntropy, fills_more_than_one_part) {
  SystemEntropy entropy;
  auto const bytes = entropy.bytes((2 << 20) + 7);
  EXPECT_NE(bytes.substr(bytes.size() - 16), std::string(16, '\0'));
  EXPECT_TRUE(entropy.bytes(0).empty());
}

TEST(SeededEntropy, repeats_with_its_seed_only) {
  SeededEntropy a(7), b(7), c(8);
  auto const whole = a.bytes(100);
  auto const first = b.bytes(33);
  EXPECT_EQ(whole, first + b.bytes(67));
  EXPECT_NE(whole, c.bytes(100));
  EXPECT_NE(a.bytes(100), whole);
  EXPECT_EQ(a.secret(32).reveal().size(), 32u);
}

}  // namespace
}  // namespace lepton::crypto
