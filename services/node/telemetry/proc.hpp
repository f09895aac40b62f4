#pragma once
// Parsers of the kernel's text files. Pure. Source: proc(5).

#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"

namespace lepton::node {

struct CpuTimes {
  std::int64_t busy_ticks = 0;   // all but idle and iowait, since boot
  std::int64_t total_ticks = 0;  // guest time is counted once: the kernel adds it to user time
  std::int64_t cpus = 0;         // online
};

struct Memory {
  std::int64_t total_mib = 0;
  std::int64_t available_mib = 0;  // what new work can take without swapping
};

// Since boot; counters that only rise.
struct Traffic {
  std::int64_t in_bytes = 0;   // read, received
  std::int64_t out_bytes = 0;  // written, sent
};

Result<CpuTimes> parse_proc_stat(std::string_view text);
Result<Memory> parse_meminfo(std::string_view text);
Result<double> parse_loadavg(std::string_view text);  // of the last minute
// All disks; neither their partitions nor what is built on top of them (loop, dm, md) again.
Result<Traffic> parse_diskstats(std::string_view text);
// All interfaces but the loopback.
Result<Traffic> parse_net_dev(std::string_view text);

// Share of all CPUs in use between two looks, 0 to 1; 0 when no time passed.
double cpu_use(CpuTimes const& before, CpuTimes const& after);

}  // namespace lepton::node
