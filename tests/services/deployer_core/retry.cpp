// Retry rules and the instant at which a silent attempt is surely over.

#include "services/deployer/core/retry.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

Ending exit_with(std::int32_t code) {
  return {Cause::error, 0, code, 0, ""};
}
Ending signalled(std::int32_t signal) {
  return {Cause::error, 0, 0, signal, ""};
}

struct Case {
  char const* what;
  RetryRule rule;
  Ending ending;
  std::uint32_t failures, interruptions;
  bool again;
  std::int64_t wait_ms;
};

TEST(Retry, Table) {
  RetryRule const any{3, true, true, {}, 1000}, only_75{3, false, true, {75}, 1000},
      none{0, true, true, {}, 1000}, no_interruption{3, true, false, {}, 1000},
      killed{3, false, true, {137}, 1000};
  Ending const lost{Cause::interruption, 0, 0, 0, "node a fell silent"};
  Case const table[] = {
      {"any error", any, exit_with(1), 0, 0, true, 1000},
      {"doubles", any, exit_with(1), 2, 0, true, 4000},
      {"used up", any, exit_with(1), 3, 0, false, 0},
      {"named code", only_75, exit_with(75), 0, 0, true, 1000},
      {"other code", only_75, exit_with(1), 0, 0, false, 0},
      {"signal as 128 + n", killed, signalled(9), 0, 0, true, 1000},
      {"other signal", killed, signalled(11), 0, 0, false, 0},
      {"signal under on_error", any, signalled(11), 0, 0, true, 1000},
      {"could not start", any, {Cause::error, 0, 0, 0, "no such program"}, 0, 0, true, 1000},
      {"max 0", none, exit_with(1), 0, 0, false, 0},
      {"interruption despite max 0", none, lost, 0, 0, true, 1000},
      {"interruption after failures", any, lost, 3, 1, true, 2000},
      {"interruption 100", any, lost, 0, 99, true, 300'000},
      {"interruption 101", any, lost, 0, 100, false, 0},
      {"interruption not wanted", no_interruption, lost, 0, 0, false, 0},
      {"time limit", any, {Cause::time_limit, 0, 0, 0, "too long"}, 0, 0, false, 0},
      {"cancel", any, {Cause::cancel, 0, 0, 0, "cancelled"}, 0, 0, false, 0},
  };
  for (auto const& t : table) {
    auto const v = decide_retry(t.rule, t.ending, t.failures, t.interruptions, 50'000);
    EXPECT_EQ(v.again, t.again) << t.what;
    EXPECT_EQ(v.at_ms, t.again ? 50'000 + t.wait_ms : 0) << t.what;
    EXPECT_FALSE(v.why.empty()) << t.what;
  }
}

TEST(Retry, BackoffIsCapped) {
  RetryRule rule;
  rule.backoff_ms = 1000;
  EXPECT_EQ(backoff_ms(rule, 8), 256'000);
  EXPECT_EQ(backoff_ms(rule, 9), 300'000);
  EXPECT_EQ(backoff_ms(rule, 4'000'000'000), 300'000);
  rule.backoff_ms = 0;
  EXPECT_EQ(backoff_ms(rule, 50), 0);
  rule.backoff_ms = 3'600'000;
  EXPECT_EQ(backoff_ms(rule, 3), 3'600'000);
}

TEST(Retry, LostOnlyAfterLeaseAndGrace) {
  JobSpec spec;
  spec.lease_ms = 30'000;
  spec.stop_grace_ms = 10'000;
  EXPECT_EQ(lost_at_ms(spec, 1'000), 1'000 + 30'000 + 300 + 10'000 + 2'000);
  spec.autonomous = true;
  EXPECT_EQ(lost_at_ms(spec, 1'000), std::nullopt);
}

}  // namespace
}  // namespace lepton::deployer
