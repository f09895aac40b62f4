#pragma once
// What this machine is and how busy it is. Reads /proc and the driver: may block, worker thread
// only.

#include <functional>
#include <memory>
#include <string>

#include "common/base/time.hpp"
#include "services/node/telemetry/numa.hpp"
#include "services/node/telemetry/nvml.hpp"
#include "services/node/telemetry/proc.hpp"

namespace lepton::node {

struct MachineFacts {
  std::string hostname;
  std::string kernel;               // release
  std::int64_t cpu_milli = 0;       // CPUs that this process may use, times 1000
  std::int64_t memory_mib = 0;      // of the machine, or of the container that this is
  std::int64_t disk_mib = 0;        // size of the file system of the state folder
  std::int64_t bandwidth_mbit = 0;  // of its physical interfaces together; 0: none says
  NumaCpus numa_cpus;
  std::vector<GpuFacts> gpus;
  std::string no_gpus_why;  // also when only some are missing
};

struct Sample {
  double cpu_use = 0;     // since the sample before, 0 to 1
  double memory_use = 0;  // not available for new work, 0 to 1
  std::int64_t disk_free_mib = 0;
  double disk_use = 0;  // of the file system of the state folder, 0 to 1
  // Absent where the kernel does not tell, and rates before a second look.
  std::optional<double> load_1m;
  std::optional<double> disk_read_bytes_per_s, disk_write_bytes_per_s;
  std::optional<double> network_receive_bytes_per_s, network_send_bytes_per_s;
  std::vector<GpuSample> gpus;
};

struct MachineOptions {
  std::string state_dir = "/";
  std::string proc = "/proc";
  std::string nvml_library = "libnvidia-ml.so.1";
  std::function<TimeMs()> now = [] { return SystemClock().now_ms(); };
  std::string cgroup = "/sys/fs/cgroup";
  std::string sys = "/sys";
};

class Machine {
 public:
  explicit Machine(MachineOptions options);

  Result<MachineFacts> discover() const;
  Result<Sample> sample();
  std::string const& no_gpus_why() const { return nvml_->reason(); }

 private:
  void add_rates(Sample& sample);

  MachineOptions options_;
  std::unique_ptr<Nvml> nvml_;
  CpuTimes before_;
  std::optional<TimeMs> looked_at_;
  std::optional<Traffic> disks_, network_;  // at the look before
};

}  // namespace lepton::node
