// The classic rule, by hand.

#include "services/scaler/core/threshold.hpp"

#include <rapidcheck.h>

#include "tests/services/scaler_core/support.hpp"

namespace lepton::scaler {
namespace {

ThresholdSettings on_cpu(std::uint32_t step = 1) {
  return {.target = {Signal::cpu, 1}, .step = step};
}

std::uint32_t after(double cpu, std::uint32_t replicas, std::uint32_t step = 1) {
  Service s;
  s.replicas = replicas;
  s.run(Signal::cpu, cpu, 60);
  return s.ask(Threshold(on_cpu(step))).replicas;
}

TEST(Threshold, AddsAboveFourFifthsAndRemovesBelowOneFifth) {
  EXPECT_EQ(after(3.24, 4), 5u);  // 0.81
  EXPECT_EQ(after(3.16, 4), 4u);  // 0.79
  EXPECT_EQ(after(0.84, 4), 4u);  // 0.21
  EXPECT_EQ(after(0.76, 4), 3u);  // 0.19
}

TEST(Threshold, ExactlyAtAThresholdNothingChanges) {
  EXPECT_EQ(after(0.75, 1), 1u);
  Service s;
  s.replicas = 2;
  s.run(Signal::cpu, 1.5, 60);
  EXPECT_EQ(s.ask(Threshold({.target = {Signal::cpu, 1}, .high = 0.75})).replicas, 2u);
  EXPECT_EQ(s.ask(Threshold({.target = {Signal::cpu, 1}, .high = 0.8, .low = 0.75})).replicas, 2u);
}

TEST(Threshold, TheLastOneGoesOnlyWithoutLoad) {
  EXPECT_EQ(after(0.1, 1), 1u);
  EXPECT_EQ(after(0, 1), 0u);
  EXPECT_EQ(after(0, 0), 0u);
  EXPECT_EQ(after(0.1, 0), 1u);
}

TEST(Threshold, ALargeStepDownStopsWhereTheRestCarriesTheLoad) {
  EXPECT_EQ(after(1.9, 10, 9), 3u);  // 1.9 / 0.8 = 2.4
  EXPECT_EQ(after(0.5, 10, 3), 7u);
  EXPECT_EQ(after(9, 10, 5), 15u);
}

TEST(Threshold, SilenceChangesNothingAndSaysSo) {
  Service s;
  s.replicas = 3;
  auto const p = s.ask(Threshold(on_cpu()));
  EXPECT_EQ(p.replicas, 3u);
  EXPECT_EQ(p.reason, "nothing is known of cpu in the last 60 s; nothing changes");
  EXPECT_FALSE(p.value);
}

TEST(Threshold, SaysWhatItSaw) {
  Service s;
  s.replicas = 4;
  s.run(Signal::cpu, 3.6, 60);
  EXPECT_EQ(s.ask(Threshold(on_cpu())).reason,
            "cpu 3.6 over 60 s is 0.90 of the target 1 x 4, above 0.8: add");
}

TEST(Threshold, SettingsThatContradictAreRefused) {
  EXPECT_TRUE(check(on_cpu()));
  EXPECT_FALSE(check(ThresholdSettings{.target = {Signal::unknown, 1}}));
  EXPECT_FALSE(check(ThresholdSettings{.target = {Signal::cpu, 0}}));
  EXPECT_FALSE(check(ThresholdSettings{.target = {Signal::cpu, 1}, .high = 0.2, .low = 0.2}));
  EXPECT_FALSE(check(ThresholdSettings{.target = {Signal::cpu, 1}, .low = -0.1}));
  EXPECT_FALSE(check(on_cpu(0)));
}

// At the very edge, where 2.4 / 0.8 is 3 and 2.4 / 3 a little more than 0.8.
TEST(Threshold, DoesNotUndoItselfByRounding) {
  auto const next = after(2.4, 13, 10);
  EXPECT_EQ(next, 3u);
  EXPECT_EQ(after(2.4, next, 10), 3u);
}

// Removing never leads to adding at the next look.
TEST(Threshold, DoesNotUndoItself) {
  ASSERT_TRUE(rc::check([] {
    auto const replicas = *rc::gen::inRange<std::uint32_t>(1, 50);
    auto const step = *rc::gen::inRange<std::uint32_t>(1, 50);
    auto const cpu = *rc::gen::inRange(0, 2000) / 100.0;
    auto const next = after(cpu, replicas, step);
    if (next < replicas) RC_ASSERT(after(cpu, next, step) <= next);
  }));
}

}  // namespace
}  // namespace lepton::scaler
