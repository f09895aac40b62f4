#include "services/node/telemetry/nvml.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace lepton::node {
namespace {

// Sets a variable for one test.
class Setting {
 public:
  Setting(char const* name, char const* value) : name_(name) { ::setenv(name, value, 1); }
  ~Setting() { ::unsetenv(name_); }

 private:
  char const* name_;
};

TEST(Nvml, FindsGpusOfTheDriver) {
  Nvml const nvml(FAKE_NVML);
  std::vector<GpuFacts> const expected{
      {0, "GPU-00000000-0000-0000-0000-000000000000", "Fake H200", 143771, "", "0000:01:00.0"},
      {1, "GPU-00000000-0000-0000-0000-000000000001", "Fake H200", 143771, "", "0000:02:00.0"}};
  EXPECT_EQ(nvml.gpus(), expected);
  EXPECT_EQ(nvml.reason(), "");
}

TEST(Nvml, SamplesAndLeavesOutWhatIsNotSupported) {
  auto const samples = Nvml(FAKE_NVML).sample();
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_DOUBLE_EQ(samples[0].use.value(), 0.40);
  EXPECT_DOUBLE_EQ(samples[1].use.value(), 0.41);
  EXPECT_NEAR(samples[0].memory_use.value(), 0.25, 0.001);
  EXPECT_DOUBLE_EQ(samples[0].power_watts.value(), 123.456);
  EXPECT_FALSE(samples[1].power_watts.has_value());
  EXPECT_DOUBLE_EQ(samples[1].temperature_celsius.value(), 55);
}

TEST(Nvml, NoLibraryMeansNoGpusAndAReason) {
  Nvml const nvml("libno-such-nvml.so.1");
  EXPECT_TRUE(nvml.gpus().empty());
  EXPECT_TRUE(nvml.sample().empty());
  EXPECT_EQ(nvml.reason(), "no NVIDIA driver library on this machine (libno-such-nvml.so.1)");
}

TEST(Nvml, AnOldLibraryIsNamedWithWhatItLacks) {
  Nvml const nvml(FAKE_NVML_OLD);
  EXPECT_TRUE(nvml.gpus().empty());
  EXPECT_NE(nvml.reason().find("nvmlDeviceGetTemperature"), std::string::npos) << nvml.reason();
}

TEST(Nvml, ADriverThatIsNotLoadedIsAReason) {
  Setting const code("FAKE_NVML_INIT", "9");
  Nvml const nvml(FAKE_NVML);
  EXPECT_TRUE(nvml.gpus().empty());
  EXPECT_EQ(nvml.reason(), "NVML did not start: the driver is not loaded (code 9)");
}

TEST(Nvml, ALostGpuIsLeftOutAndTheOthersStay) {
  Setting const gpus("FAKE_NVML_GPUS", "3"), lost("FAKE_NVML_LOST", "1");
  Nvml const nvml(FAKE_NVML);
  ASSERT_EQ(nvml.gpus().size(), 2u);
  EXPECT_EQ(nvml.gpus()[1].index, 2);
  EXPECT_EQ(nvml.reason(), "GPU 1 is left out: the GPU has fallen off the bus (code 15)");
}

TEST(Nvml, AGpuInMigModeIsItsInstancesAndNeverWhole) {
  Setting const mig("FAKE_NVML_MIG", "0");
  Nvml const nvml(FAKE_NVML);
  std::vector<GpuFacts> const expected{
      {0, "MIG-00000000-0000-0000-0000-000000000000", "Fake H200", 16384, "1g.18gb",
       "0000:01:00.0"},
      {0, "MIG-00000000-0000-0000-0000-000000000002", "Fake H200", 16384, "1g.18gb",
       "0000:01:00.0"},
      {1, "GPU-00000000-0000-0000-0000-000000000001", "Fake H200", 143771, "", "0000:02:00.0"}};
  EXPECT_EQ(nvml.gpus(), expected);
  EXPECT_EQ(nvml.reason(), "") << "an empty place is no fault";
  auto const samples = nvml.sample();
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].uuid, expected[0].uuid);
  EXPECT_FALSE(samples[0].use.has_value()) << "the driver does not tell it of instances";
  EXPECT_NEAR(samples[0].memory_use.value(), 0.25, 0.001);
}

TEST(Nvml, AnInstanceThatIsCutFurtherIsLeftOut) {
  Setting const mig("FAKE_NVML_MIG", "1"), name("FAKE_NVML_MIG_NAME", "1c.3g.71gb");
  Nvml const nvml(FAKE_NVML);
  ASSERT_EQ(nvml.gpus().size(), 1u);
  EXPECT_EQ(nvml.gpus()[0].index, 0);
  EXPECT_EQ(nvml.reason(),
            "MIG instance 0 of GPU 1 is left out: its profile '1c.3g.71gb' is not known; MIG "
            "instance 2 of GPU 1 is left out: its profile '1c.3g.71gb' is not known; GPU 1 is left "
            "out: it is in MIG mode and has no instance to offer");
}

TEST(Nvml, ADriverWithoutGpusSaysSo) {
  Setting const gpus("FAKE_NVML_GPUS", "0");
  EXPECT_EQ(Nvml(FAKE_NVML).reason(), "the NVIDIA driver sees no GPU");
}

}  // namespace
}  // namespace lepton::node
