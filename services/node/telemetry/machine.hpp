#pragma once
// What this machine is and how busy it is. Reads /proc and the driver: may block, worker thread
// only.

#include <memory>
#include <string>

#include "services/node/telemetry/nvml.hpp"
#include "services/node/telemetry/proc.hpp"

namespace lepton::node {

struct MachineFacts {
  std::string hostname;
  std::string kernel;          // release
  std::int64_t cpu_milli = 0;  // CPUs that this process may use, times 1000
  std::int64_t memory_mib = 0;
  std::int64_t disk_mib = 0;  // size of the file system of the state folder
  std::vector<GpuFacts> gpus;
  std::string no_gpus_why;  // also when only some are missing
};

struct Sample {
  double cpu_use = 0;     // since the sample before, 0 to 1
  double memory_use = 0;  // not available for new work, 0 to 1
  std::int64_t disk_free_mib = 0;
  std::vector<GpuSample> gpus;
};

struct MachineOptions {
  std::string state_dir = "/";
  std::string proc = "/proc";
  std::string nvml_library = "libnvidia-ml.so.1";
};

class Machine {
 public:
  explicit Machine(MachineOptions options);

  Result<MachineFacts> discover() const;
  Result<Sample> sample();

 private:
  MachineOptions options_;
  std::unique_ptr<Nvml> nvml_;
  CpuTimes before_;
};

}  // namespace lepton::node
