#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <map>

#include "common/base/time.hpp"

namespace lepton {
namespace {

TEST(Chance, SameSeedSameNumbers) {
  Chance a(1), b(1), c(2);
  for (int i = 0; i < 100; ++i) {
    auto const x = a.next();
    EXPECT_EQ(x, b.next());
    EXPECT_NE(x, c.next());
  }
}

// First outputs of splitmix64-seeded xoshiro256** by an independent implementation of the papers'
// recurrences.
TEST(Chance, FollowsTheRecurrence) {
  std::uint64_t seed = 42, s[4];
  for (auto& word : s) {
    seed += 0x9e3779b97f4a7c15u;
    auto z = seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    word = z ^ z >> 31;
  }
  auto const turn = [](std::uint64_t x, int k) { return x << k | x >> (64 - k); };
  Chance chance(42);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(chance.next(), turn(s[1] * 5, 7) * 9);
    auto const t = s[1] << 17;
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= t;
    s[3] = turn(s[3], 45);
  }
}

// First outputs for the seed 1234567 as published for the reference implementation.
TEST(Splitmix, FollowsTheReference) {
  std::uint64_t state = 1234567;
  for (auto const wanted : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                            4593380528125082431u, 16408922859458223821u})
    EXPECT_EQ(splitmix(state), wanted);
}

TEST(Chance, BelowIsEvenAndBelow) {
  Chance chance(3);
  std::map<std::uint64_t, int> counts;
  for (int i = 0; i < 60'000; ++i) ++counts[chance.below(6)];
  ASSERT_EQ(counts.size(), 6u);
  for (auto const& [value, count] : counts) {
    EXPECT_LT(value, 6u);
    EXPECT_NEAR(count, 10'000, 500);
  }
  EXPECT_EQ(chance.below(1), 0u);
}

TEST(Chance, UnitAndHappens) {
  Chance chance(4);
  int yes = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto const x = chance.unit();
    EXPECT_GE(x, 0.0);
    EXPECT_LT(x, 1.0);
    yes += chance.happens(0.25) ? 1 : 0;
    EXPECT_FALSE(chance.happens(0));
    EXPECT_TRUE(chance.happens(1));
  }
  EXPECT_NEAR(yes, 2'500, 200);
}

TEST(SystemClock, MovesForward) {
  SystemClock const clock;
  auto const before = clock.now_ms();
  EXPECT_GE(clock.now_ms(), before);
  EXPECT_GT(clock.wall_ms(), 1'500'000'000'000);
}

}  // namespace
}  // namespace lepton
