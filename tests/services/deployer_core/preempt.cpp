// Preemption: who gives way, what is lost, and that nothing is stopped in vain.

#include "services/deployer/core/preempt.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

constexpr WallMs minute = 60'000;
constexpr WallMs now_ms = 1'000 * minute;

// A cluster with work on it.
struct Scene {
  Cluster cluster;
  std::vector<Running> running;

  explicit Scene(std::vector<NodeSpec> const& nodes) : cluster(cluster_of(nodes)) {}

  // So many equal tasks of so many GPUs, started so long ago; where the core puts them.
  Running& run(std::string const& name, std::int32_t priority, std::uint32_t gpus,
               WallMs minutes_ago, std::uint32_t tasks = 1) {
    auto gang = place_gang(cluster, ask_gpus(gpus), default_pool, tasks);
    auto const* places = std::get_if<std::vector<Allocation>>(&gang);
    LEPTON_CHECK(places != nullptr, "the scene has no room for its work");
    Running r;
    r.job = {name};
    r.priority = priority;
    r.started_at_ms = now_ms - minutes_ago * minute;
    r.held = *places;
    hold(r);
    running.push_back(std::move(r));
    return running.back();
  }
  void hold(Running const& r) {
    for (std::size_t i = 0; i < r.held.size(); ++i)
      must(cluster.reserve({r.job.value + "-" + std::to_string(i)}, r.held[i]));
  }
  std::optional<PreemptionPlan> plan(std::uint32_t gpus, std::int32_t priority = 90,
                                     std::uint32_t tasks = 1) const {
    auto const request = ask_gpus(gpus);
    return plan_preemption(cluster, {request, default_pool, tasks, priority}, running, now_ms);
  }
};

using Names = std::vector<std::string>;

Names victims(std::optional<PreemptionPlan> const& plan) {
  if (!plan) return {"no plan"};
  Names names;
  for (auto const& job : plan->victims) names.push_back(job.value);
  return names;
}

NodeSpec gpu_node(std::string name, std::uint32_t gpus) {
  return node(std::move(name), capacity(64'000, 64'000, gpus));
}

TEST(Preempt, TheLeastWorkIsLost) {
  Scene s({gpu_node("a", 1), gpu_node("b", 1), gpu_node("c", 1)});
  s.run("long", 10, 1, 300);
  s.run("short", 10, 1, 20);
  s.run("saved", 10, 1, 305).checkpoint_interval_ms = 10 * minute;
  EXPECT_EQ(victims(s.plan(1)), Names{"saved"}) << "5 minutes since its last checkpoint";
  s.running[2].checkpoint_interval_ms = 0;
  EXPECT_EQ(victims(s.plan(1)), Names{"short"});
}

TEST(Preempt, OnlyLowerPriorityThatMayBeStoppedGivesWay) {
  Scene s({gpu_node("a", 1)});
  auto& r = s.run("work", 50, 1, 20);
  EXPECT_EQ(victims(s.plan(1, 50)), Names{"no plan"});
  EXPECT_EQ(victims(s.plan(1, 51)), Names{"work"});
  r.min_runtime_ms = 21 * minute;
  EXPECT_EQ(victims(s.plan(1)), Names{"no plan"});
  r.min_runtime_ms = 20 * minute;
  EXPECT_EQ(victims(s.plan(1)), Names{"work"});
  r.started_at_ms = 0;
  EXPECT_EQ(victims(s.plan(1)), Names{"no plan"}) << "protected before it has begun";
  r.min_runtime_ms = 0;
  EXPECT_EQ(victims(s.plan(1)), Names{"work"});
  r.preemptible = false;
  EXPECT_EQ(victims(s.plan(1)), Names{"no plan"});
}

TEST(Preempt, OfOtherOwnersOnlyWhatIsBorrowedGivesWay) {
  Running r;
  r.priority = 50;
  r.held = {{}};
  r.owner = "bob";
  auto const request = ask_gpus(1);
  struct Row {
    std::string owner;
    bool quotas, owed, borrowed;
    std::int32_t priority;
    bool gives_way;
  };
  for (auto const& row :
       {Row{"ann", false, false, false, 51, true}, Row{"ann", false, false, false, 50, false},
        Row{"ann", true, false, false, 90, false}, Row{"ann", true, true, false, 90, false},
        Row{"ann", true, false, true, 90, true}, Row{"ann", true, false, true, 50, false},
        Row{"ann", true, true, true, 10, true}, Row{"bob", true, true, true, 50, false},
        Row{"bob", true, false, false, 90, true}}) {
    r.borrowed = row.borrowed;
    Preemptor const job{request, default_pool, 1, row.priority, row.owner, row.quotas, row.owed};
    EXPECT_EQ(may_preempt(r, job, now_ms), row.gives_way)
        << row.owner << row.quotas << row.owed << row.borrowed << " at " << row.priority;
  }
}

TEST(Preempt, WhatDoesNotMakeTheJobStartIsLeftAlone) {
  Scene s({gpu_node("a", 4), gpu_node("b", 4)});
  s.run("small", 10, 1, 5);
  s.run("fixed", 90, 3, 5);
  s.run("other", 10, 2, 5);
  EXPECT_EQ(victims(s.plan(4)), Names{"other"});
  EXPECT_EQ(victims(s.plan(8)), Names{"no plan"}) << "no node has eight";
  s.running[2].preemptible = false;
  EXPECT_EQ(victims(s.plan(4)), Names{"no plan"}) << "'small' alone would be stopped in vain";
}

TEST(Preempt, OfEqualLossesTheSmallestIsStopped) {
  Scene s({gpu_node("a", 4), gpu_node("b", 4)});
  for (int i = 0; i < 4; ++i) s.run("fresh" + std::to_string(i), 10, 1, 0);
  s.run("one", 10, 4, 0);
  EXPECT_EQ(victims(s.plan(1)).size(), 1u);
  EXPECT_NE(victims(s.plan(1)), Names{"one"});
  EXPECT_EQ(victims(s.plan(4)), Names{"one"}) << "as many GPUs, but less CPU than four tasks";
}

TEST(Preempt, AGangGivesWayWholeAndCountsWhole) {
  Scene s({gpu_node("a", 1), gpu_node("b", 1), gpu_node("c", 1)});
  s.run("gang", 10, 1, 10, 2);
  s.run("single", 10, 1, 15);
  EXPECT_EQ(victims(s.plan(1)), Names{"single"}) << "two GPUs for 11 minutes against one for 16";
  EXPECT_EQ(victims(s.plan(1, 90, 2)), Names{"gang"});
  EXPECT_EQ(victims(s.plan(1, 90, 3)), (Names{"gang", "single"}));
}

TEST(Preempt, WorkThatIsStoppingAnywayIsWaitedFor) {
  Scene s({gpu_node("a", 1), gpu_node("b", 1)});
  s.run("ending", 95, 1, 500).stopping = true;
  s.run("running", 10, 1, 1);
  auto const plan = s.plan(1);
  ASSERT_TRUE(plan);
  EXPECT_EQ(victims(plan), Names{});
  EXPECT_EQ(plan->places.at(0).node, s.running[0].held[0].node);
  EXPECT_EQ(victims(s.plan(1, 90, 2)), Names{"running"});
}

TEST(Preempt, ANodeThatTakesNoWorkIsNotCleared) {
  Scene s({gpu_node("a", 1)});
  s.run("work", 10, 1, 1);
  must(s.cluster.set_state({"a"}, NodeState::draining));
  EXPECT_EQ(victims(s.plan(1)), Names{"no plan"});
}

TEST(Preempt, AGangOfAThousandOnAFullClusterIsPlannedAtOnce) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 128; ++i) nodes.push_back(gpu_node("n" + std::to_string(i), 8));
  Scene s(nodes);
  for (int i = 0; i < 256; ++i) s.run("job" + std::to_string(i), 10, 4, i);
  auto const plan = s.plan(8, 90, 64);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->victims.size(), 128u);
  EXPECT_EQ(victims(s.plan(8, 90, 129)), Names{"no plan"});
}

// Runs if there is room; one in `rare` may not be stopped, and as many stop already.
void add_job(Scene& s, ResourceRequest const& request, std::int32_t priority, int rare) {
  auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
  auto gang = place_gang(s.cluster, request, default_pool, tasks);
  auto const* places = std::get_if<std::vector<Allocation>>(&gang);
  if (places == nullptr) return;
  Running r;
  r.job = {"j" + std::to_string(s.running.size())};
  r.priority = priority;
  r.preemptible = *rc::gen::inRange(0, rare) != 0;
  r.stopping = *rc::gen::inRange(0, rare) == 0;
  r.started_at_ms = *rc::gen::element<WallMs>(0, now_ms, now_ms - 7 * minute, minute);
  r.checkpoint_interval_ms = *rc::gen::element<std::int64_t>(0, 5 * minute);
  r.min_runtime_ms = *rc::gen::element<std::int64_t>(0, 0, 0, 0, 10 * minute);
  r.held = *places;
  s.hold(r);
  s.running.push_back(std::move(r));
}

Scene any_scene() {
  Scene s(any_nodes(4));
  for (auto left = *rc::gen::inRange(0, 10); left > 0; --left)
    add_job(s, any_request(), *rc::gen::element(10, 50, 90), 5);
  return s;
}

// Full machines, on which what is more important finds a place by stopping somebody only.
Scene crowded_scene() {
  Scene s(plain_nodes(2));
  for (auto left = *rc::gen::inRange(6, 10); left > 0; --left)
    add_job(s, plain_request(2), *rc::gen::element(10, 10, 50), 12);
  return s;
}

// Whether the job has a place once these are gone.
bool fits_without(Scene const& s, Preemptor const& job, std::vector<bool> const& gone) {
  auto left = s.cluster;
  for (std::size_t i = 0; i < s.running.size(); ++i) {
    if (!gone[i]) continue;
    for (std::size_t k = 0; k < s.running[i].held.size(); ++k)
      left.release({s.running[i].job.value + "-" + std::to_string(k)});
  }
  auto const gang = place_gang(left, job.resources, job.pool, job.tasks);
  return std::holds_alternative<std::vector<Allocation>>(gang);
}

std::vector<bool> gone_under(Scene const& s, PreemptionPlan const& plan) {
  std::vector<bool> gone;
  for (auto const& r : s.running)
    gone.push_back(r.stopping || std::find(plan.victims.begin(), plan.victims.end(), r.job) !=
                                     plan.victims.end());
  return gone;
}

// The least cost of any allowed set of victims; nothing when none will do.
std::optional<double> least_cost(Scene const& s, Preemptor const& job) {
  std::optional<double> least;
  auto const n = s.running.size();
  for (std::uint32_t set = 0; set < (1u << n); ++set) {
    double cost = 0;
    bool allowed = true;
    std::vector<bool> gone;
    for (std::size_t i = 0; i < n; ++i) {
      auto const chosen = (set >> i & 1) != 0;
      allowed = allowed && (!chosen || may_preempt(s.running[i], job, now_ms));
      cost += chosen ? cost_of(s.running[i], now_ms) : 0;
      gone.push_back(chosen || s.running[i].stopping);
    }
    if (allowed && (!least || cost < *least) && fits_without(s, job, gone)) least = cost;
  }
  return least;
}

TEST(PreemptProperty, ThePlanStartsTheJobAndStopsNothingInVain) {
  int stopped = 0;
  ASSERT_TRUE(rc::check([&] {
    auto const crowded = *rc::gen::arbitrary<bool>();
    auto const s = crowded ? crowded_scene() : any_scene();
    auto request = crowded ? plain_request(*rc::gen::inRange(1, 5)) : any_request();
    request.where.topology = TopologyMode::none;  // a packed gang preempts nobody
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 5));
    Preemptor const job{request, default_pool, tasks, *rc::gen::element(50, 90)};
    auto const plan = plan_preemption(s.cluster, job, s.running, now_ms);
    auto const least = least_cost(s, job);
    RC_ASSERT(plan.has_value() == least.has_value());
    if (!plan) return;
    stopped += plan->victims.empty() ? 0 : 1;
    auto gone = gone_under(s, *plan);
    RC_ASSERT(fits_without(s, job, gone));
    for (std::size_t i = 0; i < gone.size(); ++i) {
      if (!gone[i] || s.running[i].stopping) continue;
      RC_ASSERT(may_preempt(s.running[i], job, now_ms));
      gone[i] = false;
      RC_ASSERT(!fits_without(s, job, gone));
      gone[i] = true;
    }
    if (job.tasks == 1) {
      RC_ASSERT(plan->cost <= *least * 1.000001);
    }
    auto after = s.cluster;
    for (std::size_t i = 0; i < gone.size(); ++i)
      for (std::size_t k = 0; gone[i] && k < s.running[i].held.size(); ++k)
        after.release({s.running[i].job.value + "-" + std::to_string(k)});
    for (std::size_t k = 0; k < plan->places.size(); ++k)
      must(after.reserve({"new-" + std::to_string(k)}, plan->places[k]));
    RC_ASSERT(plan->places.size() == job.tasks);
  }));
  EXPECT_GE(stopped, 5) << "plans that stop something";
}

}  // namespace
}  // namespace lepton::deployer
