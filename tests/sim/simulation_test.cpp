// The promises under faults, for seeds that are always the same: a failure here names its seed and
// the line that repeats it.

#include <gtest/gtest.h>

#include "tests/sim/suite.hpp"

namespace lepton::sim {
namespace {

// Sanitizers take ten times as long; that of threads has little to find where there is one.
#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t seeds_per_shard = 10, crash_point_step = 100;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t seeds_per_shard = 25, crash_point_step = 10;
#else
constexpr std::uint64_t seeds_per_shard = 250, crash_point_step = 1;
#endif

class Promises : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Promises, HoldUnderFaults) {
  std::uint64_t acknowledged = 0;
  auto const first = 1 + GetParam() * seeds_per_shard;
  for (auto seed = first; seed < first + seeds_per_shard; ++seed) {
    Suite suite(Plan::draw(seed));
    try {
      suite.run();
    } catch (Failure const& failure) {
      ADD_FAILURE() << failure.what();
    }
    acknowledged += suite.acknowledged();
  }
  EXPECT_GT(acknowledged, seeds_per_shard * 10) << "the faults have left nothing to check";
}

INSTANTIATE_TEST_SUITE_P(Shards, Promises, testing::Range<std::uint64_t>(0, 4));

// Each was broken once; what it found is mended.
TEST(FoundFaults, StayMended) {
  // A deployer that had just started took a late sync of an earlier daemon for the newer one; an
  // actor that ended over its own questions was answered in its next life.
  for (std::uint64_t const seed : {102'562, 1'083'749}) {
    Suite suite(Plan::draw(seed));
    EXPECT_NO_THROW(suite.run()) << seed;
  }
}

// Promise 7.
TEST(Repeat, TheSameSeedGivesTheSameRunMessageForMessage) {
  auto const trace = [](std::uint64_t seed) {
    Suite suite(Plan::draw(seed));
    suite.run();
    return suite.world().trace();
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(trace(seed), trace(seed)) << seed;
  EXPECT_NE(trace(3), trace(4));
}

// How often a service went to zero, or came back for a request that waited.
std::pair<int, int> sleeps_and_wakes(store::MemoryDisk const& log) {
  int sleeps = 0, wakes = 0;
  for (auto const& [key, cells] : log.rows(auditor::EntryRow::table)) {
    auto const entry = *store::from_cells<auditor::EntryRow>(cells);
    if (entry.action != "deployer.service.scaled") continue;
    sleeps += entry.detail.find(R"("wanted":"0")") != std::string::npos ? 1 : 0;
    wakes += entry.detail.find(R"("from":"0")") != std::string::npos ? 1 : 0;
  }
  return {sleeps, wakes};
}

TEST(Calm, WithoutFaultsEveryJobEndsAndEachChangeHasItsEntry) {
  std::set<std::string> acked, asked;
  std::uint64_t commands = 0, folders = 0, outputs = 0, logs = 0;
  int sleeps = 0, wakes = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto plan = Plan::calm();
    plan.seed = seed;
    Suite suite(plan);
    EXPECT_NO_THROW(suite.run());
    for (auto const& sent : suite.world().history()) {
      asked.insert(sent.topic);
      if (sent.outcome == Outcome::acked) acked.insert(sent.topic);
    }
    commands += suite.commands_heard_out();
    folders += suite.folders_compared();
    outputs += suite.outputs_read();
    logs += suite.log_parts_read();
    auto const idle = sleeps_and_wakes(suite.world().disk("auditor"));
    sleeps += idle.first, wakes += idle.second;
    for (auto const* name : {"deployer", "vault", "auditor", "scaler", "monitor"})
      EXPECT_EQ(suite.world().system(name)->host(name).stats().restarts, 0) << name;
  }
  EXPECT_EQ(acked, asked) << "a kind of request that is always refused checks nothing";
  EXPECT_GE(acked.size(), 12u);
  EXPECT_GE(commands, 5u);
  EXPECT_GE(folders, 5u);
  EXPECT_GE(outputs, 5u);
  EXPECT_GE(logs, 5u);
  EXPECT_GE(sleeps, 1) << "no service went to zero";
  EXPECT_GE(wakes, 1) << "none came back for a request";
}

// A run, cut off once at every place where something becomes durable or leaves: before and after
// each commit and each message of every service and node. Each part takes every fourth.
constexpr std::uint64_t point_parts = 4;

class CrashPoints : public testing::TestWithParam<std::uint64_t> {};

void survives_each_crash_point(Plan plan, std::uint64_t part) {
  plan.peace_ms = 600'000;
  Suite whole(plan);
  whole.run();
  auto const points = static_cast<std::uint64_t>(whole.world().stats().points);
  EXPECT_GT(points, 500u);
  EXPECT_EQ(plan.does("commands"), whole.commands_heard_out() > 0);
  std::uint64_t tried = 0;
  auto const step = point_parts * crash_point_step;
  for (auto point = 1 + part * crash_point_step; point <= points; point += step, ++tried) {
    plan.faults.crash_at_point = point;
    auto const failure = failure_of(plan);
    ASSERT_EQ(failure, "") << "at point " << point;
  }
  std::printf("%llu of %llu points\n", static_cast<unsigned long long>(tried),
              static_cast<unsigned long long>(points));
}

TEST_P(CrashPoints, EveryOneOfASmallRunIsSurvived) {
  auto plan = Plan::calm();
  plan.jobs = 3;
  plan.nodes = 2;
  plan.trouble_ms = 9'000;
  plan.chores.erase("commands");
  survives_each_crash_point(plan, GetParam());
}

TEST_P(CrashPoints, EveryOneOfARunWithCommandsIsSurvived) {
  auto plan = Plan::calm();
  plan.jobs = plan.nodes = 1;
  plan.trouble_ms = 7'000;
  plan.chores = {"commands"};
  survives_each_crash_point(plan, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Parts, CrashPoints, testing::Range<std::uint64_t>(0, point_parts));

// Of a failure the smallest part is kept that still fails.
TEST(Shorten, LeavesOutWhatTheFailureDoesNotNeed) {
  auto plan = Plan::draw(1);
  plan.peace_ms = 0;  // not everything can have ended when the faults do
  auto const failure = failure_of(plan);
  ASSERT_NE(failure, "");
  auto const least = shorten(plan, failure, 60);
  EXPECT_NE(least.failure, "");
  EXPECT_EQ(least.plan.jobs, 1u);
  EXPECT_TRUE(least.plan.chores.empty());
  EXPECT_EQ(failure_of(least.plan), least.failure) << least.plan.command();
}

}  // namespace
}  // namespace lepton::sim
