// Migration of any work on any nodes: every move is valid where it stands, within the budget, and
// frees what it says.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "services/deployer/core/migration.hpp"
#include "tests/services/deployer_core/migration_scene.hpp"

namespace lepton::deployer::migration_tests {
namespace {

// Spread out so that there is something to put right.
struct World {
  std::vector<NodeSpec> nodes;
  Scene scene;
  explicit World(std::vector<NodeSpec> n, Mix const& mix)
      : nodes(std::move(n)), scene(nodes, mix) {}

  void fill(bool shares_only) {
    for (int i = 0, count = *rc::gen::inRange(0, 24); i < count; ++i) {
      auto request = any_request();
      if (shares_only)
        request =
            ask_gpus(1, static_cast<std::uint32_t>(*rc::gen::element(1000, 700, 300, 300, 300)));
      auto const tasks =
          static_cast<std::uint32_t>(*rc::gen::weightedElement<int>({{8, 1}, {1, 2}}));
      auto const found =
          place_gang(scene.cluster, request, default_pool, tasks, *find_policy("spread"));
      auto const* places = std::get_if<std::vector<Allocation>>(&found);
      if (places == nullptr) continue;
      auto& m = scene.hold("job" + std::to_string(i), request, *places, *rc::gen::inRange(0, 90));
      m.work.preemptible = *rc::gen::inRange(0, 8) != 0;
      m.work.checkpoint_interval_ms = *rc::gen::element<std::int64_t>(0, 7 * minute, 30 * minute);
      m.work.min_runtime_ms = *rc::gen::element<std::int64_t>(0, 0, 0, 40 * minute);
      if (*rc::gen::inRange(0, 12) == 0) m.work.started_at_ms = 0;
    }
    std::erase_if(scene.work, [&](Mobile const& m) {  // what has ended leaves holes
      if (*rc::gen::inRange(0, 3) != 0) return false;
      for (auto const& attempt : m.attempts) RC_ASSERT(scene.cluster.release(attempt));
      return true;
    });
    for (auto& spec : nodes)
      if (*rc::gen::inRange(0, 20) == 0)
        must(scene.cluster.set_state(spec.id, NodeState::draining));
  }
  Mobile const& of(JobId const& job) const {
    return *std::find_if(scene.work.begin(), scene.work.end(),
                         [&](Mobile const& m) { return m.work.job == job; });
  }
};

std::vector<NodeSpec> share_nodes() {
  std::vector<NodeSpec> nodes;
  auto const count = *rc::gen::inRange<std::uint64_t>(2, 6);
  for (std::uint64_t i = 1; i <= count; ++i) {
    auto const gpus = static_cast<std::uint32_t>(*rc::gen::inRange(1, 3));
    nodes.push_back(node("n" + std::to_string(i), capacity(64'000, 64'000, gpus), i));
  }
  return nodes;
}

Mix share_mix() {
  return {{{1000, 1000, 1, 300, {}}, 0.2},
          {{1000, 1000, 1, 700, {}}, 0.4},
          {{1000, 1000, 1, 1000, {}}, 0.4}};
}

// Shares on like nodes leave more to put right than anything on anything.
World any_world() {
  bool const shares = *rc::gen::inRange(0, 4) != 0;
  World world(shares ? share_nodes() : any_nodes(7), shares ? share_mix() : unknown_mix());
  world.fill(shares);
  return world;
}

double stranded(Cluster const& c, Outlook const& outlook) {
  double sum = 0;
  for (auto slot : c.pool(default_pool)) sum += outlook.stranded(Parts(c.at(slot).free));
  return sum;
}

// Takes the new places, then gives up the old ones, as the plan says.
void make(Cluster& c, Mobile const& m, Migration const& plan) {
  RC_ASSERT(plan.from == m.work.held);
  for (std::size_t i = 0; i < plan.to.size(); ++i) {
    RC_ASSERT(c.find(plan.to[i].node)->spec.state == NodeState::ready);
    must(c.reserve({m.work.job.value + ".new." + std::to_string(i)}, plan.to[i]));
  }
  c.check_invariants();
  for (auto const& attempt : m.attempts) RC_ASSERT(c.release(attempt));
  c.check_invariants();
}

TEST(MigrationProperty, EveryMoveIsValidInItsTurnAndWithinTheBudget) {
  ASSERT_TRUE(rc::check([] {
    auto const world = any_world();
    MigrationLimits const limits{*rc::gen::inRange<std::uint64_t>(0, 6),
                                 *rc::gen::element(0.2, 1.0, 3.0, 100.0) * gpu_hour};
    auto const least = *rc::gen::element(0.0, 1.0, 20.0);
    auto const plan = world.scene.plan(limits, least);
    RC_CLASSIFY(!plan.empty());
    auto cluster = world.scene.cluster;
    std::uint64_t moves = 0;
    double lost = 0;
    std::set<JobId> jobs;
    for (auto const& m : plan) {
      auto const& mobile = world.of(m.job);
      RC_ASSERT(jobs.insert(m.job).second);
      RC_ASSERT(mobile.work.preemptible && mobile.work.started_at_ms > 0);
      RC_ASSERT(now_ms - mobile.work.started_at_ms >= mobile.work.min_runtime_ms);
      RC_ASSERT(m.to.size() == m.from.size());
      RC_ASSERT(m.freed_milli >= least * static_cast<double>(m.to.size()) && m.freed_milli > 0);
      Ask const ask(cluster, mobile.request, default_pool);
      for (auto const& a : m.to) {
        auto const& target = *cluster.find(a.node);
        RC_ASSERT(admits(now(target), ask));
      }
      make(cluster, mobile, m);
      moves += m.to.size();
      lost += m.lost_gpu_ms;
    }
    RC_ASSERT(moves <= limits.moves);
    RC_ASSERT(lost <= limits.lost_gpu_ms * (1 + 1e-9));
  }));
}

// Nothing is scarce for these tasks, so that prices are 0 and the sum can be counted.
TEST(MigrationProperty, WhatWasToBeFreedIsFreed) {
  ASSERT_TRUE(rc::check([] {
    World world(share_nodes(), share_mix());
    world.fill(true);
    auto const plan = world.scene.plan({100, 1e12}, 1);
    RC_CLASSIFY(!plan.empty());
    auto cluster = world.scene.cluster;
    for (auto const& m : plan) {
      auto const before = stranded(cluster, world.scene.outlook);
      make(cluster, world.of(m.job), m);
      RC_ASSERT(std::abs(before - stranded(cluster, world.scene.outlook) - m.freed_milli) < 1e-6);
    }
  }));
}

// By number of registration instead of by name.
using Trail = std::vector<std::tuple<std::string, std::vector<std::uint64_t>, double>>;
Trail trail(Cluster const& c, std::vector<Migration> const& plan) {
  Trail found;
  for (auto const& m : plan) {
    std::vector<std::uint64_t> orders;
    for (auto const* places : {&m.from, &m.to})
      for (auto const& a : *places) orders.push_back(c.find(a.node)->spec.order);
    found.emplace_back(m.job.value, orders, m.freed_milli);
  }
  return found;
}

TEST(MigrationProperty, NamesOfNodesAndTheOrderOfTheWorkDoNotMatter) {
  ASSERT_TRUE(rc::check([] {
    auto const world = any_world();
    auto const& scene = world.scene;
    MigrationLimits const limits{*rc::gen::inRange<std::uint64_t>(0, 8), 100 * gpu_hour};
    auto const plan = trail(scene.cluster, scene.plan(limits));
    RC_CLASSIFY(!plan.empty());
    RC_ASSERT(plan == trail(scene.cluster, scene.plan(limits)));
    auto const renamed = [&](NodeId const& id) {
      return NodeId{"z" + std::to_string(100 - scene.cluster.find(id)->spec.order)};
    };
    auto nodes = world.nodes;
    for (auto& n : nodes) {
      n.state = scene.cluster.find(n.id)->spec.state;
      n.id = renamed(n.id);
    }
    std::reverse(nodes.begin(), nodes.end());
    Scene other(nodes, scene.mix);
    other.work = scene.work;
    std::reverse(other.work.begin(), other.work.end());
    for (auto& m : other.work)
      for (std::size_t i = 0; i < m.attempts.size(); ++i) {
        m.work.held[i].node = renamed(m.work.held[i].node);
        must(other.cluster.reserve(m.attempts[i], m.work.held[i]));
      }
    RC_ASSERT(plan == trail(other.cluster, other.plan(limits)));
  }));
}

}  // namespace
}  // namespace lepton::deployer::migration_tests
