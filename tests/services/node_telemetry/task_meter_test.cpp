// Attempts measured by control groups that the test lays out as files, version 2 and 1.

#include "services/node/telemetry/task_meter.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lepton::node {
namespace {

namespace fs = std::filesystem;

class TaskMeterTest : public ::testing::Test {
 protected:
  fs::path const top = fs::temp_directory_path() / ("lepton_tasks." + std::to_string(::getpid()));
  void TearDown() override { fs::remove_all(top); }
  void write(std::string const& path, std::string const& text) {
    fs::create_directories((top / path).parent_path());
    std::ofstream(top / path) << text;
  }
};

TEST_F(TaskMeterTest, VersionTwo) {
  write("lepton/j-0-1/cpu.stat", "usage_usec 5000000\nuser_usec 1\n");
  write("lepton/j-0-1/memory.current", "104857600\n");
  write("lepton/j-1-1/cpu.stat", "usage_usec 0\n");
  TaskMeter meter({top});
  auto const first = meter.sample(10'000);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0], (TaskSample{"j-0-1", {}, 100}));  // of one look no rate is known
  write("lepton/j-0-1/cpu.stat", "usage_usec 8000000\n");
  auto const second = meter.sample(12'000);
  EXPECT_EQ(second[0].cpu_cores, 1.5);
  EXPECT_EQ(second[1].cpu_cores, 0);
  EXPECT_EQ(second[1].memory_mib, std::nullopt);
}

TEST_F(TaskMeterTest, VersionOneInItsSeveralHierarchies) {
  write("cpu/lepton/j-0-1/cpuacct.usage", "1000000000\n");
  write("memory/lepton/j-0-1/memory.usage_in_bytes", "1048576\n");
  TaskMeter meter({top / "cpu", top / "memory", top / "none"});
  (void)meter.sample(1'000);
  write("cpu/lepton/j-0-1/cpuacct.usage", "1250000000\n");
  auto const seen = meter.sample(2'000);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0], (TaskSample{"j-0-1", 0.25, 1}));
}

TEST_F(TaskMeterTest, AttemptsThatEndedAreGoneAndNothingIsMadeUp) {
  write("lepton/j-0-1/cpu.stat", "usage_usec 5000000\n");
  write("lepton/j-0-1/cgroup.procs", "");
  TaskMeter meter({top});
  ASSERT_EQ(meter.sample(1'000).size(), 1u);
  write("lepton/j-0-1/cpu.stat", "usage_usec 100\n");  // another group of that name
  EXPECT_EQ(meter.sample(2'000)[0].cpu_cores, std::nullopt);
  fs::remove_all(top / "lepton/j-0-1");
  EXPECT_TRUE(meter.sample(3'000).empty());
  write("lepton/j-0-1/cpu.stat", "nonsense");
  EXPECT_EQ(meter.sample(4'000)[0], (TaskSample{"j-0-1", {}, {}}));
}

TEST_F(TaskMeterTest, AttemptsOfOtherNodesOfTheMachineAreNotOurs) {
  write("lepton/mine/memory.current", "1048576\n");
  write("lepton/theirs/memory.current", "1048576\n");
  fs::create_directories(top / "attempts/mine");
  TaskMeter meter({top}, top / "attempts");
  auto const seen = meter.sample(1'000);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].attempt, "mine");
}

TEST_F(TaskMeterTest, HasALimit) {
  for (std::size_t i = 0; i < TaskMeter::tasks_max + 3; ++i)
    fs::create_directories(top / "lepton" / std::to_string(i));
  EXPECT_EQ(TaskMeter({top}).sample(1).size(), TaskMeter::tasks_max);
}

TEST_F(TaskMeterTest, ThisMachineCanBeLookedAt) {
  auto meter = TaskMeter::of_this_machine("");
  auto const first = meter.sample(1'000);
  EXPECT_LE(first.size(), TaskMeter::tasks_max);
}

}  // namespace
}  // namespace lepton::node
