// From what the machine tells to series: each has its place, and what is absent stays away.

#include "services/node/telemetry/meter.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace lepton::node {
namespace {

TEST(Meter, EveryValueHasItsSeriesAndPart) {
  Sample s;
  s.cpu_use = 0.1;
  s.load_1m = 2;
  s.memory_use = 0.3;
  s.disk_use = 0.4;
  s.network_send_bytes_per_s = 5;
  s.gpus = {{"GPU-a", 0.6, 0.7, std::nullopt, 80}};
  auto const values = measures_of(s, {{"j-0-1", 1.5, std::nullopt}});
  std::vector<Measure> const expected{{Series::cpu_use, "", 0.1},
                                      {Series::load_1m, "", 2},
                                      {Series::memory_use, "", 0.3},
                                      {Series::disk_use, "", 0.4},
                                      {Series::network_send_bytes_per_s, "", 5},
                                      {Series::gpu_use, "GPU-a", 0.6},
                                      {Series::gpu_memory_use, "GPU-a", 0.7},
                                      {Series::gpu_temperature_celsius, "GPU-a", 80},
                                      {Series::task_cpu_cores, "j-0-1", 1.5}};
  EXPECT_EQ(values, expected);
}

TEST(Meter, MeasuresThisMachine) {
  MachineMeter meter({"/", "/proc", FAKE_NVML}, TaskMeter({}));
  auto const measured = meter.measure();
  EXPECT_EQ(measured.detail, "");
  auto const has = [&](Series series) {
    return std::any_of(measured.values.begin(), measured.values.end(),
                       [&](auto const& m) { return m.series == series; });
  };
  EXPECT_TRUE(has(Series::cpu_use));
  EXPECT_TRUE(has(Series::load_1m));
  EXPECT_TRUE(has(Series::disk_use));
  EXPECT_TRUE(has(Series::gpu_use));
  EXPECT_FALSE(has(Series::disk_read_bytes_per_s));  // of one look no rate is known
}

TEST(Meter, SaysWhatItCannotMeasure) {
  MachineMeter meter({"/", "/no-such-proc", "libno-such-nvml.so.1"}, TaskMeter({}));
  auto const measured = meter.measure();
  EXPECT_TRUE(measured.values.empty());
  EXPECT_EQ(measured.detail, "cannot read /no-such-proc/stat");
}

}  // namespace
}  // namespace lepton::node
