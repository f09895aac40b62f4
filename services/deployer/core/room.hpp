#pragma once
// Room: what is free on one node. Everything a placement decision needs to know of a node except
// its state; small and copyable, so that a gang can be tried on copies.
// Units: CPU in thousandths of a core, memory and disk in MiB, bandwidth in Mbit/s, GPU shares in
// thousandths of a GPU.
// Owned by Cluster, or by one decision; one thread. Errors: take() refuses what would not fit.

#include <cstdint>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/values.hpp"
#include "services/deployer/core/ports.hpp"

namespace lepton::deployer {

inline constexpr std::uint32_t whole_gpu = 1000;

// A GPU model as a small number, given by the Cluster (Cluster::model_index). MIG instances of one
// profile are a model of their own, so that nothing takes them for whole GPUs.
using ModelIndex = std::uint32_t;

struct Device {
  ModelIndex model = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t free_milli = whole_gpu;
  std::uint32_t island = 0;              // with the same number: joined by a fast link
  std::int32_t numa = -1;                // NUMA node that it hangs on; -1: nobody says
  std::uint32_t full_milli = whole_gpu;  // less only on a slice; 0: it is not the slice's
};

// The devices of one model on a node of which it may give something, summed up. Most nodes have one
// group or none. All GPUs of one task come from one group: a task that spans models runs at the
// pace of the slowest.
struct Group {
  ModelIndex model = 0;
  std::uint32_t count = 0;
  std::uint32_t whole_free = 0;  // devices of which nothing is used
  std::uint32_t best_share = 0;  // the most that one device has left
  std::int64_t memory_min_mib = 0;
  std::int64_t memory_max_mib = 0;
};

class Room {
 public:
  Room() = default;
  // `models` names the model of each GPU of the capacity, in order.
  Room(NodeCapacity const& capacity, std::vector<ModelIndex> const& models);

  std::int64_t cpu_milli() const { return cpu_milli_; }
  std::int64_t memory_mib() const { return memory_mib_; }
  std::int64_t disk_mib() const { return disk_mib_; }
  std::int64_t bandwidth_mbit() const { return bandwidth_mbit_; }
  std::uint32_t gpu_milli() const { return gpu_milli_; }  // summed over the devices
  std::vector<Device> const& devices() const { return devices_; }
  std::vector<Group> const& groups() const { return groups_; }
  Ports const& ports() const { return ports_; }

  // All of it or nothing. Refuses negative amounts, unknown or repeated devices and ports.
  Status take(Allocation const& a);
  // The reverse of a take that succeeded; more than was taken stops the process.
  void give(Allocation const& a);

 private:
  Status check(Allocation const& a) const;
  void regroup();

  std::int64_t cpu_milli_ = 0;
  std::int64_t memory_mib_ = 0;
  std::int64_t disk_mib_ = 0;
  std::int64_t bandwidth_mbit_ = 0;
  std::uint32_t gpu_milli_ = 0;
  std::vector<Group> groups_;
  std::vector<Device> devices_;
  Ports ports_;
};

}  // namespace lepton::deployer
