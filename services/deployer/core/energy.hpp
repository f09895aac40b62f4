#pragma once
// How to divide a total load among nodes so that together they draw least, when a node with load l
// draws a l^2 + b l + c: the nodes that are neither idle nor full have equal marginal draw 2 a l +
// b (water-filling; Boyd and Vandenberghe, Convex Optimization, 2004, 5.5.3). Pure. Units: loads in
// any one unit, draws in watts. Errors: a curve that is not convex, or a total that the nodes
// cannot carry.

#include <vector>

#include "common/base/result.hpp"

namespace lepton::deployer {

struct DrawCurve {
  double a = 0, b = 0, c = 0;  // a >= 0
  double capacity = 0;
  double watts(double load) const { return (a * load + b) * load + c; }
};

// A load for each node, within its capacity; they sum to the total.
Result<std::vector<double>> divide_load(std::vector<DrawCurve> const& nodes, double total);

}  // namespace lepton::deployer
