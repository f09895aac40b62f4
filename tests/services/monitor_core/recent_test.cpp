// Recent samples: the newest stay, and means count their length.

#include "services/monitor/core/recent.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

namespace lepton::monitor {
namespace {

TEST(Recent, KeepsTheNewestAndMeansCountTheirLength) {
  Recent r(3);
  EXPECT_EQ(r.newest(), std::nullopt);
  EXPECT_EQ(r.mean(0, 1'000), std::nullopt);
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(r.add(i * 1'000, i));
  EXPECT_EQ(r.size(), 3u);
  EXPECT_EQ(r.newest(), (Recent::Sample{5'000, 5}));
  EXPECT_EQ(r.mean(5'000, 2'000), 4.5);
  EXPECT_EQ(r.mean(5'000, 60'000), 4);
  EXPECT_EQ(r.mean(9'000, 2'000), std::nullopt);  // silence is not zero
  EXPECT_FALSE(r.add(5'000, 1));
  EXPECT_FALSE(r.add(6'000, std::nan("")));
}

TEST(Recent, IsTheTailOfAllSamples) {
  ASSERT_TRUE(rc::check([] {
    auto const capacity = *rc::gen::inRange<std::size_t>(1, 20);
    auto const values = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-50, 50));
    Recent r(capacity);
    TimeMs at = 0;
    for (auto v : values) RC_ASSERT(r.add(++at, v));
    auto const kept = std::min(capacity, values.size());
    RC_ASSERT(r.size() == kept);
    double sum = 0;
    for (auto i = values.size() - kept; i < values.size(); ++i) sum += values[i];
    auto const mean = r.mean(at, 1'000'000);
    RC_ASSERT(mean.has_value() == (kept > 0));
    if (mean) RC_ASSERT(std::abs(*mean * static_cast<double>(kept) - sum) < 1e-9);
  }));
}

}  // namespace
}  // namespace lepton::monitor
