#pragma once
// The named ways of choosing a node, as settings spell them. What each one does stands in
// docs/placement.md and in services/deployer/core/.

#include <array>
#include <cstdint>
#include <string_view>

namespace lepton {

enum class PlacementPolicy : std::uint8_t {
  unknown,
  foresight,       // the least stranded in the light of the mix of tasks
  fgd,             // fragmentation gradient descent, as published
  best_fit,        // the least left over
  spread,          // the most left over
  packing,         // GPUs in use first, then nodes in use, as published
  dotprod,         // as published
  clustering,      // work of one kind together, as published
  bandit,          // learns which of foresight, fgd, best_fit and packing strands least
  foresight_power  // foresight that also spares power
};
consteval auto enumerators(PlacementPolicy) {
  return std::to_array<std::string_view>({"unknown", "foresight", "fgd", "best_fit", "spread",
                                          "packing", "dotprod", "clustering", "bandit",
                                          "foresight_power"});
}

}  // namespace lepton
