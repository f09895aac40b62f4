#pragma once
// What a GPU's free part loses when little CPU (or memory) is left beside it: the host half of the
// default policy. A GPU with h free and c of the host resource takes the best of `tries` tasks
// drawn from the mix among those that fit, again and again, until none fits; what is left of it
// then is stranded. A dynamic program over (h, c), after optimal stopping with a finite sample
// (Chow, Robbins and Siegmund, Great expectations, 1971). Pure; built once per mix, read by one
// thread.

#include <cstdint>
#include <vector>

#include "services/deployer/core/remnant.hpp"

namespace lepton::deployer {

struct HostNeed {
  std::uint32_t gpu_milli = 0;  // of one GPU
  double host = 0;              // of the host resource for that GPU
  double weight = 0;            // how many such GPUs arrive
};

class HostTable {
 public:
  explicit HostTable(std::vector<HostNeed> const& needs);

  // Milli stranded of this free part with this much host resource, beyond what would be stranded
  // with plenty.
  double stranded(std::uint32_t free_milli, double host) const {
    auto const row = free_milli / RemnantTable::step_milli * columns;
    auto const at = host * per_step_;
    if (!(at < columns - 1)) return 0;
    auto const i = static_cast<std::uint32_t>(at);
    auto const part = at - i;
    return table_[row + i] * (1 - part) + table_[row + i + 1] * part;
  }

 private:
  static constexpr std::uint32_t columns = 33;
  static constexpr int tries = 8;

  struct Step;
  std::vector<Step> steps(std::vector<HostNeed> const& needs);
  double left(std::vector<Step> const& steps, std::uint32_t h, std::uint32_t c) const;

  double per_step_ = 0;
  std::vector<double> table_;
};

}  // namespace lepton::deployer
