#include "services/deployer/core/host_share.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace lepton::deployer {

namespace {
constexpr double cover = 1.3;           // the table reaches this many times the largest usual need
constexpr double usual_weight = 0.001;  // rarer needs may exceed it

double power(double base, int exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base)
    if (exponent % 2 == 1) result *= base;
  return result;
}

}  // namespace

struct HostTable::Step {
  std::uint32_t gpu = 0, host = 0;
  double weight = 0;
};

// The needs in steps of the table, rounded up, equal ones merged; weights sum to 1.
std::vector<HostTable::Step> HostTable::steps(std::vector<HostNeed> const& needs) {
  double most = 0, total = 0;
  for (auto const& n : needs) total += n.weight;
  for (auto const& n : needs)
    if (n.weight >= usual_weight * total) most = std::max(most, n.host);
  if (most <= 0) return {};
  per_step_ = (columns - 1) / (cover * most);
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> merged;
  for (auto const& n : needs) {
    auto const gpu = RemnantTable::steps(n.gpu_milli);
    auto const host = std::ceil(std::min(n.host * per_step_, double{columns}) - 1e-9);
    merged[{gpu, static_cast<std::uint32_t>(host)}] += n.weight / total;
  }
  std::vector<Step> out;
  for (auto const& [size, weight] : merged) out.push_back({size.first, size.second, weight});
  return out;
}

HostTable::HostTable(std::vector<HostNeed> const& needs) : table_(RemnantTable::levels * columns) {
  auto const all = steps(needs);
  if (all.empty()) return;
  for (std::uint32_t h = 0; h < RemnantTable::levels; ++h)
    for (std::uint32_t c = 0; c < columns; ++c) table_[h * columns + c] = left(all, h, c);
  for (std::uint32_t h = 0; h < RemnantTable::levels; ++h) {
    auto const plenty = table_[h * columns + columns - 1];
    auto least = table_[h * columns];
    for (std::uint32_t c = 0; c < columns; ++c) {
      auto& cell = table_[h * columns + c];
      least = std::min(least, cell);  // more of the host never strands more
      cell = std::max(0.0, least - plenty);
    }
  }
}

// Expected rest of (h, c): the least of `tries` independent draws, some of which may not fit.
double HostTable::left(std::vector<Step> const& all, std::uint32_t h, std::uint32_t c) const {
  std::vector<std::pair<double, double>> next;
  for (auto const& s : all)
    if (s.gpu <= h && s.host <= c)
      next.emplace_back(table_[(h - s.gpu) * columns + c - s.host], s.weight);
  std::sort(next.begin(), next.end());
  double worse = 1, expected = 0, none_better = 1;
  for (auto const& [rest, weight] : next) {
    worse = std::max(0.0, worse - weight);
    auto const none = power(worse, tries);
    expected += (none_better - none) * rest;
    none_better = none;
  }
  return expected + none_better * h * RemnantTable::step_milli;
}

}  // namespace lepton::deployer
