// Migration: what is moved, and what is left alone.

#include "services/deployer/core/migration.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/services/deployer_core/migration_scene.hpp"

namespace lepton::deployer::migration_tests {
namespace {

std::vector<std::string> moved(std::vector<Migration> const& plan) {
  std::vector<std::string> names;
  for (auto const& m : plan) names.push_back(m.job.value);
  return names;
}
using Names = std::vector<std::string>;

NodeSpec gpu_node(std::string name, std::uint32_t gpus = 1) {
  return node(std::move(name), capacity(64'000, 64'000, gpus));
}

TEST(Migration, TwoHalvesBecomeOneGpuAndAWholeOneIsFree) {
  Scene s({gpu_node("a"), gpu_node("b")});
  s.share("long", "a", 500, 50);
  s.share("short", "b", 500, 10);
  auto const plan = s.plan();
  ASSERT_EQ(moved(plan), Names{"short"}) << "less work is lost";
  EXPECT_EQ(plan[0].from.at(0).node.value, "b");
  EXPECT_EQ(plan[0].to.at(0), Scene::at("a", ask_gpus(1, 500), 0));
  EXPECT_GT(plan[0].freed_milli, 20);
  EXPECT_EQ(plan[0].lost_gpu_ms, cost_of(s.work[1].work, now_ms));
  s.work[0].work.checkpoint_interval_ms = 48 * minute;
  EXPECT_EQ(moved(s.plan()), Names{"long"}) << "two minutes since its last checkpoint";
}

TEST(Migration, WhatMayNotBeStoppedStays) {
  Scene s({gpu_node("a"), gpu_node("b")});
  s.share("fixed", "a").work.preemptible = false;
  s.share("work", "b");
  auto& w = s.work[1].work;
  auto const sound = w;
  EXPECT_EQ(moved(s.plan()), Names{"work"});
  w.preemptible = false;
  EXPECT_EQ(moved(s.plan()), Names{});
  w = sound, w.stopping = true;
  EXPECT_EQ(moved(s.plan()), Names{});
  w = sound, w.started_at_ms = 0;
  EXPECT_EQ(moved(s.plan()), Names{}) << "it has not begun";
  w = sound, w.min_runtime_ms = 10 * minute + 1;
  EXPECT_EQ(moved(s.plan()), Names{}) << "too young";
  w.min_runtime_ms = 10 * minute;
  EXPECT_EQ(moved(s.plan()), Names{"work"});
  s.work[1].attempts = {{"another"}};
  EXPECT_EQ(moved(s.plan()), Names{}) << "the cluster does not say so";
}

TEST(Migration, WithoutRoomBesideTheOldPlaceNothingMoves) {
  Scene s({gpu_node("a"), gpu_node("b")});
  s.share("one", "a", 600);
  s.share("two", "b", 600);
  EXPECT_EQ(moved(s.plan()), Names{});
}

// 300 and 700 are asked for: 400 beside two of 300 is worth less than 700 beside one.
TEST(Migration, AShareMovesToTheRemnantThatItFills) {
  Scene s({gpu_node("a"), gpu_node("b")},
          {{{100, 100, 1, 300, {}}, 0.5}, {{100, 100, 1, 700, {}}, 0.5}});
  s.share("one", "a", 300, 30);
  s.share("two", "a", 300, 20);
  s.share("large", "b", 700, 1);
  auto const plan = s.plan();
  ASSERT_EQ(moved(plan), Names{"two"}) << "what was freed falls to tasks to come";
  EXPECT_EQ(plan[0].to.at(0).node.value, "b");
  EXPECT_NEAR(plan[0].freed_milli, 100, 20) << "of 400, 300 were of use";
}

TEST(Migration, WithoutAGainNothingMoves) {
  Scene s({gpu_node("a"), gpu_node("b")});
  s.share("one", "a");
  s.share("two", "a");
  EXPECT_EQ(moved(s.plan()), Names{}) << "b is whole";
  Scene split({gpu_node("a"), gpu_node("b")});
  split.share("one", "a");
  split.share("two", "b");
  auto const freed = split.plan().at(0).freed_milli;
  EXPECT_EQ(split.plan({100, 1e12}, freed - 1).size(), 1u);
  EXPECT_EQ(split.plan({100, 1e12}, freed + 1).size(), 0u) << "not worth a stop";
}

TEST(Migration, SharesOnOneNodeMoveTogetherToo) {
  Scene s({gpu_node("a", 2)});
  s.share("one", "a", 500, 10, 0);
  s.share("two", "a", 500, 10, 1);
  auto const plan = s.plan();
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_NE(plan[0].to.at(0).gpus, plan[0].from.at(0).gpus);
  EXPECT_EQ(plan[0].to.at(0).gpus.at(0).index + plan[0].from.at(0).gpus.at(0).index, 1u);
}

TEST(Migration, TheBudgetIsKept) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 6; ++i) nodes.push_back(gpu_node("n" + std::to_string(i)));
  Scene s(nodes);
  for (int i = 0; i < 6; ++i) s.share("w" + std::to_string(i), "n" + std::to_string(i), 500, 5 + i);
  EXPECT_EQ(s.plan().size(), 3u);
  EXPECT_EQ(s.plan({2, 1e12}).size(), 2u);
  EXPECT_EQ(s.plan({0, 1e12}).size(), 0u);
  auto const cheapest = cost_of(s.work[0].work, now_ms);
  EXPECT_EQ(moved(s.plan({100, cheapest})), Names{"w0"});
  EXPECT_EQ(s.plan({100, cheapest - 1}).size(), 0u);
}

TEST(Migration, NothingGoesToALessWantedModel) {
  Scene s({gpu_node("a"), node("b", capacity(64'000, 64'000, 1, "T4"))});
  auto const request = ask_gpus(1, 500, {"A100", "T4"});
  s.hold("on_first", request, {Scene::at("a", request, 0)});
  s.hold("on_second", request, {Scene::at("b", request, 0)}, 300);
  EXPECT_EQ(moved(s.plan()), Names{"on_second"}) << "though it costs more";
  s.work[1].work.preemptible = false;
  EXPECT_EQ(moved(s.plan()), Names{});
}

TEST(Migration, ANodeThatTakesNoWorkIsNeitherEndOfAMove) {
  for (auto const* down : {"a", "b"}) {
    Scene s({gpu_node("a"), gpu_node("b")});
    s.share("one", "a");
    s.share("two", "b");
    must(s.cluster.set_state({down}, NodeState::draining));
    EXPECT_EQ(moved(s.plan()), Names{});
  }
}

TEST(Migration, AGangMovesWholeOrNotAtAll) {
  auto const scene = [](std::uint32_t left_milli) {
    Scene s({gpu_node("a"), gpu_node("b"), gpu_node("c"), gpu_node("d")});
    auto const request = ask_gpus(1, 500);
    s.hold("gang", request, {Scene::at("a", request, 0), Scene::at("b", request, 0)});
    s.share("left", "c", left_milli).work.preemptible = false;
    s.share("right", "d").work.preemptible = false;
    return s;
  };
  auto s = scene(500);
  auto const plan = s.plan();
  ASSERT_EQ(moved(plan), Names{"gang"});
  ASSERT_EQ(plan[0].to.size(), 2u);
  std::set<std::string> const to{plan[0].to[0].node.value, plan[0].to[1].node.value};
  EXPECT_EQ(to, (std::set<std::string>{"c", "d"}));
  EXPECT_EQ(s.plan({1, 1e12}).size(), 0u) << "it counts as two";
  s.work[0].request.where.topology = TopologyMode::spread;
  s.work[0].request.where.topology_label = "rack";
  EXPECT_EQ(moved(s.plan()), Names{});
  EXPECT_EQ(scene(600).plan().size(), 1u) << "one of them beside the other";
  auto half = scene(600);
  half.share("more", "d").work.preemptible = false;
  EXPECT_EQ(moved(half.plan()), Names{}) << "their own remnants are no better";
}

TEST(Migration, WorkOfAnotherPoolIsNobodysBusinessHere) {
  auto other = gpu_node("b");
  other.pool = {"other"};
  Scene s({gpu_node("a"), other});
  s.share("one", "a");
  s.share("two", "b");
  EXPECT_EQ(moved(s.plan()), Names{});
}

TEST(MigrationBudget, WhatWasSpentComesBackAfterAnHour) {
  MigrationBudget b({3, 2 * gpu_hour});
  EXPECT_EQ(b.left(0).moves, 3u);
  b.spend(0, {1, gpu_hour});
  b.spend(30 * minute, {2, 0.5 * gpu_hour});
  EXPECT_EQ(b.left(30 * minute).moves, 0u);
  EXPECT_DOUBLE_EQ(b.left(59 * minute).lost_gpu_ms, 0.5 * gpu_hour);
  EXPECT_EQ(b.left(60 * minute).moves, 1u);
  EXPECT_DOUBLE_EQ(b.left(60 * minute).lost_gpu_ms, 1.5 * gpu_hour);
  b.spend(60 * minute, {5, 9 * gpu_hour});
  EXPECT_EQ(b.left(60 * minute).moves, 0u) << "more than there was";
  EXPECT_EQ(b.left(60 * minute).lost_gpu_ms, 0);
  EXPECT_EQ(b.left(120 * minute).moves, 3u);
}

}  // namespace
}  // namespace lepton::deployer::migration_tests
