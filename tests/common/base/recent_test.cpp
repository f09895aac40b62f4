// Recent samples: means by hand, the limit, and refusals.

#include "common/base/recent.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace lepton {
namespace {

TEST(Recent, MeansCountTheSamplesAfterTheBeginningOfTheLength) {
  Recent w;
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(w.add(i * 1000, i));
  EXPECT_EQ(w.mean(10'000, 1000), 10);
  EXPECT_EQ(w.mean(10'000, 4000), (7 + 8 + 9 + 10) / 4.0);
  EXPECT_EQ(w.mean(10'000, 60'000), 5.5);  // what there is
  EXPECT_EQ(w.mean(10'900, 1000), 10);
  EXPECT_EQ(w.mean(11'000, 1000), std::nullopt);  // silence is not zero
  EXPECT_EQ(w.mean(5000, 2000), (4 + 5) / 2.0);   // the past, as it was known
  EXPECT_EQ(Recent().mean(0, 1000), std::nullopt);
}

TEST(Recent, RefusesWhatIsNoSample) {
  Recent w;
  EXPECT_FALSE(w.add(1, std::nan("")));
  EXPECT_FALSE(w.add(1, std::numeric_limits<double>::infinity()));
  EXPECT_EQ(w.newest(), std::nullopt);
  EXPECT_TRUE(w.add(5, 1));
  EXPECT_FALSE(w.add(5, 2));
  EXPECT_FALSE(w.add(4, 2));
  EXPECT_EQ(w.newest(), (Recent::Sample{5, 1}));
}

TEST(Recent, TheNewestSamplesStayAndNoMore) {
  ASSERT_TRUE(rc::check([] {
    auto const capacity = *rc::gen::inRange<std::size_t>(1, 20);
    auto const values = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-50, 50));
    Recent w(capacity);
    TimeMs at = 0;
    for (auto v : values) RC_ASSERT(w.add(++at, v));
    auto const kept = std::min(capacity, values.size());
    RC_ASSERT(w.size() == kept);
    double sum = 0;
    for (auto i = values.size() - kept; i < values.size(); ++i) sum += values[i];
    auto const mean = w.mean(at, 1'000'000);
    RC_ASSERT(mean.has_value() == (kept > 0));
    if (mean) RC_ASSERT(*mean == sum / static_cast<double>(kept));
    std::optional<TimeMs> last;
    for (auto i = values.size() - kept; i < values.size(); ++i)
      if (values[i] > 0) last = static_cast<TimeMs>(i) + 1;
    RC_ASSERT(w.last_above_zero_ms() == last);
  }));
}

}  // namespace
}  // namespace lepton
