// The frame around any policy: bounds, waking, the last replica, cool-down and rates, by hand; and
// properties that hold for every policy, every limit and every load.

#include "services/scaler/core/scale.hpp"

#include <rapidcheck.h>

#include "services/scaler/core/adjustment.hpp"
#include "services/scaler/core/hpa.hpp"
#include "services/scaler/core/kpa.hpp"
#include "services/scaler/core/threshold.hpp"
#include "tests/services/scaler_core/support.hpp"

namespace lepton::scaler {
namespace {

// Wants what it is told, so that a test sees the frame alone.
class Stubborn final : public Policy {
 public:
  explicit Stubborn(std::uint32_t wanted) : wanted_(wanted) {}
  std::string_view name() const override { return "stubborn"; }
  Target target() const override { return {Signal::concurrency, 2}; }
  std::int64_t period_ms() const override { return 1000; }
  Proposal decide(Memory&, Observation const&, TimeMs) const override {
    return {wanted_, "because", 7.5};
  }

 private:
  std::uint32_t wanted_;
};

TEST(Scale, ADecisionCarriesItsInputs) {
  Signals none;
  Memory memory;
  auto const d = decide(Stubborn(5), {.min = 1, .max = 9}, memory, {3, 2, 1, 1, none}, 4000);
  Decision const expected{"",  0,   4000,        "stubborn", 3,
                          5,   5,   Bound::none, "because",  Signal::concurrency,
                          7.5, 2.0, 2,           1,          1};
  EXPECT_EQ(d, expected);
  EXPECT_EQ(memory.changes, (std::vector<Change>{{4000, 2, 0}}));
}

TEST(Scale, BoundsHoldAndSaySo) {
  Service s;
  s.replicas = 3;
  auto d = s.step(Stubborn(50), {.min = 2, .max = 8});
  EXPECT_EQ(d.wanted, 8u);
  EXPECT_EQ(d.proposed, 50u);
  EXPECT_EQ(d.bound, Bound::maximum);
  EXPECT_EQ(d.reason, "because; 8 is the maximum");
  s.now_ms = 1000;
  d = s.step(Stubborn(0), {.min = 2, .max = 8});
  EXPECT_EQ(d.wanted, 2u);
  EXPECT_EQ(d.bound, Bound::minimum);
}

TEST(Scale, NewBoundsAreObeyedAtOnce) {
  Limits const strict{.min = 4,
                      .max = 6,
                      .up_cooldown_ms = 60'000,
                      .down_cooldown_ms = 60'000,
                      .up = {1, 60'000},
                      .down = {1, 60'000}};
  Service s;
  s.replicas = 1;
  EXPECT_EQ(s.step(Stubborn(1), strict).wanted, 4u);
  s.replicas = 20;
  s.now_ms = 1;
  EXPECT_EQ(s.step(Stubborn(20), strict).wanted, 6u);
}

TEST(Scale, CoolsDownInEachDirection) {
  Limits const limits{.min = 1, .max = 100, .up_cooldown_ms = 10'000, .down_cooldown_ms = 30'000};
  Service s;
  EXPECT_EQ(s.step(Stubborn(5), limits).wanted, 5u);
  s.now_ms = 9'999;
  auto const d = s.step(Stubborn(6), limits);
  EXPECT_EQ(d.wanted, 5u);
  EXPECT_EQ(d.bound, Bound::cooldown);
  EXPECT_EQ(d.reason, "because; cooling down for another 0.001 s");
  s.now_ms = 10'000;
  EXPECT_EQ(s.step(Stubborn(6), limits).wanted, 6u);
  s.now_ms = 39'999;
  EXPECT_EQ(s.step(Stubborn(2), limits).wanted, 6u);
  s.now_ms = 40'000;
  EXPECT_EQ(s.step(Stubborn(2), limits).wanted, 2u);
}

TEST(Scale, RatesCountWhatWasDoneInThePeriod) {
  Limits const limits{.min = 1, .max = 100, .up = {3, 10'000}, .down = {2, 10'000}};
  Service s;
  auto const d = s.step(Stubborn(20), limits);
  EXPECT_EQ(d.wanted, 4u);
  EXPECT_EQ(d.bound, Bound::rate);
  EXPECT_EQ(d.reason, "because; at most 3 added in 10 s");
  s.now_ms = 9'999;
  EXPECT_EQ(s.step(Stubborn(20), limits).wanted, 4u);
  s.now_ms = 10'000;
  EXPECT_EQ(s.step(Stubborn(5), limits).wanted, 5u);
  EXPECT_EQ(s.step(Stubborn(1), limits).wanted, 3u);
  s.now_ms = 15'000;
  EXPECT_EQ(s.step(Stubborn(20), limits).wanted, 5u);  // one of three was used at 10 s
  EXPECT_EQ(s.step(Stubborn(1), limits).wanted, 5u);
}

TEST(Scale, TheLastOneGoesAfterSoLongWithoutDemand) {
  Limits const limits{.min = 0, .max = 9, .zero_after_ms = 20'000};
  Service s;
  s.replicas = 3;
  s.run(Signal::requests_per_s, 1, 5);
  auto d = s.step(Stubborn(0), limits);
  EXPECT_EQ(d.wanted, 1u);
  EXPECT_EQ(d.bound, Bound::idle);
  s.run(Signal::requests_per_s, 0, 19);
  d = s.step(Stubborn(0), limits);
  EXPECT_EQ(d.wanted, 1u);
  EXPECT_EQ(d.reason, "because; the last one stays until 20 s pass without requests, now 19 s");
  s.run(Signal::requests_per_s, 0, 1);
  EXPECT_EQ(s.step(Stubborn(0), limits).wanted, 0u);
}

TEST(Scale, BlindServicesKeepTheLastOne) {
  Service s;
  s.run(Signal::cpu, 0, 100);
  auto const d = s.step(Stubborn(0), {.min = 0, .max = 9, .zero_after_ms = 0});
  EXPECT_EQ(d.wanted, 1u);
  EXPECT_EQ(d.reason, "because; the last one stays, for requests are not counted");
}

TEST(Scale, AFreshMemoryWaitsAWholeIdleTime) {
  Limits const limits{.min = 0, .max = 9, .zero_after_ms = 20'000};
  Service s;
  s.run(Signal::concurrency, 0, 50);
  EXPECT_EQ(s.step(Stubborn(0), limits).wanted, 1u);
  s.run(Signal::concurrency, 0, 20);
  EXPECT_EQ(s.step(Stubborn(0), limits).wanted, 0u);
}

TEST(Scale, DemandWakesDespiteTheCoolDown) {
  Limits const limits{
      .min = 0, .max = 9, .up_cooldown_ms = 600'000, .zero_after_ms = 0, .wake_to = 2};
  Service s;
  s.run(Signal::concurrency, 1, 3);
  s.run(Signal::concurrency, 0, 3);
  EXPECT_EQ(s.step(Stubborn(0), limits).wanted, 0u);
  s.run(Signal::concurrency, 0, 3);
  EXPECT_EQ(s.step(Stubborn(0), limits).wanted, 0u);  // old demand wakes nobody
  s.run(Signal::concurrency, 0.5, 1);
  auto const d = s.step(Stubborn(0), limits);
  EXPECT_EQ(d.wanted, 2u);
  EXPECT_EQ(d.bound, Bound::woken);
  EXPECT_EQ(d.reason, "because; woken to 2, for requests came");
}

TEST(Scale, HpaOnUsageIsWokenToo) {  // its formula knows no way up from zero
  Service s;
  s.replicas = 0;
  s.run(Signal::requests_per_s, 1, 1);
  s.signals[Signal::cpu].add(s.now_ms, 0);
  EXPECT_EQ(s.step(Hpa({.target = {Signal::cpu, 0.5}}), {.min = 0, .max = 3}).wanted, 1u);
}

TEST(Scale, LimitsThatContradictAreRefused) {
  EXPECT_TRUE(check(Limits{}));
  EXPECT_EQ(check(Limits{.min = 5, .max = 4}).error().what,
            "replicas.min (5) is above replicas.max (4)");
  EXPECT_FALSE(check(Limits{.min = 0, .max = 0}));
  EXPECT_FALSE(check(Limits{.max = 100'001}));
  EXPECT_FALSE(check(Limits{.up_cooldown_ms = -1}));
  EXPECT_FALSE(check(Limits{.down = {1, 0}}));
  EXPECT_FALSE(check(Limits{.up = {1, Memory::period_max_ms + 1}}));
  EXPECT_FALSE(check(Limits{.wake_to = 0}));
}

TEST(Policies, AreFoundByName) {
  Target const target{Signal::concurrency, 3};
  for (auto const* name : {"threshold", "hpa", "kpa", "staffing", "adjustment"}) {
    auto const policy = make_policy(name, target);
    ASSERT_TRUE(policy) << name;
    EXPECT_EQ((*policy)->name(), name);
    EXPECT_EQ((*policy)->target(), target);
    EXPECT_GE((*policy)->period_ms(), 1000);
  }
  auto const unknown = make_policy("hpaa", target);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().what,
            "no policy 'hpaa', did you mean 'hpa'?; there are threshold, hpa, kpa, staffing, "
            "adjustment");
  EXPECT_EQ(make_policy("kpa", {Signal::concurrency, -1}).error().code, Code::invalid);
  EXPECT_EQ(make_policy("kpa", target, {.window_ms = 5'999}).error().code, Code::invalid);
  for (auto const* name : {"threshold", "hpa", "kpa", "staffing", "adjustment"})
    EXPECT_TRUE(make_policy(name, target, {.window_ms = 120'000})) << name;
}

// What a run of the properties is made of.
struct Story {
  std::unique_ptr<Policy> policy;
  Limits limits;
  std::uint32_t first = 1;
  std::vector<int> load;  // hundredths of the target, one entry for two seconds
};

Story story() {
  static std::vector<std::string> const names{"threshold", "hpa", "kpa", "adjustment"};
  auto const signal = *rc::gen::element(Signal::requests_per_s, Signal::concurrency, Signal::cpu);
  Story s{*make_policy(*rc::gen::elementOf(names), {signal, 1}), {}, 1, {}};
  s.limits.min = *rc::gen::inRange<std::uint32_t>(0, 5);
  s.limits.max = *rc::gen::inRange<std::uint32_t>(s.limits.min + 1, 40);
  s.limits.up = {*rc::gen::inRange<std::uint32_t>(0, 5), *rc::gen::inRange(1, 60) * 1000};
  s.limits.down = {*rc::gen::inRange<std::uint32_t>(0, 5), *rc::gen::inRange(1, 60) * 1000};
  s.limits.up_cooldown_ms = *rc::gen::inRange(0, 20) * 1000;
  s.limits.down_cooldown_ms = *rc::gen::inRange(0, 20) * 1000;
  s.limits.zero_after_ms = *rc::gen::inRange(0, 20) * 1000;
  s.first = *rc::gen::inRange(s.limits.min, s.limits.max + 1);
  s.load = *rc::gen::container<std::vector<int>>(
      rc::gen::oneOf(rc::gen::just(0), rc::gen::inRange(0, 6000)));
  RC_PRE(check(s.limits).has_value());
  return s;
}

std::vector<Decision> play(Story const& story) {
  Service s;
  s.replicas = story.first;
  std::vector<Decision> out;
  for (auto load : story.load) {
    for (auto signal : {Signal::requests_per_s, Signal::concurrency, Signal::cpu})
      s.signals[signal].add(s.now_ms + 1000, load / 100.0),
          s.signals[signal].add(s.now_ms + 2000, load / 100.0);
    s.now_ms += 2000;
    out.push_back(s.step(*story.policy, story.limits));
  }
  return out;
}

TEST(ScaleProperty, NeverOutsideTheBounds) {
  ASSERT_TRUE(rc::check([] {
    auto const s = story();
    for (auto const& d : play(s)) RC_ASSERT(d.wanted >= s.limits.min && d.wanted <= s.limits.max);
  }));
}

TEST(ScaleProperty, NeverMoreThanTheRateInAnyPeriod) {
  ASSERT_TRUE(rc::check([] {
    auto const s = story();
    auto const decisions = play(s);
    for (std::size_t end = 0; end < decisions.size(); ++end) {
      std::uint32_t added = 0, removed = 0;
      for (auto i = end + 1; i-- > 0;) {
        auto const& d = decisions[i];
        auto const age = decisions[end].at_ms - d.at_ms;
        if (age < s.limits.up.period_ms && d.wanted > d.before) added += d.wanted - d.before;
        if (age < s.limits.down.period_ms && d.wanted < d.before) removed += d.before - d.wanted;
      }
      if (s.limits.up.replicas > 0) RC_ASSERT(added <= s.limits.up.replicas);
      if (s.limits.down.replicas > 0) RC_ASSERT(removed <= s.limits.down.replicas);
    }
  }));
}

TEST(ScaleProperty, TheSameInputsGiveTheSameDecisions) {
  ASSERT_TRUE(rc::check([] {
    auto const s = story();
    RC_ASSERT(play(s) == play(s));
  }));
}

TEST(ScaleProperty, EveryChangeOfTheProposalIsExplained) {
  ASSERT_TRUE(rc::check([] {
    for (auto const& d : play(story())) {
      RC_ASSERT(d.wanted == d.proposed || d.bound != Bound::none);
      RC_ASSERT(!d.reason.empty());
      if (d.bound != Bound::none) RC_ASSERT(d.reason.find("; ") != std::string::npos);
    }
  }));
}

TEST(ScaleProperty, AConstantLoadAtTheTargetChangesNothing) {
  ASSERT_TRUE(rc::check([] {
    auto const replicas = *rc::gen::inRange<std::uint32_t>(1, 200);
    auto const per_replica = *rc::gen::inRange(1, 1000) / 100.0;
    auto const name = *rc::gen::element<std::string>("threshold", "hpa", "kpa", "adjustment");
    auto const signal = *rc::gen::element(Signal::concurrency, Signal::cpu, Signal::gpu);
    auto const policy = *make_policy(name, {signal, per_replica});
    // The thresholds speak of use below the target: between them is where this one rests.
    auto const load = per_replica * replicas * (name == "threshold" ? 0.5 : 1);
    Service s;
    s.replicas = replicas;
    for (int i = 0; i < 200; ++i) {
      s.run(signal, load, 2);
      auto const d = s.step(*policy, {.min = 1, .max = 1000});
      RC_ASSERT(d.wanted == replicas);
    }
    RC_ASSERT(s.memory.changes.empty());
  }));
}

}  // namespace
}  // namespace lepton::scaler
