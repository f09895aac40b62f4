#include "services/node/runner/cgroup.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "services/node/runner/files.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {
namespace {

constexpr auto hybrid =
    "30 25 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
    "33 30 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw shared:15 - cgroup cgroup "
    "rw,cpu,cpuacct\n"
    "bad line\n";

TEST(CgroupMounts, AreReadOfBothVersions) {
  auto const mounts = parse_cgroup_mounts(hybrid);
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0], (CgroupMount{"/sys/fs/cgroup/unified", "/", true, {}}));
  EXPECT_EQ(mounts[1].path, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(mounts[1].root, "/docker/abc");
  EXPECT_TRUE(mounts[1].controllers.contains("cpu"));
}

TEST(OwnGroup, IsFoundByController) {
  constexpr auto text = "12:pids:/\n4:cpu,cpuacct:/docker/abc\n0::/user.slice:x\n";
  EXPECT_EQ(own_group(text, "cpuacct"), "/docker/abc");
  EXPECT_EQ(own_group(text, ""), "/user.slice:x");
  EXPECT_EQ(own_group(text, "memory"), "/");
}

// Plain folders that look like the kernel's: they take the values that would be set.
class FakeCgroup : public testing::Test {
 protected:
  void file(std::string const& path, std::string const& text = "") {
    auto const full = std::filesystem::path(folder_.path()) / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  std::string read(std::string const& path) {
    auto const text = read_file(folder_.path() + "/" + path, 1 << 20);
    return text ? *text : "absent";
  }
  Folder folder_;
};

TEST_F(FakeCgroup, Version2SetsLimitsBelowTheTop) {
  for (auto const* group : {"", "lepton/"}) {
    file(std::string(group) + "cgroup.controllers", "cpu memory pids\n");
    file(std::string(group) + "cgroup.subtree_control", "cpu memory pids\n");
  }
  for (auto const* name : {"cpu.max", "memory.max", "memory.oom.group", "pids.max"})
    file(std::string("lepton/a-1/") + name);
  auto const made = make_cgroup("1 0 0:1 / " + folder_.path() + " rw - cgroup2 cgroup2 rw\n",
                                "0::/\n", "a-1", {1500, 64, 10});
  EXPECT_EQ(made.enforced, (std::vector<std::string>{"cpu", "memory", "pids"}));
  EXPECT_EQ(made.groups, std::vector<std::string>{folder_.path() + "/lepton/a-1"});
  EXPECT_EQ(read("lepton/a-1/cpu.max"), "150000 100000");
  EXPECT_EQ(read("lepton/a-1/memory.max"), "67108864");
  EXPECT_EQ(read("lepton/a-1/pids.max"), "10");
}

TEST_F(FakeCgroup, AControllerThatIsNotPassedDownIsNamed) {
  file("cgroup.controllers", "cpu\n");
  file("cgroup.subtree_control");
  file("lepton/cgroup.controllers");
  auto const made = make_cgroup("1 0 0:1 / " + folder_.path() + " rw - cgroup2 cgroup2 rw\n",
                                "0::/\n", "a-1", {0, 64, 0});
  EXPECT_TRUE(made.enforced.empty());
  ASSERT_EQ(made.not_enforced.size(), 1u);
  EXPECT_EQ(made.not_enforced[0].what, "memory");
  EXPECT_EQ(made.not_enforced[0].why,
            "the memory controller is not available in " + folder_.path());
}

TEST_F(FakeCgroup, Version1StaysBelowTheOwnGroup) {
  file("docker/abc/lepton/a-1/cpu.cfs_period_us");
  file("docker/abc/lepton/a-1/cpu.cfs_quota_us");
  auto const made = make_cgroup("1 0 0:1 / " + folder_.path() + " rw - cgroup cgroup rw,cpu\n",
                                "4:cpu:/docker/abc\n", "a-1", {5, 0, 3});
  EXPECT_EQ(made.enforced, std::vector<std::string>{"cpu"});
  EXPECT_EQ(read("docker/abc/lepton/a-1/cpu.cfs_quota_us"), "1000");  // the kernel's least
  ASSERT_EQ(made.not_enforced.size(), 1u);
  EXPECT_EQ(made.not_enforced[0].what, "pids");
}

TEST_F(FakeCgroup, OomKillsAreCountedInBothVersions) {
  file("v1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
  file("v2/memory.events", "low 0\noom 9\noom_kill 2\n");
  EXPECT_EQ(oom_kills({folder_.path() + "/none", folder_.path() + "/v1"}), 3);
  EXPECT_EQ(oom_kills({folder_.path() + "/v2"}), 2);
  EXPECT_EQ(oom_kills({}), 0);
}

TEST_F(FakeCgroup, OtherLimitsGoWhereTheVersionHasThem) {
  for (auto const* name : {"v2/cpu.max", "v2/memory.max", "v2/memory.oom.group",
                           "v1/cpu.cfs_period_us", "v1/cpu.cfs_quota_us"})
    file(name);
  file("v2/memory.current", std::to_string(50 << 20));
  ASSERT_TRUE(change_limits({folder_.path() + "/v2", folder_.path() + "/v1"}, {2'000, 128}));
  EXPECT_EQ(read("v2/cpu.max"), "200000 100000");
  EXPECT_EQ(read("v2/memory.max"), "134217728");
  EXPECT_EQ(read("v1/cpu.cfs_quota_us"), "200000");
  EXPECT_EQ(read("v1/memory.limit_in_bytes"), "absent");
}

TEST_F(FakeCgroup, MemoryInUseIsNotTakenButCachedFilesAre) {
  file("g/memory.max", "before");
  file("g/memory.oom.group");
  file("g/memory.current", std::to_string(100 << 20));
  file("g/memory.stat", "anon 1\ninactive_file " + std::to_string(60 << 20) + "\n");
  EXPECT_EQ(memory_in_use_mib({folder_.path() + "/g"}), 40);
  auto const refused = change_limits({folder_.path() + "/g"}, {0, 39});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (Error{Code::conflict, "40 MiB are in use, which is more than 39 MiB"}));
  EXPECT_EQ(read("g/memory.max"), "before");
  EXPECT_TRUE(change_limits({folder_.path() + "/g"}, {0, 40}));
  EXPECT_TRUE(change_limits({folder_.path() + "/g"}, {500, 0})) << "no limit takes nothing";
  file("v1/memory.usage_in_bytes", std::to_string(10 << 20));
  file("v1/memory.stat", "total_inactive_file " + std::to_string(4 << 20) + "\n");
  EXPECT_EQ(memory_in_use_mib({folder_.path() + "/v1"}), 6);
  EXPECT_EQ(memory_in_use_mib({}), std::nullopt);
}

TEST_F(FakeCgroup, AGroupThatRefusesIsNotJoined) {
  file("g/cgroup.procs");
  EXPECT_TRUE(join_groups({folder_.path() + "/g"}));
  EXPECT_EQ(read("g/cgroup.procs"), "0");
  EXPECT_FALSE(join_groups({folder_.path() + "/g", folder_.path() + "/gone"}));
}

}  // namespace
}  // namespace lepton::node
