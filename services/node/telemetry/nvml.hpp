#pragma once
// NVIDIA GPUs through NVML, loaded at run time: a machine without the driver has no GPUs, and a
// reason for people, never an error. A GPU in MIG mode is given as the instances that it is cut
// into, each with its own UUID, and never as a whole. The prototypes are our own, from NVML's
// documented ABI. Calls may block in the driver: worker thread only, one call at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lepton::node {

struct GpuFacts {
  std::int64_t index = 0;  // NVML's, which follows the PCI bus; of an instance its GPU's
  std::string uuid;
  std::string model;
  std::int64_t memory_mib = 0;
  std::string mig_profile;  // of an instance; else empty
  std::string pci;          // its address on the bus, 0000:3b:00.0; empty: the driver does not say
  std::int32_t numa = -1;   // NUMA node, for Machine to find; -1: nobody says
  bool operator==(GpuFacts const&) const = default;
};

// A value that the device does not support is absent, never 0.
struct GpuSample {
  std::string uuid;
  std::optional<double> use;         // share of time with a kernel running, 0 to 1
  std::optional<double> memory_use;  // share of memory taken, 0 to 1
  std::optional<double> power_watts;
  std::optional<double> temperature_celsius;
};

class Nvml {
 public:
  // Never fails: without the library or driver the list of GPUs is empty and `reason` says why.
  explicit Nvml(std::string const& library = "libnvidia-ml.so.1");
  Nvml(Nvml const&) = delete;
  Nvml& operator=(Nvml const&) = delete;
  ~Nvml();

  std::vector<GpuFacts> const& gpus() const { return gpus_; }

  // Why there are no GPUs or fewer than the driver counts; "" when all is well.
  std::string const& reason() const { return reason_; }

  std::vector<GpuSample> sample() const;

 private:
  struct Calls;
  struct Device {
    void* handle;
    std::string uuid;
  };

  void discover();
  void add_gpu(unsigned index);
  void add_instances(unsigned index, void* parent, GpuFacts const& whole);
  std::string pci_of(void* device) const;
  void leave_out(std::string const& what, std::string const& why);

  void* library_ = nullptr;
  Calls* calls_ = nullptr;
  bool started_ = false;
  std::vector<Device> devices_;
  std::vector<GpuFacts> gpus_;
  std::string reason_;
};

}  // namespace lepton::node
