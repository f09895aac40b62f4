// Every decision can be made again: what was recorded of a busy cluster, from its beginning or from
// a snapshot in between, gives the same plans, also after it went through the codec.

#include "services/deployer/core/replay.hpp"

#include <gtest/gtest.h>

#include "common/base/random.hpp"
#include "common/codec/msgpack.hpp"
#include "services/deployer/core/decision.hpp"
#include "services/deployer/core/recorder.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

constexpr WallMs now_ms = 1'000'000'000;

// Work comes and goes on nodes that come, go and fail, as the seed says; all of it is recorded.
class BusyCluster {
 public:
  // Slots in another order than registrations, as after a restart.
  void register_backwards() {
    for (std::uint64_t i = 8; i > 0; --i)
      must(cluster_.upsert_node(node("n" + std::to_string(i - 1), capacity(32'000, 64'000, 4), i)));
  }
  explicit BusyCluster(std::uint64_t seed)
      : chance_(seed),
        placer_(cluster_, seed % 2 == 0 ? PlacementPolicy::bandit : PlacementPolicy::foresight,
                seed) {
    cluster_.watch(&recorder_);
  }

  void step() {
    auto const what = chance_.below(20);
    if (what < 2) return change_node();
    if (what < 8) return end_one();
    if (what == 8) return preempt();
    if (what == 9) return keep_and_fill_beside();
    place();
  }
  Recorder& recorder() { return recorder_; }
  std::vector<Step> snapshot() const { return snapshot_of(cluster_, placer_); }
  Cluster const& cluster() const { return cluster_; }
  std::set<std::string> policies;  // that were followed

 private:
  ResourceRequest draw_request() {
    static std::vector<std::string> const models[] = {{}, {"A100"}, {"H100", "A100"}, {"T4"}};
    auto const gpus = static_cast<std::uint32_t>(chance_.below(4));
    auto r =
        ask_gpus(gpus, gpus == 1 && chance_.below(2) == 0 ? 250 : 1000, models[chance_.below(4)]);
    r.cpu_milli = 1'000 * (1 + std::int64_t(chance_.below(8)));
    if (chance_.below(5) == 0) r.where.requirements = {{"disk", {"nvme"}, false}};
    return r;
  }
  void change_node() {
    static char const* const models[] = {"A100", "H100", "T4"};
    auto const name = "n" + std::to_string(chance_.below(8));
    if (cluster_.find({name}) != nullptr && chance_.below(3) > 0) {
      if (chance_.below(4) == 0) return (void)cluster_.remove_node({name});
      auto const state = chance_.below(2) == 0 ? NodeState::suspect : NodeState::ready;
      return must(cluster_.set_state({name}, state));
    }
    auto spec = node(name, capacity(32'000, 64'000, 4, models[chance_.below(3)]));
    if (chance_.below(2) == 0) spec.labels["disk"] = "nvme";
    (void)cluster_.upsert_node(std::move(spec));
  }
  void hold(std::vector<Allocation> const& places) {
    Running r;
    r.job = {"job" + std::to_string(++jobs_)};
    r.started_at_ms = now_ms - 100'000 * std::int64_t(chance_.below(4));  // many are equal
    r.held = places;
    for (std::size_t i = 0; i < places.size(); ++i)
      must(cluster_.reserve({r.job.value + "-" + std::to_string(i)}, places[i]));
    running_.push_back(std::move(r));
  }
  void end_one() {
    if (running_.empty()) return;
    auto const at = running_.begin() + std::ptrdiff_t(chance_.below(running_.size()));
    for (std::size_t i = 0; i < at->held.size(); ++i)
      cluster_.release({at->job.value + "-" + std::to_string(i)});
    running_.erase(at);
  }
  DecisionInput input(DecisionKind kind, ResourceRequest const& request, std::uint32_t tasks) {
    DecisionInput in;
    in.kind = kind;
    in.job = {"asks" + std::to_string(recorder_.size())};
    in.pool = default_pool;
    in.request = request;
    in.tasks = tasks;
    in.policy = placer_.policy(default_pool).name();
    in.now_ms = now_ms;
    return in;
  }
  void place() {
    auto const request = draw_request();
    auto const tasks = 1 + static_cast<std::uint32_t>(chance_.below(3));
    placer_.observe(request, tasks);
    recorder_.arrived(request, tasks);
    auto result = placer_.place_gang(request, default_pool, tasks);
    if (auto const* misfit = std::get_if<Misfit>(&result))
      return recorder_.decided(
          {1, input(DecisionKind::wait, request, tasks), {{}, {}, 0, misfit->what}});
    auto const& places = std::get<std::vector<Allocation>>(result);
    recorder_.decided({1, input(DecisionKind::place, request, tasks), {places, {}, 0, ""}});
    policies.insert(std::string(placer_.policy(default_pool).name()));
    placer_.placed(places);
    hold(places);
  }
  void preempt() {
    auto in = input(DecisionKind::preempt, draw_request(), 1);
    in.priority = 90;
    in.running = running_;
    auto const plan = plan_preemption(cluster_, {in.request, in.pool, in.tasks, in.priority},
                                      running_, now_ms, placer_.policy(default_pool));
    if (plan) recorder_.decided({1, in, {plan->places, plan->victims, 0, ""}});
  }
  void keep_and_fill_beside() {
    auto in = input(DecisionKind::keep, draw_request(), 2);
    for (auto const& r : running_)
      in.limited.push_back({r.job, now_ms + std::int64_t(r.job.value.size()) * 1000, r.held});
    auto const plan = reserve(cluster_, in.job, in.request, in.pool, in.tasks, in.limited, now_ms,
                              placer_.policy(default_pool));
    if (!plan) return;
    recorder_.decided({1, in, {plan->places, {}, plan->starts_by_ms, ""}});
    auto later = input(DecisionKind::beside, draw_request(), 1);
    later.reserved = *plan;
    EndsBy const some = [](AttemptId const& attempt) -> std::optional<WallMs> {
      if (attempt.value.size() % 2 == 0) return std::nullopt;
      return now_ms + 500;
    };
    NotedEnds noted;
    auto const places = place_beside(cluster_, later.request, default_pool, 1,
                                     placer_.policy(default_pool), *plan, noting(some, noted));
    if (!places) return;
    later.ends = listed(noted);
    recorder_.decided({1, later, {*places, {}, 0, ""}});
    hold(*places);
  }

  Chance chance_;
  Recorder recorder_;
  Cluster cluster_;
  Placer placer_;
  std::vector<Running> running_;
  int jobs_ = 0;
};

std::map<DecisionKind, int> replayed(Replay& replay, std::vector<Step> const& steps) {
  std::map<DecisionKind, int> seen;
  for (auto const& step : steps) {
    must(replay.apply(step));
    if (!step.decision) continue;
    auto const again = replay.decide(step.decision->input);
    ++seen[step.decision->input.kind];
    EXPECT_TRUE(again && *again == step.decision->outcome)
        << schema::name_of(step.decision->input.kind) << " of " << step.decision->input.job.value;
  }
  return seen;
}

std::vector<Step> through_codec(std::vector<Step> steps) {
  auto read = codec::decode<Steps>(codec::encode(Steps{std::move(steps)}));
  LEPTON_CHECK(read.has_value(), "what was written cannot be read");
  return std::move(read->steps);
}

TEST(DecisionReplay, TheSameStepsGiveTheSameDecisions) {
  std::map<DecisionKind, int> all;
  std::set<std::string> policies;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    BusyCluster busy(seed);
    for (int i = 0; i < 200; ++i) busy.step();
    Replay replay;
    for (auto const& [kind, count] : replayed(replay, through_codec(busy.recorder().take())))
      all[kind] += count;
    replay.cluster().check_invariants();
    EXPECT_EQ(replay.cluster().held_count(), busy.cluster().held_count());
    policies.merge(busy.policies);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
  for (auto kind : {DecisionKind::place, DecisionKind::wait, DecisionKind::preempt,
                    DecisionKind::keep, DecisionKind::beside})
    EXPECT_GT(all[kind], 10) << schema::name_of(kind) << " was hardly tried";
  EXPECT_GE(policies.size(), 3u) << "the bandit hardly changed";
}

TEST(DecisionReplay, ASnapshotIsAsGoodAsTheBeginning) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    BusyCluster busy(seed);
    if (seed % 3 == 0) busy.register_backwards();
    for (int i = 0; i < 150; ++i) busy.step();
    busy.recorder().take();
    auto steps = busy.snapshot();
    for (int i = 0; i < 150; ++i) busy.step();
    for (auto& step : busy.recorder().take()) steps.push_back(std::move(step));
    Replay replay;
    EXPECT_GT(replayed(replay, through_codec(std::move(steps))).size(), 2u);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(DecisionReplay, AnotherStateGivesAnotherDecision) {
  Replay replay;
  for (auto const* name : {"a", "b"})
    must(replay.apply({.node = node(name, capacity(4'000, 8'000, 1))}));
  DecisionInput in;
  in.kind = DecisionKind::place;
  in.pool = default_pool;
  in.request = ask_gpus(1);
  in.policy = "foresight";
  auto const first = replay.decide(in);
  ASSERT_TRUE(first && first->places.size() == 1);
  must(replay.apply({.attempt = AttemptId{"x"}, .holds = first->places[0]}));
  auto const second = replay.decide(in);
  ASSERT_TRUE(second && second->places.size() == 1);
  EXPECT_NE(first->places[0].node, second->places[0].node);
}

TEST(DecisionReplay, WhatWasNotedOfEndsIsAnsweredAgain) {
  EndsBy const ends = [](AttemptId const& attempt) -> std::optional<WallMs> {
    if (attempt.value == "never") return std::nullopt;
    return now_ms;
  };
  NotedEnds noted;
  auto const ask = noting(ends, noted);
  EXPECT_EQ(ask({"soon"}), now_ms);
  EXPECT_EQ(ask({"never"}), std::nullopt);
  auto const again = as_noted(listed(noted));
  EXPECT_EQ(again({"soon"}), now_ms);
  EXPECT_EQ(again({"never"}), std::nullopt);
  EXPECT_EQ(again({"nobody asked"}), std::nullopt);
}

TEST(DecisionReplay, ARecordThatContradictsItselfIsRefused) {
  Replay replay;
  EXPECT_FALSE(replay.apply({.gone = NodeId{"nobody"}}));
  EXPECT_FALSE(replay.apply({.attempt = AttemptId{"x"}}));
  EXPECT_FALSE(replay.apply({.attempt = AttemptId{"x"}, .holds = Allocation{.node = {"nobody"}}}));
  DecisionInput in;
  in.kind = DecisionKind::place;
  in.policy = "of a later version";
  EXPECT_FALSE(replay.decide(in).has_value());
  in.policy = "foresight";
  in.kind = DecisionKind::preempt;
  in.request = ask_gpus(1);
  Running nobody;
  nobody.held = {Allocation{.node = {"nobody"}, .gpus = {{7, 1000}}}};
  in.running = {nobody};
  EXPECT_EQ(replay.decide(in)->what, "its input contradicts the record");
}

}  // namespace
}  // namespace lepton::deployer
