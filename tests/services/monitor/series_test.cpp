// Samples in rows: minutes, hours across a restart, and questions about them.

#include "tests/services/monitor/rig.hpp"

namespace lepton::monitor::testing {
namespace {

// The clock of these tests begins one second after a full hour.
TEST_F(MonitorTest, MinutesBecomeRowsAndAreRead) {
  beat("n1", 150, {{Series::cpu_use, "", 0.25}, {Series::gpu_use, "GPU-a", 1}});
  ASSERT_EQ(rows<MinuteRow>().size(), 4u);
  auto const read = ask(SeriesRead{NodeId{"n1"}, Series::gpu_use, "GPU-a"}, ann);
  ASSERT_TRUE(read) << read.error().what;
  ASSERT_EQ(read->rollups.size(), 2u);
  EXPECT_EQ(read->rollups[0], (Rollup{1'800'000'060'000, 60, 1, 1, 1}));  // newest first
  EXPECT_EQ(read->rollups[1].samples, 59u);
  auto wrong = SeriesRead{NodeId{"n1"}};
  wrong.span = RollupSpan::unknown;
  EXPECT_EQ(outcome(ask(wrong, ann)), "invalid");
  EXPECT_TRUE(ask(SeriesRead{NodeId{"n2"}}, ann)->rollups.empty());
}

TEST_F(MonitorTest, OldSamplesOfAReportKeepTheirTimes) {
  pass(60'000);
  auto report = report_of("n1", {});
  report.samples.clear();
  for (int age_s = 20; age_s >= 0; --age_s)
    report.samples.push_back({age_s * 1'000, {{Series::cpu_use, "", 0.5}}});
  ASSERT_TRUE(send(report));
  pass(70'000);
  auto const minutes = rows<MinuteRow>();
  ASSERT_EQ(minutes.size(), 2u);
  EXPECT_EQ(minutes[0].samples, 19u);
  EXPECT_EQ(minutes[1].samples, 2u);
}

TEST_F(MonitorTest, AnHourGoesOnAfterARestart) {
  beat("n1", 700, {{Series::cpu_use, "", 0.5}});
  ASSERT_EQ(rows<HourRow>().size(), 1u);
  EXPECT_EQ(rows<HourRow>()[0].samples, 599u);
  boot();
  beat("n1", 600, {{Series::cpu_use, "", 1}});
  ASSERT_EQ(rows<HourRow>().size(), 1u);
  auto const hour = rows<HourRow>()[0];
  EXPECT_GT(hour.samples, 1'090u);
  EXPECT_EQ(hour.low, 0.5);
  EXPECT_EQ(hour.high, 1);
}

TEST_F(MonitorTest, UnknownSeriesAndSilenceOfANodeAreNotKept) {
  ASSERT_TRUE(send(report_of("n1", {{Series::unknown, "", 1}, {Series::silence_s, "", 9}})));
  EXPECT_EQ(counter("series"), 0);
  EXPECT_EQ(counter("values_refused"), 1);
}

TEST_F(MonitorTest, ManyRollupsLeaveInSlices) {
  monitor_settings.rollups_max = 7;
  boot();
  std::vector<Measure> values;
  for (int gpu = 0; gpu < 50; ++gpu) values.push_back({Series::gpu_use, std::to_string(gpu), 1});
  ASSERT_TRUE(send(report_of("n1", values)));
  pass(61'000);
  EXPECT_EQ(rows<MinuteRow>().size(), 50u);
}

TEST_F(MonitorTest, UpkeepIsAskedForAtTheStartAndEachHour) {
  auto const first = rows<UpkeepRow>();
  ASSERT_EQ(first.size(), 1u);
  advance(3'600'000);
  EXPECT_EQ(rows<UpkeepRow>()[0].at_ms, first[0].at_ms + 3'600'000);
}

}  // namespace
}  // namespace lepton::monitor::testing
