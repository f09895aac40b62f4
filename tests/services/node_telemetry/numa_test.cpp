#include "services/node/telemetry/numa.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lepton::node {
namespace {

class NumaTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(sys_); }
  void TearDown() override { std::filesystem::remove_all(sys_); }
  void write(std::string const& path, std::string const& content) {
    auto const file = sys_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  std::filesystem::path const sys_ =
      std::filesystem::temp_directory_path() / ("lepton_numa." + std::to_string(::getpid()));
};

TEST_F(NumaTest, ADeviceHangsOnTheNodeThatTheKernelNames) {
  write("bus/pci/devices/0000:3b:00.0/numa_node", "1\n");
  write("bus/pci/devices/0000:3c:00.0/numa_node", "-1\n");
  write("bus/pci/devices/0000:3d:00.0/numa_node", "many\n");
  EXPECT_EQ(numa_of_pci(sys_, "0000:3b:00.0"), 1);
  EXPECT_EQ(numa_of_pci(sys_, "0000:3c:00.0"), -1);
  EXPECT_EQ(numa_of_pci(sys_, "0000:3d:00.0"), -1);
  EXPECT_EQ(numa_of_pci(sys_, "0000:99:00.0"), -1);
  EXPECT_EQ(numa_of_pci(sys_, ""), -1);
}

TEST_F(NumaTest, OnlyCpusThatItMayUseAreOffered) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  ASSERT_EQ(::sched_getaffinity(0, sizeof usable, &usable), 0);
  int mine = 0;
  while (!CPU_ISSET(static_cast<std::size_t>(mine), &usable)) ++mine;
  write("devices/system/node/node0/cpulist", std::to_string(mine) + ",1023\n");
  write("devices/system/node/node1/cpulist", "1023\n");
  write("devices/system/node/node2/cpulist", "\n");
  write("devices/system/node/node3/cpulist", "nonsense\n");
  write("devices/system/node/possible", "0-3\n");
  EXPECT_EQ(usable_numa_cpus(sys_), (NumaCpus{{0, std::to_string(mine)}}));
  EXPECT_TRUE(usable_numa_cpus("/no-such-sys").empty());
}

}  // namespace
}  // namespace lepton::node
