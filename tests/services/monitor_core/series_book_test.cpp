// Minutes and hours: by hand, and against sums over all samples.

#include "services/monitor/core/series_book.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace lepton::monitor {
namespace {

constexpr WallMs day_ms = 86'400'000;
constexpr WallMs hour_begin_ms = 20'000 * day_ms;

struct Bench {
  SeriesBook book;
  TimeMs now = 1'000;
  std::vector<DueRollup> minutes, hours;

  explicit Bench(SeriesLimits limits = {}) : book(limits) {}
  WallMs wall() const { return hour_begin_ms + now - 1'000; }
  bool add(double value, Series series = Series::cpu_use, std::string part = "") {
    return book.add("n1", {series, std::move(part), value}, now, wall());
  }
  void collect() {
    for (;;) {
      auto const due = book.collect(now, wall(), 100);
      for (auto const& d : due) (d.span == RollupSpan::minute ? minutes : hours).push_back(d);
      if (due.empty()) return;
    }
  }
  // One sample each second, collected each second.
  void run(int seconds, double value) {
    for (int i = 0; i < seconds; ++i) {
      ASSERT_TRUE(add(value));
      collect();
      now += 1'000;
    }
  }
};

TEST(SeriesBook, AMinuteIsToldOnceWhenItIsOver) {
  Bench b;
  b.run(60, 2);
  EXPECT_TRUE(b.minutes.empty());
  b.run(1, 7);
  ASSERT_EQ(b.minutes.size(), 1u);
  EXPECT_EQ(b.minutes[0].node, "n1");
  EXPECT_EQ(b.minutes[0].series, Series::cpu_use);
  EXPECT_EQ(b.minutes[0].rollup, (Rollup{hour_begin_ms, 60, 2, 2, 2}));
  b.now += 300'000;
  b.collect();  // also without a further sample
  ASSERT_EQ(b.minutes.size(), 2u);
  EXPECT_EQ(b.minutes[1].rollup, (Rollup{hour_begin_ms + 60'000, 1, 7, 7, 7}));
}

TEST(SeriesBook, AnHourIsToldEveryTenMinutesAndAtItsEnd) {
  Bench b;
  b.run(3'600, 1);
  EXPECT_EQ(b.hours.size(), 5u);
  EXPECT_EQ(b.hours[0].rollup, (Rollup{hour_begin_ms, 600, 1, 1, 1}));
  b.run(1, 1);
  ASSERT_EQ(b.hours.size(), 6u);
  EXPECT_EQ(b.hours[5].rollup, (Rollup{hour_begin_ms, 3'600, 1, 1, 1}));
  b.run(600, 3);
  ASSERT_EQ(b.hours.size(), 7u);
  EXPECT_EQ(b.hours[6].rollup.at_ms, hour_begin_ms + 3'600'000);
}

TEST(SeriesBook, ARestartGoesOnWithTheHour) {
  Bench b;
  b.book.resume({"n1", Series::cpu_use, "", RollupSpan::hour, {hour_begin_ms, 600, 1, 1, 1}});
  b.now += 600'000;
  b.run(601, 3);
  ASSERT_FALSE(b.hours.empty());
  EXPECT_EQ(b.hours[0].rollup, (Rollup{hour_begin_ms, 1'200, 2, 1, 3}));
}

TEST(SeriesBook, SilentSeriesLeaveWithTheirHour) {
  Bench b;
  b.run(10, 4);
  EXPECT_EQ(b.book.newest("n1", b.now, 15'000).size(), 1u);
  b.now += 400'000;
  b.collect();
  EXPECT_TRUE(b.book.newest("n1", b.now, 15'000).empty());
  EXPECT_EQ(b.book.size(), 1u);
  ASSERT_EQ(b.hours.size(), 1u);
  b.now += 3'600'000;
  b.collect();
  EXPECT_EQ(b.book.size(), 0u);
  EXPECT_EQ(b.hours.size(), 1u);  // it was told already
}

TEST(SeriesBook, RefusesWhatIsNoSampleAndCountsIt) {
  Bench b;
  EXPECT_FALSE(b.add(1, Series::unknown));
  EXPECT_FALSE(b.add(std::nan("")));
  EXPECT_FALSE(b.add(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(b.add(1, Series::gpu_use, std::string(201, 'x')));
  EXPECT_TRUE(b.add(1));
  EXPECT_FALSE(b.add(1));  // the same instant again
  EXPECT_EQ(b.book.refused(), 5u);
  EXPECT_EQ(b.book.size(), 1u);
}

TEST(SeriesBook, HasLimits) {
  SeriesLimits limits;
  limits.series_max = 3;
  limits.series_per_node_max = 2;
  Bench b(limits);
  EXPECT_TRUE(b.add(1, Series::gpu_use, "a"));
  EXPECT_TRUE(b.add(1, Series::gpu_use, "b"));
  EXPECT_FALSE(b.add(1, Series::gpu_use, "c"));
  EXPECT_TRUE(b.book.add("n2", {Series::cpu_use, "", 1}, b.now, b.wall()));
  EXPECT_FALSE(b.book.add("n3", {Series::cpu_use, "", 1}, b.now, b.wall()));
}

TEST(SeriesBook, EachPartHasItsMean) {
  Bench b;
  b.add(1, Series::gpu_use, "a");
  b.add(0.5, Series::gpu_use, "b");
  b.add(9, Series::gpu_power_watts, "a");
  std::map<std::string, std::optional<double>> seen;
  b.book.each_mean("n1", Series::gpu_use, b.now, 10'000,
                   [&](std::string const& part, auto mean) { seen[part] = mean; });
  EXPECT_EQ(seen, (std::map<std::string, std::optional<double>>{{"a", 1}, {"b", 0.5}}));
}

TEST(SeriesBook, AClockThatIsSetBackLosesNoSample) {
  Bench b;
  std::uint64_t samples = 0;
  for (WallMs wall : {600'000, 660'000, 60'000, 61'000, 120'000, 7'200'000}) {
    b.now += 1'000;
    ASSERT_TRUE(b.book.add("n1", {Series::cpu_use, "", 1}, b.now, hour_begin_ms + wall));
    for (auto const& d : b.book.collect(b.now, hour_begin_ms + wall, 100))
      if (d.span == RollupSpan::minute) samples += d.rollup.samples;
  }
  for (auto const& d : b.book.collect(b.now, hour_begin_ms + 7'300'000, 100))
    if (d.span == RollupSpan::minute) samples += d.rollup.samples;
  EXPECT_EQ(samples, 6u);
}

// Minutes and hours hold each sample once, whatever the gaps and the slices of collecting.
TEST(SeriesBook, SumsAreThoseOfAllSamples) {
  ASSERT_TRUE(rc::check([] {
    Bench b;
    double sum = 0;
    std::uint64_t count = 0;
    for (auto gap_s : *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 400))) {
      b.now += gap_s * 1'000;
      RC_ASSERT(b.add(gap_s));
      sum += gap_s;
      ++count;
      if (gap_s % 3 == 0) b.collect();
    }
    b.now += 2 * 3'600'000;
    b.collect();
    b.collect();
    double minutes = 0, hours = 0;
    std::uint64_t in_minutes = 0, in_hours = 0;
    std::map<WallMs, Rollup> last_of_hour;
    for (auto const& m : b.minutes) minutes += m.rollup.mean * m.rollup.samples;
    for (auto const& m : b.minutes) in_minutes += m.rollup.samples;
    for (auto const& h : b.hours) last_of_hour[h.rollup.at_ms] = h.rollup;
    for (auto const& [at, h] : last_of_hour) hours += h.mean * h.samples, in_hours += h.samples;
    RC_ASSERT(in_minutes == count);
    RC_ASSERT(in_hours == count);
    RC_ASSERT(std::abs(minutes - sum) < 1e-6);
    RC_ASSERT(std::abs(hours - sum) < 1e-6);
    RC_ASSERT(b.book.size() == 0u);
  }));
}

}  // namespace
}  // namespace lepton::monitor
