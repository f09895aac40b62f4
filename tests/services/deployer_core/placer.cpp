// The placer against the functions that look at every node: whatever happens to the cluster between
// two questions, the answers are the same.

#include "services/deployer/core/placer.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/baseline.hpp"
#include "services/deployer/core/fgd.hpp"
#include "services/deployer/core/ranking.hpp"
#include "services/deployer/core/shapes.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Shapes, EqualNodesStandTogetherAndTheFirstForAll) {
  auto c = cluster_of({node("a", capacity(8000, 8000, 2)), node("b", capacity(8000, 8000, 2)),
                       node("c", capacity(8000, 8000, 1))});
  Shapes shapes;
  std::vector<Shapes::Id> ids;
  for (auto slot : c.pool(default_pool)) ids.push_back(shapes.add(c.at(slot), slot));
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[0], ids[2]);
  EXPECT_EQ(shapes.alive_count(), 2u);
  auto const first = *shapes.members(ids[0]).begin();
  EXPECT_EQ(first.tie, std::min(c.find({"a"})->tie, c.find({"b"})->tie));
  auto const version = shapes.version(ids[0]);
  shapes.remove(ids[0], *shapes.members(ids[0]).rbegin());
  EXPECT_EQ(shapes.version(ids[0]), version);  // the same node stands for it
  shapes.remove(ids[0], first);
  EXPECT_GT(shapes.version(ids[0]), version);
  EXPECT_FALSE(shapes.alive(ids[0]));
}

struct World {
  std::vector<NodeSpec> nodes = any_nodes(8);
  Cluster cluster = cluster_of(nodes);
  std::vector<AttemptId> held;
  int next = 0;

  void take(std::vector<Allocation> const& members) {
    for (auto const& member : members) {
      held.push_back({"t" + std::to_string(next++)});
      must(cluster.reserve(held.back(), member));
    }
  }
  void release_one() {
    if (held.empty()) return;
    auto const i = *rc::gen::inRange<std::size_t>(0, held.size());
    RC_ASSERT(cluster.release(held[i]));
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void change_a_node() {
    if (nodes.empty()) return;
    auto& spec = nodes[*rc::gen::inRange<std::size_t>(0, nodes.size())];
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        static_cast<void>(cluster.set_state(spec.id, any_state()));
        return;
      case 1:
        static_cast<void>(cluster.remove_node(spec.id));
        return;
      case 2:
        spec.labels["zone"] = *rc::gen::element<std::string>("a", "b");
        spec.taints = {{"batch", "", *rc::gen::inRange(0, 2) == 0}};
        static_cast<void>(cluster.upsert_node(spec));
        return;
      default:
        spec.pool = *rc::gen::element(PoolId{"default"}, PoolId{"other"});
        spec.capacity.cpu_milli += 1000;
        static_cast<void>(cluster.upsert_node(spec));
    }
  }
};

void same(GangPlacement const& a, GangPlacement const& b) {
  RC_ASSERT(a.index() == b.index());
  if (a.index() == 0)
    RC_ASSERT(std::get<0>(a) == std::get<0>(b));
  else
    RC_ASSERT(std::get<1>(a).what == std::get<1>(b).what);
}

// The default policy made anew from the nodes alone.
Foresight made_anew(Cluster const& c, Outlook const& outlook) {
  Supply supply;
  for (auto slot : c.pool(default_pool))
    if (c.at(slot).spec.state == NodeState::ready)
      supply.add(outlook, c.at(slot).free, c.at(slot).full);
  return Foresight(outlook, prices_of(outlook, rounded(supply)));
}

void churn(World& world, Placer& placer) {
  for (int step = *rc::gen::inRange(1, 40); step > 0; --step) {
    auto const r = any_request();
    auto const tasks = static_cast<std::uint32_t>(
        *rc::gen::weightedElement<int>({{6, 1}, {1, 2}, {1, 3}, {1, 7}}));
    placer.observe(r, tasks * 8);
    auto const kept = placer.place_gang(r, default_pool, tasks);
    auto const& policy = placer.policy(default_pool);
    same(kept, place_gang(world.cluster, r, default_pool, tasks, policy));
    if (auto const* outlook = placer.outlook(); outlook != nullptr && policy.name() == "foresight")
      same(kept,
           place_gang(world.cluster, r, default_pool, tasks, made_anew(world.cluster, *outlook)));
    if (auto const* members = std::get_if<std::vector<Allocation>>(&kept)) {
      placer.placed(*members);
      world.take(*members);
    }
    world.cluster.check_invariants();
    if (*rc::gen::inRange(0, 3) == 0) world.release_one();
    if (*rc::gen::inRange(0, 6) == 0) world.change_a_node();
  }
}

TEST(PlacerProperty, WhatIsKeptEqualsWhatIsWorkedOutAnew) {
  ASSERT_TRUE(rc::check([] {
    World world;
    Placer placer(world.cluster);
    churn(world, placer);
  }));
}

TEST(PlacerProperty, WithAnyPolicyByName) {
  ASSERT_TRUE(rc::check([] {
    World world;
    auto const names = enumerators(PlacementPolicy{}).size();
    auto const policy = *rc::gen::inRange<std::size_t>(1, names);
    Placer placer(world.cluster, static_cast<PlacementPolicy>(policy),
                  *rc::gen::arbitrary<std::uint64_t>());
    churn(world, placer);
  }));
}

// Epochs are longer than most of the above; here they end again and again.
TEST(PlacerProperty, WithABanditThatChangesItsMind) {
  ASSERT_TRUE(rc::check([] {
    World world;
    Placer placer(world.cluster, PlacementPolicy::bandit, *rc::gen::arbitrary<std::uint64_t>());
    for (int epoch = *rc::gen::inRange(1, 5); epoch > 0; --epoch) {
      churn(world, placer);
      Allocation whole;
      for (auto slot : world.cluster.pool(default_pool)) {
        auto const& node = world.cluster.at(slot);
        for (std::uint32_t i = 0; i < node.free.devices().size() && whole.gpus.empty(); ++i)
          if (node.free.devices()[i].free_milli == whole_gpu)
            whole = {node.spec.id, 0, 0, 0, {{i, whole_gpu}}, {}};
      }
      if (whole.gpus.empty()) continue;
      auto const before = placer.bandit()->epochs();
      for (std::uint32_t i = 0; i < Epoch::tasks_enough; ++i) placer.placed({whole});
      RC_ASSERT(placer.bandit()->epochs() > before);
    }
  }));
}

TEST(PlacerProperty, WithAnyPolicyOfTheCallers) {
  ASSERT_TRUE(rc::check([] {
    World world;
    Fgd const fgd(typical_tasks(unknown_mix()), {"A100", "T4", "H100"});
    PublishedBestFit const best;
    Clustering const clustering;
    PowerModel const power({{"A100", {50, 400}}, {"T4", {10, 70}}}, {}, {"A100", "T4", "H100"});
    PowerAndFragmentation const sparing(power, fgd, 200);
    Policy const* const all[] = {&fgd,     &best,       &clustering,
                                 &sparing, &best_fit(), find_policy("spread")};
    Placer placer(world.cluster, *all[*rc::gen::inRange(0, 6)]);
    churn(world, placer);
  }));
}

// What a snapshot of a cluster holds: the nodes, and who holds what; in any order.
Cluster restored(Cluster const& c) {
  std::vector<NodeSpec> nodes;
  std::vector<AttemptId> attempts;
  for (auto const& pool : c.pools())
    for (auto slot : c.pool(pool)) {
      nodes.push_back(c.at(slot).spec);
      auto const held = c.holders(nodes.back().id);
      attempts.insert(attempts.end(), held.begin(), held.end());
    }
  if (*rc::gen::inRange(0, 2) == 0) std::reverse(nodes.begin(), nodes.end());
  if (*rc::gen::inRange(0, 2) == 0) std::reverse(attempts.begin(), attempts.end());
  auto again = cluster_of(nodes);
  for (auto const& attempt : attempts) must(again.reserve(attempt, *c.held(attempt)));
  return again;
}

TEST(PlacerProperty, ASnapshotAndARequestGiveTheSamePlanAgain) {
  ASSERT_TRUE(rc::check([] {
    World world;
    Placer placer(world.cluster, unknown_mix());
    for (int step = *rc::gen::inRange(1, 30); step > 0; --step) {
      auto const placed = placer.place_gang(any_request(), default_pool, 1);
      if (auto const* members = std::get_if<std::vector<Allocation>>(&placed)) world.take(*members);
      if (*rc::gen::inRange(0, 3) == 0) world.release_one();
      if (*rc::gen::inRange(0, 6) == 0) world.change_a_node();
    }
    auto const again = restored(world.cluster);
    Placer fresh(again, unknown_mix());
    auto const r = any_request();
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
    same(placer.place_gang(r, default_pool, tasks), fresh.place_gang(r, default_pool, tasks));
  }));
}

TEST(PlacerProperty, NamesOfNodesAndTheirOrderDoNotMatter) {
  ASSERT_TRUE(rc::check([] {
    auto nodes = any_nodes(6);
    auto a = cluster_of(nodes);
    for (auto& n : nodes) n.id.value = "z" + std::to_string(100 - n.order);
    std::reverse(nodes.begin(), nodes.end());
    auto b = cluster_of(nodes);
    Placer one(a, unknown_mix()), other(b, unknown_mix());
    for (int i = 0; i < 10; ++i) {
      auto const r = any_request();
      auto const x = one.find(r, default_pool), y = other.find(r, default_pool);
      RC_ASSERT(x.has_value() == y.has_value());
      if (!x) continue;
      RC_ASSERT(a.find(x->front().node)->spec.order == b.find(y->front().node)->spec.order);
      must(a.reserve({"t" + std::to_string(i)}, x->front()));
      must(b.reserve({"t" + std::to_string(i)}, y->front()));
    }
  }));
}

TEST(Placer, RefusesAsTheFunctionsDo) {
  auto const c = cluster_of({node("a", capacity(8000, 8000, 2))});
  Placer placer(c);
  EXPECT_TRUE(std::get<Misfit>(placer.place_gang(ask_gpus(1), default_pool, 0)).never);
  EXPECT_TRUE(std::get<Misfit>(placer.place(ask_gpus(2, 500), default_pool)).never);
  EXPECT_FALSE(placer.find(ask_gpus(3), default_pool).has_value());
  EXPECT_EQ(placer.find(ask_gpus(1), default_pool, 2)->size(), 2u);
}

TEST(Placer, ManyKindsOfRequestStayBounded) {
  auto const c = cluster_of({node("a", capacity(8'000'000, 8'000'000, 2))});
  Placer placer(c);
  for (std::int64_t i = 0; i < 2 * static_cast<std::int64_t>(Placer::most_rankings); ++i)
    EXPECT_TRUE(placer.find(ask_cpu(i, 1), default_pool).has_value());
}

TEST(Ranking, HiddenShapesComeBack) {
  auto const c =
      cluster_of({node("a", capacity(8000, 8000, 1)), node("b", capacity(9000, 8000, 1))});
  Shapes shapes;
  for (auto slot : c.pool(default_pool)) shapes.add(c.at(slot), slot);
  Ranking ranking(c, shapes, ask_gpus(1), default_pool, true);
  ranking.update(best_fit());
  auto const first = ranking.best(best_fit(), {});
  ASSERT_TRUE(first.has_value());
  ranking.hide(*first);
  auto const second = ranking.best(best_fit(), {});
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(first->rank.better_than(second->rank));
  ranking.hide(*second);
  EXPECT_FALSE(ranking.best(best_fit(), {}).has_value());
  ranking.show();
  EXPECT_EQ(ranking.best(best_fit(), {})->shape, first->shape);
}

}  // namespace
}  // namespace lepton::deployer
