#pragma once
// Scarcity: what a pool will run short of before its GPUs are used up, as prices. A GPU model is
// short when the tasks that insist on it may ask for more than is left of it; a block (several free
// GPUs on one node) when large tasks may. The price is the probability of that, as airlines price
// the last seats of a fare class (Belobaba, Optimal vs. heuristic methods for nested seat
// allocation, 1992).
// Supply is kept by the placer, prices are a pure function of it. Units: milli of a GPU.

#include <cstdint>
#include <map>
#include <vector>

#include "services/deployer/core/outlook.hpp"

namespace lepton::deployer {

// Sums over the ready nodes of a pool; whole numbers, so that any order of changes gives the same.
struct Supply {
  std::vector<std::int64_t> useful_milli;  // by model, not below 0 once summed
  std::vector<std::int64_t> full_milli;    // by model: of all GPUs
  std::array<std::int64_t, most_block_kinds> blocks{}, full_blocks{};

  void add(Outlook const& outlook, Room const& free, Room const& full);
  void subtract(Supply const& node);
  void add(Supply const& node);
  bool operator==(Supply const&) const = default;
};

struct Prices {
  std::vector<double> model;                           // of one milli of a GPU of this model, 0..1
  std::array<double, most_block_kinds> block_milli{};  // of one block, in milli of GPU
  double watt_milli = 0;                               // of one more watt
};

// Rounded to 1/128 of the whole, so that prices are computed anew after some tens of placements
// only, yet depend on the state of the pool alone.
Supply rounded(Supply const& supply);

// `watt_milli`: what a watt costs in an empty pool; it falls to nothing as the pool fills, because
// then room is worth more than power.
Prices prices_of(Outlook const& outlook, Supply const& supply, double watt_milli = 0);

}  // namespace lepton::deployer
