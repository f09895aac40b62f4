#include "services/node/telemetry/machine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lepton::node {
namespace {

TEST(Machine, DiscoversThisMachine) {
  Machine const machine({"/", "/proc", FAKE_NVML});
  auto const facts = machine.discover();
  ASSERT_TRUE(facts) << facts.error().what;
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  EXPECT_EQ(facts->hostname, name);
  EXPECT_FALSE(facts->kernel.empty());
  EXPECT_GE(facts->cpu_milli, 1000);
  EXPECT_LE(facts->cpu_milli, 1000 * ::sysconf(_SC_NPROCESSORS_CONF));
  EXPECT_GT(facts->memory_mib, 0);
  EXPECT_GT(facts->disk_mib, 0);
  EXPECT_EQ(facts->gpus.size(), 2u);
}

TEST(Machine, InAContainerItHasTheMemoryOfThat) {
  auto const folder = std::filesystem::temp_directory_path() /
                      ("lepton_machine_cgroup." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "memory");
  auto const memory_mib = [&] {
    MachineOptions options{"/", "/proc", FAKE_NVML};
    options.cgroup = folder;
    auto const facts = Machine(options).discover();
    return facts ? facts->memory_mib : -1;
  };
  auto const all = memory_mib();
  EXPECT_GT(all, 64);
  std::ofstream(folder / "memory/memory.limit_in_bytes") << "9223372036854771712\n";
  EXPECT_EQ(memory_mib(), all) << "version 1 without a limit";
  std::ofstream(folder / "memory/memory.limit_in_bytes") << (64 << 20) << "\n";
  EXPECT_EQ(memory_mib(), 64);
  std::filesystem::remove_all(folder / "memory");
  std::ofstream(folder / "memory.max") << "max\n";
  EXPECT_EQ(memory_mib(), all) << "version 2 without a limit";
  std::ofstream(folder / "memory.max") << (32 << 20) << "\n";
  EXPECT_EQ(memory_mib(), 32);
  std::filesystem::remove_all(folder);
}

TEST(Machine, SamplesBetweenTwoLooks) {
  auto const proc = std::filesystem::temp_directory_path() /
                    ("lepton_machine_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(proc);
  std::ofstream(proc / "stat") << "cpu 100 0 0 100\ncpu0 100 0 0 100\n";
  std::ofstream(proc / "meminfo") << "MemTotal: 1048576 kB\nMemAvailable: 262144 kB\n";
  Machine machine({"/", proc.string(), FAKE_NVML});
  std::ofstream(proc / "stat") << "cpu 130 0 0 110\ncpu0 130 0 0 110\n";
  auto const sample = machine.sample();
  std::filesystem::remove_all(proc);
  ASSERT_TRUE(sample) << sample.error().what;
  EXPECT_DOUBLE_EQ(sample->cpu_use, 0.75);
  EXPECT_DOUBLE_EQ(sample->memory_use, 0.75);
  EXPECT_GT(sample->disk_free_mib, 0);
  EXPECT_EQ(sample->gpus.size(), 2u);
}

TEST(Machine, RatesAreOfTheTimeBetweenTwoLooks) {
  auto const proc =
      std::filesystem::temp_directory_path() / ("lepton_rates_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(proc / "net");
  auto const write = [&](char const* disk, char const* net) {
    std::ofstream(proc / "diskstats") << "8 0 sda 1 1 " << disk << " 1 0 0 0\n";
    std::ofstream(proc / "net/dev") << "titles\ntitles\neth0: " << net << " 0 0 0 0 0 0 0\n";
  };
  std::ofstream(proc / "stat") << "cpu 100 0 0 100\ncpu0 100 0 0 100\n";
  std::ofstream(proc / "meminfo") << "MemTotal: 1048576 kB\nMemAvailable: 262144 kB\n";
  std::ofstream(proc / "loadavg") << "1.25 0 0 1/2 3\n";
  write("100 1 1 1 10", "1000 0 0 0 0 0 0 0 500");
  TimeMs now = 5'000;
  Machine machine({"/", proc.string(), "libno-such-nvml.so.1", [&] { return now; }});
  auto const first = machine.sample();
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->load_1m, 1.25);
  EXPECT_EQ(first->disk_read_bytes_per_s, std::nullopt);
  EXPECT_GT(first->disk_use, 0);
  EXPECT_LE(first->disk_use, 1);
  now += 2'000;
  write("104 1 1 1 12", "3000 0 0 0 0 0 0 0 1500");
  auto const second = machine.sample();
  EXPECT_EQ(second->disk_read_bytes_per_s, 1'024);
  EXPECT_EQ(second->disk_write_bytes_per_s, 512);
  EXPECT_EQ(second->network_receive_bytes_per_s, 1'000);
  EXPECT_EQ(second->network_send_bytes_per_s, 500);
  now += 1'000;
  write("200 1 1 1 12", "10 0 0 0 0 0 0 0 2000");
  auto const third = machine.sample();
  std::filesystem::remove_all(proc);
  EXPECT_EQ(third->network_receive_bytes_per_s, std::nullopt);  // it began anew
  EXPECT_EQ(third->network_send_bytes_per_s, 500);
}

TEST(Machine, SaysWhatItCannotRead) {
  Machine machine({"/", "/no-such-proc", "libno-such-nvml.so.1"});
  auto const facts = machine.discover();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().what, "cannot read /no-such-proc/stat");
  Machine const no_disk({"/no-such-folder", "/proc", "libno-such-nvml.so.1"});
  EXPECT_FALSE(no_disk.discover());
}

}  // namespace
}  // namespace lepton::node
