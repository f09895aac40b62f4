// Replays the public GPU-cluster trace through placement alone: each pod once, in order of arrival,
// dropped when nothing fits. Prints figures; asserts only what must hold on any input.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "common/base/text.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

using Row = std::vector<std::string>;

std::vector<Row> read_csv(std::string const& path) {
  std::vector<Row> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) rows.push_back(text::split(line, ','));
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

std::int64_t number(std::string const& s) {
  return text::parse_int(s).value();
}

NodeSpec to_node(Row const& r) {
  NodeSpec n{{r[0]},           default_pool, {number(r[1]), number(r[2]), 0, {}, 0, 0},
             NodeState::ready, {},           0};
  for (std::int64_t i = 0; i < number(r[3]); ++i)
    n.capacity.gpus.push_back({r[0] + "-" + std::to_string(i), r[4], 0});
  return n;
}

struct Pod {
  std::string name;
  ResourceRequest request;
  std::int64_t created = 0;
};

Pod to_pod(Row const& r) {
  Pod p{r[0], ask_cpu(number(r[1]), number(r[2])), number(r[8])};
  p.request.gpus = static_cast<std::uint32_t>(number(r[3]));
  if (p.request.gpus == 1) p.request.gpu_milli = static_cast<std::uint32_t>(number(r[4]));
  if (p.request.gpus > 0 && !r[5].empty()) p.request.gpu_models = text::split(r[5], '|');
  return p;
}

struct Outcome {
  std::vector<std::pair<std::string, Allocation>> placed;
  std::size_t refused = 0;
  double unallocated_percent = 0, seconds = 0;
  Totals totals;
};

Outcome replay(std::vector<Row> const& nodes, std::vector<Pod> const& pods, Policy const& policy) {
  Cluster cluster;
  for (auto const& r : nodes) EXPECT_TRUE(cluster.upsert_node(to_node(r)).has_value());
  Outcome o;
  auto const start = std::chrono::steady_clock::now();
  for (auto const& pod : pods) {
    auto placement = place(cluster, pod.request, default_pool, policy);
    if (auto* a = std::get_if<Allocation>(&placement)) {
      EXPECT_TRUE(cluster.reserve({pod.name}, *a).has_value());
      o.placed.emplace_back(pod.name, std::move(*a));
    } else {
      EXPECT_FALSE(std::get<Misfit>(placement).what.empty());
      ++o.refused;
    }
  }
  o.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  cluster.check_invariants();
  o.totals = cluster.totals();
  o.unallocated_percent = 100.0 * static_cast<double>(o.totals.gpu_milli_free) /
                          static_cast<double>(o.totals.gpu_milli);
  return o;
}

class Replay : public testing::TestWithParam<std::string> {};

TEST_P(Replay, PlacesTheTraceTheSameWayTwice) {
  auto const* data = std::getenv("LEPTON_DATA");
  auto const folder = std::string(data ? data : "") + "/gpu-trace-v2023/";
  auto const nodes = read_csv(folder + "openb_node_list_gpu_node.csv");
  auto const rows = read_csv(folder + "openb_pod_list_" + GetParam() + ".csv");
  if (nodes.empty() || rows.empty())
    GTEST_SKIP() << "the trace is absent: set LEPTON_DATA to the folder that holds gpu-trace-v2023";
  std::vector<Pod> pods;
  for (auto const& r : rows) pods.push_back(to_pod(r));
  std::stable_sort(pods.begin(), pods.end(),
                   [](Pod const& a, Pod const& b) { return a.created < b.created; });
  for (auto name : policy_names()) {
    auto const o = replay(nodes, pods, *find_policy(name));
    EXPECT_EQ(o.placed.size() + o.refused, pods.size());
    std::cout << GetParam() << " " << name << ": " << o.placed.size() << " placed, " << o.refused
              << " refused, " << o.unallocated_percent << " % of GPU unallocated, " << o.seconds
              << " s, " << static_cast<double>(pods.size()) / o.seconds << " decisions/s\n";
    if (name == "best_fit") {
      EXPECT_EQ(o.placed, replay(nodes, pods, best_fit()).placed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Traces, Replay, testing::Values("default", "cpu050", "gpuspec25"),
                         [](auto const& chosen) { return chosen.param; });

}  // namespace
}  // namespace lepton::deployer
