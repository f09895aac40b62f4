// The promises under faults, for seeds that are always the same: a failure here names its seed.

#include <gtest/gtest.h>

#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

class Promises : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Promises, HoldUnderFaults) {
  Suite suite(GetParam(), Faults::draw(GetParam()));
  EXPECT_NO_THROW(suite.run());
  EXPECT_GT(suite.jobs_submitted(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Promises, testing::Range<std::uint64_t>(1, 61));

// 316: the wall clock is stepped back by half an hour while a retry waits for its time.
INSTANTIATE_TEST_SUITE_P(FoundFaults, Promises, testing::Values(316));

// Promise 7.
TEST(Repeat, TheSameSeedGivesTheSameRunMessageForMessage) {
  auto const trace = [](std::uint64_t seed) {
    Suite suite(seed, Faults::draw(seed), {.trouble_ms = 60'000, .jobs = 20});
    suite.run();
    return suite.world().trace();
  };
  EXPECT_EQ(trace(3), trace(3));
  EXPECT_NE(trace(3), trace(4));
}

TEST(Calm, WithoutFaultsEveryJobEndsAndEachChangeHasItsEntry) {
  Suite suite(1, Faults::none());
  EXPECT_NO_THROW(suite.run());
  for (auto const* name : {"deployer", "vault", "auditor"})
    EXPECT_EQ(suite.world().system(name)->host(name).stats().restarts, 0) << name;
}

}  // namespace
}  // namespace lepton::sim
