// Services that are scaled by what they use: asked of the monitor, told to the scaler.

#include "tests/services/deployer/services_rig.hpp"

namespace lepton::deployer::testing {
namespace {

class UseTest : public ServicesTest {
 protected:
  ServiceSpec by(ScaleSignal signal, std::uint32_t replicas) {
    auto s = web(replicas);
    s.max = 4;
    s.scale = ScaleSettings{"hpa", signal, 0.7, {}, 0};
    s.scale->limits.min = replicas;
    s.scale->limits.max = 4;
    if (signal == ScaleSignal::gpu) s.task.resources.gpus = 1;
    return s;
  }
  void serve(ServiceSpec const& s) {
    ASSERT_TRUE(apply(s));
    live(1);
    for (auto const& put : open_requests<ServiceScalePut>())
      reply_to<ServiceScalePut>(put, ScaleWanted{s.min, 1});
    live(2);
    ASSERT_EQ(ready(), s.min);
  }
  // The monitor's answer to the newest question; the keys of that question.
  std::vector<SeriesKey> monitor_says(std::vector<std::optional<double>> const& values) {
    auto const asked = open_requests<SeriesNewest>();
    EXPECT_FALSE(asked.empty());
    if (asked.empty()) return {};
    SeriesValues answer;
    for (auto const& value : values) answer.values.push_back({value});
    reply_to<SeriesNewest>(asked.back(), answer);
    return codec::decode<SeriesNewest>(asked.back().body)->keys;
  }
  // What is reported next.
  ServiceReport reported() {
    for (auto const& old : open_requests<ServiceReport>())
      reply_to<ServiceReport>(old, ScaleWanted{static_cast<std::uint32_t>(ready()), 1});
    for (int i = 0; i < 20 && open_requests<ServiceReport>().empty(); ++i) advance(100), rest();
    auto const reports = open_requests<ServiceReport>();
    EXPECT_FALSE(reports.empty());
    return reports.empty() ? ServiceReport{} : *codec::decode<ServiceReport>(reports.back().body);
  }
};

TEST_F(UseTest, CpuIsToldAsSharesOfAReplica) {
  serve(by(ScaleSignal::cpu, 2));
  auto const keys = monitor_says({0.4, 0.25});
  ASSERT_EQ(keys.size(), 2u);
  std::set<std::string> parts;
  for (auto const& replica : show().replicas) parts.insert(attempt_of(replica).value);
  for (auto const& key : keys) {
    EXPECT_EQ(key.node.value, "n1");
    EXPECT_EQ(key.series, Series::task_cpu_cores);
    EXPECT_TRUE(parts.contains(key.part)) << key.part;
  }
  auto const report = reported();
  ASSERT_TRUE(report.cpu);
  EXPECT_DOUBLE_EQ(*report.cpu, 1.3) << "0.65 cores of two times half a core";
  EXPECT_EQ(report.silent, 0u);
  EXPECT_EQ(report.ready, 2u);
  EXPECT_FALSE(report.gpu);
}

TEST_F(UseTest, WhoIsNotMeasuredIsSilentNotIdle) {
  serve(by(ScaleSignal::cpu, 2));
  monitor_says({0.4, std::nullopt});
  auto const report = reported();
  EXPECT_EQ(report.silent, 1u);
  ASSERT_TRUE(report.cpu);
  EXPECT_DOUBLE_EQ(*report.cpu, 0.8);
}

TEST_F(UseTest, WithoutAMonitorTheReportGoesOnWithoutUse) {
  serve(by(ScaleSignal::cpu, 2));
  auto const report = reported();
  EXPECT_FALSE(report.cpu);
  EXPECT_EQ(report.silent, 2u);
  EXPECT_TRUE(report.concurrency) << "the entrance is seen all the same";
  monitor_says({0.4, 0.4});
  for (int i = 0; i < 16; ++i) live(1);
  EXPECT_EQ(reported().silent, 2u) << "old figures do not count";
}

TEST_F(UseTest, GpuIsThatOfTheDevicesThatItHolds) {
  serve(by(ScaleSignal::gpu, 1));
  auto const keys = monitor_says({0.9});
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].series, Series::gpu_use);
  EXPECT_EQ(keys[0].part.rfind("GPU-", 0), 0u);
  EXPECT_EQ(reported().gpu, 0.9);
}

TEST_F(UseTest, ASignalThatNobodyCouldMeasureIsRefused) {
  auto shared = by(ScaleSignal::gpu, 1);
  shared.task.resources.gpu_milli = 500;
  EXPECT_EQ(outcome(apply(shared)), "invalid");
  auto paced = by(ScaleSignal::cpu, 1);
  paced.scale->policy = "kpa";
  EXPECT_EQ(outcome(apply(paced)), "invalid");
  auto nothing = by(ScaleSignal::cpu, 1);
  nothing.task.resources.cpu_milli = 0;
  EXPECT_EQ(outcome(apply(nothing)), "invalid");
}

}  // namespace
}  // namespace lepton::deployer::testing
