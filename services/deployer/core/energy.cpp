#include "services/deployer/core/energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lepton::deployer {

namespace {

// The load at which one more unit costs `marginal`: of a linear node the most, all or nothing.
double load_at(DrawCurve const& n, double marginal) {
  if (n.a <= 0) return marginal >= n.b ? n.capacity : 0;
  return std::clamp((marginal - n.b) / (2 * n.a), 0.0, n.capacity);
}

double sum_at(std::vector<DrawCurve> const& nodes, double marginal) {
  double sum = 0;
  for (auto const& n : nodes) sum += load_at(n, marginal);
  return sum;
}

Status check(std::vector<DrawCurve> const& nodes, double total) {
  double capacity = 0;
  for (auto const& n : nodes) {
    auto const finite = std::isfinite(n.a) && std::isfinite(n.b) && std::isfinite(n.capacity);
    if (!finite || n.a < 0 || n.capacity < 0)
      return Error{Code::invalid, "a draw curve is not convex, or a capacity is negative"};
    capacity += n.capacity;
  }
  if (std::isfinite(total) && total >= 0 && total <= capacity) return ok();
  return Error{Code::exhausted,
               fmt::format("a load of {} wanted, the nodes can carry {}", total, capacity)};
}

constexpr int halvings = 200;  // more than a double has bits: then low and high are neighbours

}  // namespace

Result<std::vector<double>> divide_load(std::vector<DrawCurve> const& nodes, double total) {
  if (auto good = check(nodes, total); !good) return good.error();
  double low = 0, high = 0;
  for (auto const& n : nodes) {
    low = std::min(low, n.b - 1);
    high = std::max(high, n.b + 2 * n.a * n.capacity);
  }
  for (int i = 0; i < halvings; ++i) {
    auto const middle = low + (high - low) / 2;
    (sum_at(nodes, middle) < total ? low : high) = middle;
  }
  // Below the marginal draw too little is placed; what is missing goes to nodes that take it there.
  std::vector<double> loads;
  for (auto const& n : nodes) loads.push_back(load_at(n, low));
  auto missing = total - std::accumulate(loads.begin(), loads.end(), 0.0);
  for (std::size_t i = 0; i < nodes.size() && missing > 0; ++i) {
    auto const more = std::min(missing, load_at(nodes[i], high) - loads[i]);
    loads[i] += more;
    missing -= more;
  }
  return loads;
}

}  // namespace lepton::deployer
