#pragma once
// What the replicas of a service use of what they were given, as one figure for the scaler: a total
// in shares of a replica (2.1 = three replicas at 70 %), and how many of the ready ones nobody
// measured. A replica without a figure adds nothing; the scaler's rules know what to make of it.
// Shares of a GPU that others have the rest of cannot be told apart, so they are unknown. Pure.

#include <cstdint>
#include <optional>
#include <vector>

#include "schemas/scale.hpp"
#include "schemas/values.hpp"

namespace lepton::deployer {

// Of one ready replica.
struct MeasuredUse {
  Allocation const* given = nullptr;
  std::optional<double> cpu_cores;
  std::vector<std::optional<double>> gpus;  // use of each GPU that it was given, 0 to 1
};

std::optional<double> cpu_share(MeasuredUse const& use);
std::optional<double> gpu_share(MeasuredUse const& use);

struct ServiceUse {
  std::optional<double> total;  // nothing when no replica was measured
  std::uint32_t silent = 0;     // replicas without a figure

  bool operator==(ServiceUse const&) const = default;
};
ServiceUse total_use(ScaleSignal signal, std::vector<MeasuredUse> const& ready);

constexpr bool is_of_use(ScaleSignal s) {
  return s == ScaleSignal::cpu || s == ScaleSignal::gpu;
}

}  // namespace lepton::deployer
