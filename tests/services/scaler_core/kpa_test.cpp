// Knative's rule, by hand: the two windows, panic, the bounds by the ready replicas, the way to
// zero.

#include "services/scaler/core/kpa.hpp"

#include "tests/services/scaler_core/support.hpp"

namespace lepton::scaler {
namespace {

Limits const wide{.min = 0, .max = 10'000};
KpaSettings const ten{.target = {Signal::concurrency, 10}};

std::uint32_t after(KpaSettings const& settings, double concurrency, std::uint32_t replicas) {
  Service s;
  s.replicas = replicas;
  s.run(Signal::concurrency, concurrency, 60);
  return s.ask(Kpa(settings)).replicas;
}

TEST(Kpa, WantsTheMeanOverTheTarget) {
  EXPECT_EQ(after(ten, 30, 3), 3u);
  EXPECT_EQ(after(ten, 31, 3), 4u);
  EXPECT_EQ(after(ten, 5, 1), 1u);
}

TEST(Kpa, HalfOfTheReadyReplicasStay) {
  EXPECT_EQ(after(ten, 1, 10), 5u);
  EXPECT_EQ(after(ten, 1, 11), 5u);
  EXPECT_EQ(after(ten, 1, 2), 1u);
  auto slow = ten;
  slow.down_rate_max = 1.25;
  EXPECT_EQ(after(slow, 1, 10), 8u);
}

TEST(Kpa, GrowsAtMostByTheRateButByOneAtLeast) {
  auto slow = ten;
  slow.up_rate_max = 1.1;
  EXPECT_EQ(after(slow, 90, 2), 3u);  // ceil(2.2)
  slow.up_rate_max = 3;
  EXPECT_EQ(after(slow, 90, 2), 6u);
  EXPECT_EQ(after(ten, 10'000, 0), 1000u);  // from none as from one
}

TEST(Kpa, ABurstPanicsAndPanicOnlyGoesUp) {
  Kpa const kpa(ten);
  Service s;
  s.run(Signal::concurrency, 0, 54);
  s.run(Signal::concurrency, 30, 6);
  auto const burst = s.step(kpa, wide);
  EXPECT_EQ(burst.wanted, 3u);  // the stable mean of 3 alone asks for 1
  EXPECT_TRUE(says(burst.reason, "panicking, so not below 3")) << burst.reason;
  EXPECT_EQ(s.memory.panic_at_ms, 60'000);
  s.run(Signal::concurrency, 59, 2);  // 39.7 over 6 s asks for 4, but 4 / 3 is no new panic
  EXPECT_EQ(s.step(kpa, wide).wanted, 4u);
  EXPECT_EQ(s.memory.panic_at_ms, 60'000);
  while (s.now_ms < 118'000) {
    s.run(Signal::concurrency, 1, 2);
    ASSERT_EQ(s.step(kpa, wide).wanted, 4u) << s.now_ms;
  }
  s.run(Signal::concurrency, 1, 2);  // one stable window later, not yet longer
  EXPECT_EQ(s.step(kpa, wide).wanted, 4u);
  s.run(Signal::concurrency, 1, 2);
  EXPECT_EQ(s.step(kpa, wide).wanted, 2u);  // half of four
  EXPECT_EQ(s.memory.panic_at_ms, std::nullopt);
  EXPECT_EQ(s.memory.panic_peak, 0u);
}

TEST(Kpa, PanicsAtExactlyTheThreshold) {
  Service s;
  s.replicas = 2;
  s.run(Signal::concurrency, 40, 6);
  s.ask(Kpa(ten));
  EXPECT_TRUE(s.memory.panic_at_ms);
  Service t;
  t.replicas = 2;
  t.run(Signal::concurrency, 30, 6);
  t.ask(Kpa(ten));
  EXPECT_FALSE(t.memory.panic_at_ms);
}

TEST(Kpa, ActivationIsALeastNumberOnceAnyIsNeeded) {
  auto four = ten;
  four.activation = 4;
  EXPECT_EQ(after(four, 1, 1), 4u);
  EXPECT_EQ(after(four, 1, 0), 4u);
  EXPECT_EQ(after(four, 0, 0), 0u);
  EXPECT_EQ(after(four, 45, 4), 5u);
}

TEST(Kpa, TheDelayKeepsTheLargestWishOfItsTime) {
  auto slow = ten;
  slow.down_delay_ms = 20'000;
  slow.stable_ms = 6'000;
  Kpa const kpa(slow);
  Service s;
  s.replicas = 3;
  s.run(Signal::concurrency, 30, 6);
  s.step(kpa, wide);
  for (int i = 0; i < 12; ++i) {  // the mean asks for 3 until 8 s, the delay holds to 28 s
    s.run(Signal::concurrency, 15, 2);
    auto const d = s.step(kpa, wide);
    ASSERT_EQ(d.wanted, s.now_ms < 28'000 ? 3u : 2u) << s.now_ms << d.reason;
  }
}

TEST(Kpa, TheLastOneGoesAfterAnIdleWindowAndTheGrace) {
  Kpa const kpa(ten);
  Service s;
  s.run(Signal::concurrency, 1, 2);
  while (s.now_ms < 90'000) {
    s.run(Signal::concurrency, 0, 2);
    auto const d = s.step(kpa, wide);
    ASSERT_EQ(d.wanted, 1u) << s.now_ms << d.reason;
  }
  EXPECT_EQ(s.memory.unneeded_at_ms, 62'000);  // the last busy sample, at 2 s, is out
  s.run(Signal::concurrency, 0, 2);
  EXPECT_EQ(s.step(kpa, wide).wanted, 0u);
  s.run(Signal::concurrency, 0, 2);
  EXPECT_EQ(s.step(kpa, wide).wanted, 0u);
  s.run(Signal::concurrency, 1, 2);
  EXPECT_EQ(s.step(kpa, wide).wanted, 1u);
  EXPECT_EQ(s.memory.unneeded_at_ms, std::nullopt);
}

TEST(Kpa, ALostMemoryKeepsWhatIsThere) {
  Kpa const kpa(ten);
  Service s;
  s.replicas = 8;
  s.memory = Memory::after_loss(8, 0);
  s.run(Signal::concurrency, 1, 2);
  EXPECT_EQ(s.step(kpa, wide).wanted, 8u);
  EXPECT_FALSE(Memory::after_loss(1, 0).panic_at_ms);
}

TEST(Kpa, SilenceChangesNothing) {
  Service s;
  s.replicas = 4;
  EXPECT_EQ(s.ask(Kpa(ten)).replicas, 4u);
  s.run(Signal::concurrency, 1, 2);
  s.now_ms += 6000;  // the long window has samples, the short one none
  EXPECT_EQ(s.ask(Kpa(ten)).replicas, 4u);
}

TEST(Kpa, SettingsOutOfRangeAreRefused) {
  EXPECT_TRUE(check(ten));
  auto bad = ten;
  bad.panic_ms = bad.stable_ms + 1;
  EXPECT_FALSE(check(bad));
  bad = ten;
  bad.panic_threshold = 1;
  EXPECT_FALSE(check(bad));
  bad = ten;
  bad.down_rate_max = 1;
  EXPECT_FALSE(check(bad));
  bad = ten;
  bad.activation = 0;
  EXPECT_FALSE(check(bad));
}

}  // namespace
}  // namespace lepton::scaler
