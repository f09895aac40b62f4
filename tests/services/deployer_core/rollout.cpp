// Rollouts: tables for each rule, and a world of replicas that live and die as chance wills.

#include "services/deployer/core/rollout.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace lepton::deployer {
namespace {

using enum ReplicaState;
using Steps = std::vector<RolloutStep>;

RolloutStep start(std::uint32_t template_number) {
  return {StepKind::start, template_number, 0};
}
RolloutStep drain(std::uint64_t number) {
  return {StepKind::drain, 0, number};
}
RolloutStep stop(std::uint64_t number) {
  return {StepKind::stop, 0, number};
}

RolloutTarget target(std::uint32_t replicas, std::uint32_t template_number = 1) {
  return {template_number, 1, replicas, 1, 0, false, true};
}

TEST(Rollout, NothingIsDoneWhenAllIsWell) {
  EXPECT_EQ(plan_rollout(target(2), {{1, 1, ready}, {2, 1, ready}}), Steps{});
  EXPECT_EQ(plan_rollout(target(2), {{1, 1, ready}, {2, 1, starting}}), Steps{});
  EXPECT_EQ(plan_rollout(target(0), {}), Steps{});
}

TEST(Rollout, WhatIsMissingIsStarted) {
  EXPECT_EQ(plan_rollout(target(2), {}), (Steps{start(1), start(1)}));
  EXPECT_EQ(plan_rollout(target(3), {{1, 1, ready}, {2, 1, stopping}}),
            (Steps{start(1), start(1)}));
  auto held = target(2);
  held.may_start = false;
  EXPECT_EQ(plan_rollout(held, {}), Steps{});
}

TEST(Rollout, TheReplacementComesFirst) {
  EXPECT_EQ(plan_rollout(target(1, 2), {{1, 1, ready}}), Steps{start(2)});
  EXPECT_EQ(plan_rollout(target(1, 2), {{1, 1, ready}, {2, 2, starting}}), Steps{});
  EXPECT_EQ(plan_rollout(target(1, 2), {{1, 1, ready}, {2, 2, ready}}), Steps{drain(1)});
  EXPECT_EQ(plan_rollout(target(1, 2), {{1, 1, draining}, {2, 2, ready}}), Steps{});
  EXPECT_TRUE(is_rolled_out(target(1, 2), {{2, 2, ready}}));
  EXPECT_FALSE(is_rolled_out(target(1, 2), {{1, 1, draining}, {2, 2, ready}}));
}

TEST(Rollout, AnOldReplicaThatIsNotReadyGoesAtOnce) {
  EXPECT_EQ(plan_rollout(target(2, 2), {{1, 1, ready}, {2, 1, starting}}),
            (Steps{stop(2), start(2)}));
}

TEST(Rollout, WithoutSurgeOneIsTakenAwayFirst) {
  auto t = target(2, 2);
  t.max_surge = 0;
  t.max_unavailable = 1;
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}, {2, 1, ready}}), Steps{drain(2)});
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}, {2, 1, draining}}), Steps{});
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}}), Steps{start(2)});
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}, {3, 2, ready}}), Steps{drain(1)});
}

TEST(Rollout, ScalingDownTakesTheNotReadyThenTheNewest) {
  EXPECT_EQ(plan_rollout(target(1), {{1, 1, starting}, {2, 1, ready}, {3, 1, ready}}),
            (Steps{stop(1), drain(3)}));
  EXPECT_EQ(plan_rollout(target(2), {{1, 1, ready}, {2, 1, unready}, {3, 1, ready}}),
            Steps{stop(2)});
  EXPECT_EQ(plan_rollout(target(0), {{1, 1, ready}, {2, 1, starting}}), (Steps{stop(2), drain(1)}));
}

TEST(Rollout, AStalledRolloutKeepsWhatWorks) {
  auto t = target(2, 2);
  t.stalled = true;
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}, {2, 1, ready}, {3, 2, starting}}), Steps{stop(3)});
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}}), Steps{start(1)}) << "the proven template goes on";
  EXPECT_EQ(plan_rollout(t, {{1, 1, ready}, {2, 1, ready}, {3, 2, ready}}), Steps{drain(3)});
  t.proven = 0;
  EXPECT_EQ(plan_rollout(t, {}), Steps{}) << "there is none";
}

TEST(Rollout, ASilentReplicaIsNeitherTouchedNorCountedUpon) {
  EXPECT_EQ(plan_rollout(target(2, 2), {{1, 1, ready, true}, {2, 1, unready, true}}),
            Steps{start(2)});
  EXPECT_EQ(plan_rollout(target(1, 2), {{1, 1, ready}, {2, 2, ready, true}}), Steps{});
  EXPECT_FALSE(is_rolled_out(target(1), {{1, 1, ready, true}}));
}

TEST(Trial, BacksOffAndStalls) {
  Trial trial;
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 3; ++i) {
    trial = after_failure(trial, false, 100, "exit code 1");
    waits.push_back(trial.not_before_ms - 100);
    EXPECT_TRUE(trial.stalled.empty());
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1'000, 2'000, 4'000}));
  trial = after_failure(trial, false, 100, "exit code 1");
  EXPECT_NE(trial.stalled.find("exit code 1"), std::string::npos);
}

TEST(Trial, WhatHasProvenItselfIsTriedForEver) {
  Trial trial;
  for (int i = 0; i < 100; ++i) trial = after_failure(trial, true, 0, "lost its database");
  EXPECT_TRUE(trial.stalled.empty());
  EXPECT_EQ(trial.not_before_ms, trial_backoff_max_ms);
}

// Replicas that start, become ready, lose it, end, drain and stop as the generator says.
class World {
 public:
  RolloutTarget aim;
  std::map<std::uint64_t, Replica> replicas;

  std::vector<Replica> list() const {
    std::vector<Replica> all;
    for (auto const& [number, r] : replicas) all.push_back(r);
    return all;
  }
  std::size_t ready_count() const {
    return static_cast<std::size_t>(std::count_if(
        replicas.begin(), replicas.end(), [](auto const& x) { return x.second.state == ready; }));
  }
  std::size_t lowest() const { return aim.replicas - std::min(aim.max_unavailable, aim.replicas); }

  void plan() {
    auto const present = replicas.size();
    auto const was_ready = ready_count();
    for (auto const& step : plan_rollout(aim, list())) {
      if (step.kind == StepKind::start) {
        auto const number = ++last_;
        replicas[number] = {number, step.template_number, starting};
        continue;
      }
      auto& r = replicas.at(step.number);
      RC_ASSERT((r.state == ready) == (step.kind == StepKind::drain));
      RC_ASSERT(r.state != draining && r.state != stopping);
      r.state = step.kind == StepKind::drain ? draining : stopping;
    }
    RC_ASSERT(ready_count() >= std::min(was_ready, lowest()));
    RC_ASSERT(replicas.size() <= std::max<std::size_t>(present, aim.replicas + aim.max_surge));
  }
  // Everything that is under way ends well.
  void settle_one() {
    for (auto it = replicas.begin(); it != replicas.end();) {
      auto& state = it->second.state;
      auto const gone = state == draining || state == stopping;
      if (!gone) state = ready;
      it = gone ? replicas.erase(it) : std::next(it);
    }
  }
  void disturb(std::uint32_t what) {
    if (replicas.empty()) return;
    auto it = std::next(replicas.begin(), what / 8 % std::ptrdiff_t(replicas.size()));
    auto& state = it->second.state;
    auto const going = state == draining || state == stopping;
    if (what % 8 < 2 || (going && what % 8 < 5))
      replicas.erase(it);
    else if (!going)
      state = what % 8 < 6 ? ready : state == ready ? unready : state;
  }

 private:
  std::uint64_t last_ = 0;
};

RC_GTEST_PROP(RolloutProperty, HoldsItsRulesAndEndsAtTheTarget, ()) {
  World world;
  world.aim = {1, 1, *rc::gen::inRange(1u, 8u), *rc::gen::inRange(0u, 3u), 0, false, true};
  world.aim.max_unavailable =
      world.aim.max_surge == 0 ? *rc::gen::inRange(1u, 4u) : *rc::gen::inRange(0u, 4u);
  auto const events =
      *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::arbitrary<std::uint32_t>());
  for (auto const event : events) {
    auto const kind = event % 16;
    if (kind == 0) ++world.aim.template_number;
    if (kind == 1) world.aim.replicas = (event >> 8) % 9;
    if (kind == 2) world.aim.stalled = world.aim.template_number != world.aim.proven;
    if (kind == 3) world.aim.stalled = false;
    if (kind > 3) world.disturb(event >> 8);
    world.plan();
  }
  world.aim.stalled = false;
  for (int i = 0; i < 100 && !is_rolled_out(world.aim, world.list()); ++i) {
    world.plan();
    world.settle_one();
  }
  RC_ASSERT(is_rolled_out(world.aim, world.list()));
}

// From a steady service to another template with nothing going wrong: never below the floor.
RC_GTEST_PROP(RolloutProperty, AQuietRolloutNeverFallsBelowItsFloor, ()) {
  World world;
  world.aim = {1, 1, *rc::gen::inRange(1u, 8u), *rc::gen::inRange(0u, 3u), 0, false, true};
  world.aim.max_unavailable = world.aim.max_surge == 0 ? 1 : *rc::gen::inRange(0u, 4u);
  while (!is_rolled_out(world.aim, world.list())) world.plan(), world.settle_one();
  world.aim.template_number = 2;
  for (int i = 0; i < 100 && !is_rolled_out(world.aim, world.list()); ++i) {
    world.plan();
    RC_ASSERT(world.ready_count() >= world.lowest());
    world.settle_one();
  }
  RC_ASSERT(is_rolled_out(world.aim, world.list()));
}

}  // namespace
}  // namespace lepton::deployer
