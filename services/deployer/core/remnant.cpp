#include "services/deployer/core/remnant.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace lepton::deployer {

namespace {
constexpr double tau_milli = 8;  // how far from optimal a filling may be and still be used much
constexpr int rounds = 60;       // the duals move by less than a milli long before
constexpr double damping = 0.5, step_limit = 100, dual_limit = 1000;
constexpr double fewest = 1e-9;
}  // namespace

// One GPU that starts empty and is filled at random: each filling with a weight that falls with its
// cost.
struct RemnantTable::Flow {
  std::vector<std::uint32_t> size;  // in steps
  std::vector<double> wanted;       // of each size, per GPU, were all GPUs full
  std::vector<double> used;
  std::vector<double> dual;  // what a task of that size costs beyond its milli
};

RemnantTable::RemnantTable(std::vector<std::pair<std::uint32_t, double>> const& sizes)
    : waste_(levels), useful_(levels) {
  std::map<std::uint32_t, double> merged;
  double total = 0;
  for (auto const& [milli, count] : sizes) {
    auto const size = steps(milli);
    merged[size] += count;
    total += count * size * step_milli;
  }
  Flow flow;
  for (auto const& [size, count] : merged) {
    if (count <= 0) continue;
    flow.size.push_back(size);
    flow.wanted.push_back(count / total * 1000);
  }
  flow.used.resize(flow.size.size());
  flow.dual.resize(flow.size.size());
  for (int round = 0; round < rounds; ++round) {
    price(flow);
    auto const full = std::max(0.05, 1 - run(flow) / 1000);  // the part of the arrivals that fits
    for (std::size_t i = 0; i < flow.size.size(); ++i) {
      auto const surplus = std::max(flow.used[i], fewest) / (flow.wanted[i] * full);
      auto const step =
          std::clamp(damping * tau_milli * std::log(surplus), -step_limit, step_limit);
      flow.dual[i] = std::clamp(flow.dual[i] + step, -dual_limit, dual_limit);
    }
  }
  price(flow);
  for (std::uint32_t h = 0; h < levels; ++h)
    useful_[h] = std::max(0.0, h * step_milli - std::max(0.0, waste_[h]));
}

// Softest minimum over leaving the level as it is and each next task.
void RemnantTable::price(Flow const& flow) {
  for (std::uint32_t h = 0; h < levels; ++h) {
    double const stop = h * step_milli;
    auto best = stop;
    for (std::size_t i = 0; i < flow.size.size() && flow.size[i] <= h; ++i)
      best = std::min(best, waste_[h - flow.size[i]] + flow.dual[i]);
    auto sum = std::exp((best - stop) / tau_milli);
    for (std::size_t i = 0; i < flow.size.size() && flow.size[i] <= h; ++i)
      sum += std::exp((best - waste_[h - flow.size[i]] - flow.dual[i]) / tau_milli);
    waste_[h] = best - tau_milli * std::log(sum);
  }
}

// Sends one empty GPU through the levels; returns the milli it ends with.
double RemnantTable::run(Flow& flow) const {
  std::vector<double> mass(levels);
  mass[levels - 1] = 1;
  std::fill(flow.used.begin(), flow.used.end(), 0.0);
  double left = 0;
  for (std::uint32_t h = levels - 1; h > 0; --h) {
    if (mass[h] < fewest) continue;
    double const stop = h * step_milli;
    left += mass[h] * std::exp((waste_[h] - stop) / tau_milli) * stop;
    for (std::size_t i = 0; i < flow.size.size() && flow.size[i] <= h; ++i) {
      auto const to = h - flow.size[i];
      auto const moved = mass[h] * std::exp((waste_[h] - waste_[to] - flow.dual[i]) / tau_milli);
      flow.used[i] += moved;
      mass[to] += moved;
    }
  }
  return left;
}

}  // namespace lepton::deployer
