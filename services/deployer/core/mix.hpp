#pragma once
// Mix: what kinds of task arrive, and how often. Either given (the experiments know their
// distribution, as the published policies do) or counted from the requests seen so far.
// Owned by whoever places; one thread. Units as in ResourceRequest; no errors.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/values.hpp"

namespace lepton::deployer {

struct TaskClass {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t gpus = 0;
  std::uint32_t gpu_milli = 0;      // of each GPU; 0 without GPUs
  std::vector<std::string> models;  // accepted, sorted, as often as named; empty: any

  static TaskClass of(ResourceRequest const& r);
  std::uint32_t total_gpu_milli() const { return gpus * gpu_milli; }
  bool fraction() const { return gpus == 1 && gpu_milli < 1000; }
  auto operator<=>(TaskClass const&) const = default;
};

struct MixPart {
  TaskClass task;
  double weight = 0;
};
using Mix = std::vector<MixPart>;  // rising by task; the weights sum to 1

// A guess for a cluster that has seen nothing yet: mostly whole GPUs, some shares, few large tasks.
Mix unknown_mix();

// Counts arrivals. Bounded: when there are too many counts, all are halved and the rarest go, so
// that old times weigh less.
class MixCounter {
 public:
  static constexpr std::uint64_t most_counts = 1 << 16;
  static constexpr std::size_t most_classes = 1024;

  void add(ResourceRequest const& r, std::uint32_t tasks = 1);
  std::uint64_t seen() const { return seen_; }  // never falls
  Mix mix() const;                              // unknown_mix() when nothing was seen

 private:
  void halve();

  std::map<TaskClass, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace lepton::deployer
