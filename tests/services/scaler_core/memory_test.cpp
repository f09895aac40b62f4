// What scaling remembers: ends of periods, and limits that never let a rate be exceeded.

#include "services/scaler/core/memory.hpp"

#include <gtest/gtest.h>

namespace lepton::scaler {
namespace {

TEST(Memory, ChangesCountWithinAPeriodAndNotAtItsBeginning) {
  Memory m;
  EXPECT_EQ(m.last_change_ms(), std::nullopt);
  m.change(1000, 1, 4);
  m.change(2000, 4, 4);  // none
  m.change(3000, 4, 2);
  m.change(4000, 2, 3);
  EXPECT_EQ(m.changes.size(), 3u);
  EXPECT_EQ(m.added_in(4000, 3001), 4u);
  EXPECT_EQ(m.added_in(4000, 3000), 1u);
  EXPECT_EQ(m.removed_in(4000, 3000), 2u);
  EXPECT_EQ(m.last_change_ms(), 4000);
}

TEST(Memory, ForgetsWhatNothingLooksAtButTheNewestChange) {
  Memory m;
  m.change(0, 0, 1);
  m.change(10, 1, 2);
  EXPECT_EQ(m.last_change_ms(), 10);
  m.change(Memory::period_max_ms + 10, 2, 3);
  EXPECT_EQ(m.changes, (std::vector<Change>{{Memory::period_max_ms + 10, 1, 0}}));
  m.recommend(0, 5, 1000);
  m.recommend(999, 6, 1000);
  m.recommend(1000, 7, 1000);
  EXPECT_EQ(m.recommendations, (std::vector<Recommendation>{{999, 6}, {1000, 7}}));
}

TEST(Memory, FullListsKeepTheirSums) {
  Memory m;
  for (std::uint32_t i = 0; i < 2 * Memory::entries_max; ++i)
    m.change(static_cast<TimeMs>(i) + 1, i % 2, (i + 1) % 2);
  EXPECT_EQ(m.changes.size(), Memory::entries_max);
  EXPECT_EQ(m.added_in(10'000, Memory::period_max_ms), Memory::entries_max);
  EXPECT_EQ(m.removed_in(10'000, Memory::period_max_ms), Memory::entries_max);
  for (std::uint32_t i = 0; i < 2 * Memory::entries_max; ++i) m.recommend(i, i, 1'000'000);
  EXPECT_EQ(m.recommendations.size(), Memory::entries_max);
  EXPECT_EQ(m.recommendations.back().replicas, 2 * Memory::entries_max - 1);
}

}  // namespace
}  // namespace lepton::scaler
