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

TEST(Loadavg, IsTheFirstNumber) {
  EXPECT_EQ(*parse_loadavg("0.52 0.58 0.59 1/467 11720\n"), 0.52);
  for (auto const* bad : {"", "x 1 2", "-1 0 0", "1x 0 0"}) EXPECT_FALSE(parse_loadavg(bad)) << bad;
}

TEST(Diskstats, CountsEachDiskOnce) {
  auto const all = parse_diskstats(
      "   7       0 loop0 9 0 9 0 9 0 9 0 0 0 0\n"
      "   8       0 sda 10 0 100 0 20 0 200 0 0 0 0\n"
      "   8       1 sda1 9 0 90 0 19 0 190 0 0 0 0\n"
      " 259       0 nvme0n1 1 0 3 0 1 0 4 0 0 0 0\n"
      " 259       1 nvme0n1p1 1 0 3 0 1 0 4 0 0 0 0\n"
      " 253       0 dm-0 9 0 90 0 9 0 90 0 0 0 0\n");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->in_bytes, 103 * 512);
  EXPECT_EQ(all->out_bytes, 204 * 512);
  EXPECT_EQ(parse_diskstats("")->in_bytes, 0);
  EXPECT_FALSE(parse_diskstats("8 0 sda 1 2"));
}

// Found by a fuzzer.
TEST(Diskstats, CountersThatAreAlmostFullBeginAnew) {
  auto const huge = "8 0 sda 1 1 9223372036854775807 1 1 1 101111111111111111 1 0 0 0\n";
  auto const all = parse_diskstats(std::string(huge) + "8 1 sdb 1 1 7 1 1 1 1 1 0 0 0\n");
  ASSERT_TRUE(all);
  EXPECT_GE(all->in_bytes, 0);
  EXPECT_GE(all->out_bytes, 0);
  auto const net = parse_net_dev(
      "a: 9223372036854775807 0 0 0 0 0 0 0 5 0\nb: 9223372036854775807 0 0 0 0 0 0 0 5 0\n");
  ASSERT_TRUE(net);
  EXPECT_GE(net->in_bytes, 0);
  EXPECT_EQ(net->out_bytes, 10);
}

TEST(NetDev, LeavesTheLoopbackOut) {
  auto const all = parse_net_dev(
      "Inter-|   Receive                            |  Transmit\n"
      " face |bytes    packets errs drop fifo frame |bytes    packets\n"
      "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n"
      "  eth0: 5000 1 0 0 0 0 0 0 7000 1 0 0 0 0 0 0\n"
      "  eth1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->in_bytes, 5'001);
  EXPECT_EQ(all->out_bytes, 7'002);
  EXPECT_FALSE(parse_net_dev("eth0: 1 2 3\n"));
}

}  // namespace
}  // namespace lepton::node
