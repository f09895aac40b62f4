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
  static consteval auto fields() {
    using schema::field;
    using T = TaskClass;
    return schema::fields(
        field(1, "cpu_milli", &T::cpu_milli, "CPU, thousandths of a core."),
        field(2, "memory_mib", &T::memory_mib, "Memory, MiB."), field(3, "gpus", &T::gpus, "GPUs."),
        field(4, "gpu_milli", &T::gpu_milli, "Share of each, thousandths; 0 without GPUs."),
        field(5, "models", &T::models, "Accepted models, sorted; empty: any."));
  }
};
static_assert(schema::complete<TaskClass>());

struct MixPart {
  TaskClass task;
  double weight = 0;

  bool operator==(MixPart const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = MixPart;
    return schema::fields(field(1, "task", &T::task, "The kind of task."),
                          field(2, "weight", &T::weight, "Its part of all arrivals, 0..1."));
  }
};
static_assert(schema::complete<MixPart>());
using Mix = std::vector<MixPart>;  // rising by task; the weights sum to 1

struct ClassCount {
  TaskClass task;
  std::uint64_t count = 0;

  bool operator==(ClassCount const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = ClassCount;
    return schema::fields(field(1, "task", &T::task, "The kind of task."),
                          field(2, "count", &T::count, "How many came, old ones fading."));
  }
};
static_assert(schema::complete<ClassCount>());

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
  // To go on from: a counter that is restored answers as this one.
  std::vector<ClassCount> counts() const;
  void restore(std::vector<ClassCount> const& counts, std::uint64_t seen);

 private:
  void halve();

  std::map<TaskClass, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace lepton::deployer
