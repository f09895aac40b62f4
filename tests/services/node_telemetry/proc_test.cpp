#include "services/node/telemetry/proc.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::node {
namespace {

constexpr auto stat_text =
    "cpu  1000 20 300 5000 400 6 7 8 100 0\n"
    "cpu0 500 10 150 2500 200 3 4 4 50 0\n"
    "cpu1 500 10 150 2500 200 3 3 4 50 0\n"
    "intr 123 0 0\nctxt 99\nbtime 1700000000\nprocesses 5\n";

TEST(ProcStat, CountsGuestTimeOnceAndIowaitAsIdle) {
  auto const times = parse_proc_stat(stat_text);
  ASSERT_TRUE(times);
  EXPECT_EQ(times->busy_ticks, 1000 + 20 + 300 + 6 + 7 + 8);
  EXPECT_EQ(times->total_ticks, times->busy_ticks + 5000 + 400);
  EXPECT_EQ(times->cpus, 2);
}

TEST(ProcStat, AcceptsTheShortLineOfOldKernels) {
  auto const times = parse_proc_stat("cpu 1 2 3 4\ncpu0 1 2 3 4\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->busy_ticks, 6);
  EXPECT_EQ(times->total_ticks, 10);
}

TEST(ProcStat, RefusesWhatIsNotStat) {
  for (auto const* text : {"", "cpu\n", "cpu a b c d\n", "cpu -1 2 3 4\ncpu0 1 2 3 4\n",
                           "cpu 1 2 3 4\n", "cpufreq 1 2 3 4\n"})
    EXPECT_FALSE(parse_proc_stat(text)) << text;
}

TEST(CpuUse, IsTheShareOfBusyTicks) {
  EXPECT_DOUBLE_EQ(cpu_use({100, 200, 2}, {150, 400, 2}), 0.25);
  EXPECT_DOUBLE_EQ(cpu_use({100, 200, 2}, {100, 200, 2}), 0);
  EXPECT_DOUBLE_EQ(cpu_use({100, 200, 2}, {90, 300, 2}), 0);  // counters may step back
}

TEST(Meminfo, ReadsTotalAndAvailable) {
  auto const memory = parse_meminfo(
      "MemTotal:       32768000 kB\nMemFree:        1 kB\nMemAvailable:   16384000 kB\n"
      "HugePages_Total:       0\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_mib, 32000);
  EXPECT_EQ(memory->available_mib, 16000);
}

TEST(Meminfo, RefusesWhatLacksAValue) {
  for (auto const* text :
       {"", "MemTotal: 1024 kB\n", "MemTotal: x kB\nMemAvailable: 1 kB\n",
        "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "MemTotal: 1024\nMemAvailable: 1024\n"})
    EXPECT_FALSE(parse_meminfo(text)) << text;
}

RC_GTEST_PROP(ProcParsers, AnyTextIsRefusedOrRead, (std::string const& text)) {
  if (auto const times = parse_proc_stat("cpu " + text))
    RC_ASSERT(times->total_ticks >= times->busy_ticks);
  if (auto const memory = parse_meminfo("MemTotal: " + text)) RC_ASSERT(memory->total_mib >= 0);
}

}  // namespace
}  // namespace lepton::node
