// Dividing a load: the known answer of three equal nodes, and what must hold of any optimum.

#include "services/deployer/core/energy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <numeric>

namespace lepton::deployer {
namespace {

double watts(std::vector<DrawCurve> const& nodes, std::vector<double> const& loads) {
  double sum = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) sum += nodes[i].watts(loads[i]);
  return sum;
}

TEST(Energy, ThreeEqualNodesShareEqually) {
  auto const loads =
      divide_load({{100, 50, 20, 1}, {100, 50, 20, 1}, {100, 50, 20, 1}}, 1.6).value();
  for (auto load : loads) EXPECT_NEAR(load, 1.6 / 3, 1e-9);
}

TEST(Energy, UnequalNodesHaveEqualMarginalDraw) {
  // 2 l = 4 (2 - l) + 1 at l = 1.5: both then cost 3 for one more.
  auto const loads = divide_load({{1, 0, 0, 9}, {2, 1, 5, 9}}, 2).value();
  EXPECT_NEAR(loads[0], 1.5, 1e-9);
  EXPECT_NEAR(loads[1], 0.5, 1e-9);
}

TEST(Energy, LinearNodesFillByPrice) {
  auto const loads = divide_load({{0, 3, 0, 1}, {0, 1, 0, 1}, {0, 3, 0, 1}}, 1.5).value();
  EXPECT_NEAR(loads[1], 1, 1e-9);
  EXPECT_NEAR(loads[0] + loads[2], 0.5, 1e-9);
}

TEST(Energy, RefusesWhatCannotBeCarried) {
  EXPECT_EQ(divide_load({{1, 1, 0, 1}}, 1.1).error().code, Code::exhausted);
  EXPECT_EQ(divide_load({{1, 1, 0, 1}}, -1).error().code, Code::exhausted);
  EXPECT_EQ(divide_load({{-1, 1, 0, 1}}, 0.5).error().code, Code::invalid);
  EXPECT_TRUE(divide_load({}, 0).value().empty());
}

// A solver that only compares sums: moves load between two nodes in ever smaller steps while that
// helps. Convex, so no such move left means the optimum.
std::vector<double> by_descent(std::vector<DrawCurve> const& nodes, std::vector<double> loads) {
  for (double step = 1; step > 1e-7; step /= 2)
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < nodes.size(); ++i)
        for (std::size_t j = 0; j < nodes.size(); ++j) {
          auto next = loads;
          next[i] -= step;
          next[j] += step;
          if (i == j || next[i] < 0 || next[j] > nodes[j].capacity) continue;
          if (watts(nodes, next) >= watts(nodes, loads) - 1e-12) continue;
          loads = next;
          moved = true;
        }
    }
  return loads;
}

TEST(EnergyProperty, AgreesWithASolver) {
  ASSERT_TRUE(rc::check([] {
    std::vector<DrawCurve> nodes;
    double capacity = 0;
    for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
      nodes.push_back({*rc::gen::inRange(0, 40) / 10.0, *rc::gen::inRange(0, 40) / 10.0, 7,
                       *rc::gen::inRange(1, 30) / 10.0});
      capacity += nodes.back().capacity;
    }
    auto const total = capacity * *rc::gen::inRange(0, 101) / 100.0;
    auto const loads = divide_load(nodes, total).value();
    RC_ASSERT(std::abs(std::accumulate(loads.begin(), loads.end(), 0.0) - total) < 1e-6);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      RC_ASSERT(loads[i] >= 0 && loads[i] <= nodes[i].capacity + 1e-9);
    std::vector<double> start;
    for (auto const& n : nodes) start.push_back(n.capacity * total / capacity);
    RC_ASSERT(watts(nodes, loads) <= watts(nodes, by_descent(nodes, start)) + 1e-4);
  }));
}

}  // namespace
}  // namespace lepton::deployer
