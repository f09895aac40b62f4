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

// The group of the runner holds the watcher of a container; the engine's group holds the container.
class ContainerMeterTest : public TaskMeterTest {
 protected:
  std::map<std::string, pid_t> pids;  // of attempts that are containers
  int asked = 0;

  TaskMeter meter() {
    auto const mounts = "30 20 0:26 / " + top.string() + "/cg rw - cgroup2 cgroup2 rw\n";
    auto const find = [this](std::string const& attempt) -> Result<std::optional<pid_t>> {
      ++asked;
      auto const found = pids.find(attempt);
      if (found == pids.end()) return std::optional<pid_t>();
      if (found->second < 0) return Error{Code::unavailable, "the engine is away"};
      return std::optional<pid_t>(found->second);
    };
    return TaskMeter({top / "cg"}, "", ContainerGroups(mounts, find, top / "proc"));
  }
  void run(std::string const& attempt, pid_t pid, std::string const& group) {
    pids[attempt] = pid;
    write("proc/" + std::to_string(pid) + "/cgroup", "0::" + group + "\n");
    write("cg" + group + "/memory.current", "209715200\n");
    write("cg" + group + "/cpu.stat", "usage_usec 1000000\n");
  }
};

TEST_F(ContainerMeterTest, AContainerIsMeasuredByTheEnginesGroup) {
  write("cg/lepton/j-0-1/cpu.stat", "usage_usec 70\n");
  write("cg/lepton/j-0-1/memory.current", "1048576\n");
  write("cg/lepton/j-1-1/memory.current", "1048576\n");
  run("j-0-1", 42, "/docker/abc");
  auto m = meter();
  auto const first = m.sample(1'000);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0], (TaskSample{"j-0-1", {}, 200}));
  EXPECT_EQ(first[1], (TaskSample{"j-1-1", {}, 1})) << "no container";
  write("cg/docker/abc/cpu.stat", "usage_usec 2500000\n");
  EXPECT_EQ(m.sample(2'000)[0], (TaskSample{"j-0-1", 1.5, 200}));
  EXPECT_EQ(asked, 2) << "once for each";
}

TEST_F(ContainerMeterTest, OneThatDoesNotRunYetIsAskedAboutAgain) {
  write("cg/lepton/j-0-1/cpu.stat", "usage_usec 70\n");
  pids["j-0-1"] = 0;
  auto m = meter();
  (void)m.sample(1'000);
  run("j-0-1", 42, "/docker/abc");
  EXPECT_EQ(m.sample(2'000)[0].memory_mib, std::nullopt) << "not with each look";
  EXPECT_EQ(m.sample(6'000)[0], (TaskSample{"j-0-1", {}, 200}))
      << "the rate of another group is not that of this one";
  EXPECT_EQ(asked, 2);
  fs::remove_all(top / "cg/docker/abc");
  pids["j-0-1"] = -1;
  EXPECT_EQ(m.sample(12'000)[0].memory_mib, std::nullopt) << "it has ended";
  EXPECT_EQ(asked, 3);
}

TEST_F(ContainerMeterTest, TheWholeMachineIsNoContainer) {
  write("cg/lepton/j-0-1/cpu.stat", "usage_usec 70\n");
  write("cg/memory.current", "99999999999\n");
  pids["j-0-1"] = 42;
  write("proc/42/cgroup", "0::/\n");
  auto m = meter();
  EXPECT_EQ(m.sample(1'000)[0].memory_mib, std::nullopt);
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
