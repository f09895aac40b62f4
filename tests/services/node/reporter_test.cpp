// The reporter: what it tells the monitor, and that an absent monitor or a slow driver costs
// samples only.

#include "services/node/reporter.hpp"

#include "tests/common/harness/service_harness.hpp"

namespace lepton::node::testing {
namespace {

struct FakeMeter final : Meter {
  Measured next{{{Series::cpu_use, "", 0.5}}, ""};
  int calls = 0;
  Measured measure() override {
    ++calls;
    return next;
  }
};

class ReporterTest : public test::ServiceHarness {
 protected:
  std::shared_ptr<FakeMeter> meter = std::make_shared<FakeMeter>();
  std::shared_ptr<NodeState> ordered = std::make_shared<NodeState>(NodeState::ready);
  ReporterSettings reporter_settings{.node = NodeId{"n1"}, .boot_id = "boot-1"};

  ReporterTest() {
    settings.durable = false;
    settings.streams.clear();
  }
  void SetUp() override {
    boot_service("telemetry",
                 [this] { return std::make_unique<Reporter>(reporter_settings, meter, ordered); });
    rest();
  }
  void rest() {
    settle();
    while (!worker.done.empty()) {
      pop(worker.done);
      settle();
    }
  }
  void second() {
    advance(1'000);
    rest();
  }
  std::vector<NodeReport> out() {
    std::vector<NodeReport> reports;
    for (auto const& request : open_requests<NodeReport>())
      reports.push_back(*codec::decode<NodeReport>(request.body));
    return reports;
  }
  void answer(Result<ReportTaken> const& taken = ReportTaken{NodeState::ready}) {
    auto const open = open_requests<NodeReport>();
    ASSERT_FALSE(open.empty());
    reply_to<NodeReport>(open.back(), taken);
    rest();
  }
};

TEST_F(ReporterTest, TellsOneSampleASecond) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(out().size(), 1u);
    auto const report = out()[0];
    EXPECT_EQ(report.node.value, "n1");
    EXPECT_EQ(report.boot_id, "boot-1");
    ASSERT_EQ(report.samples.size(), 1u);
    EXPECT_EQ(report.samples[0].age_ms, 0);
    EXPECT_EQ(report.samples[0].values, meter->next.values);
    answer();
    second();
  }
}

TEST_F(ReporterTest, OneReportIsOutAtATimeAndTheNextBringsWhatWaited) {
  second();
  EXPECT_EQ(out().size(), 1u);
  answer();
  second();
  auto const report = out().at(0);
  ASSERT_EQ(report.samples.size(), 2u);
  EXPECT_EQ(report.samples[0].age_ms, 1'000);
  EXPECT_EQ(report.samples[1].age_ms, 0);
}

TEST_F(ReporterTest, WhatWasRefusedIsToldAgain) {
  answer(Error{Code::unavailable, "the store is away"});
  second();
  ASSERT_EQ(out().size(), 1u);
  EXPECT_EQ(out()[0].samples.size(), 2u);
}

TEST_F(ReporterTest, AnAbsentMonitorCostsTheOldestSamplesOnly) {
  for (int i = 0; i < 100; ++i) second();  // each report that is out ends with its timeout
  auto const report = out().back();
  EXPECT_GE(report.samples.size(), 29u);
  EXPECT_LE(report.samples.size(), 30u);
  EXPECT_GE(report.dropped, 69u);
  EXPECT_LE(report.dropped, 71u);
  EXPECT_EQ(report.samples.back().age_ms, 0);
  answer();
  second();
  EXPECT_LE(out().back().samples.size(), 2u);
}

TEST_F(ReporterTest, ASlowDriverStopsMeasurementsNotReports) {
  answer();
  advance(1'000);  // the measurement hangs
  EXPECT_EQ(meter->calls, 2);
  advance(1'000);
  EXPECT_EQ(meter->calls, 2);
  ASSERT_EQ(out().size(), 1u);
  EXPECT_TRUE(out()[0].samples.empty());
  rest();
}

TEST_F(ReporterTest, SaysThatItDrainsAndWhatItCannotMeasure) {
  answer();
  *ordered = NodeState::draining;
  meter->next.detail = "no GPUs: the driver is not loaded";
  second();
  EXPECT_TRUE(out().at(0).draining);
  EXPECT_EQ(out()[0].detail, "no GPUs: the driver is not loaded");
}

TEST_F(ReporterTest, AReportHasALimit) {
  answer();
  meter->next.values.assign(1'500, {Series::gpu_use, "GPU-a", 1});
  second();
  second();
  answer();
  second();
  EXPECT_EQ(out().at(0).samples.size(), 1u);  // two wait, and would be too many values
}

TEST_F(ReporterTest, ASampleThatIsTooLargeIsCutAndSaidToBe) {
  answer();
  meter->next.values.assign(2'500, {Series::gpu_use, "GPU-a", 1});
  second();
  auto const report = out().at(0);
  EXPECT_EQ(report.samples.at(0).values.size(), 2'000u);
  EXPECT_FALSE(report.detail.empty());
}

TEST_F(ReporterTest, SamplesOfASleepAreNotTold) {
  second();
  clock.now += 3'600'000;
  answer();
  second();
  auto const report = out().back();
  ASSERT_EQ(report.samples.size(), 1u);
  EXPECT_EQ(report.samples[0].age_ms, 0);
  EXPECT_GE(report.dropped, 1u);
}

}  // namespace
}  // namespace lepton::node::testing
