// The promises under faults, for seeds that are always the same: a failure here names its seed and
// the line that repeats it.

#include <gtest/gtest.h>

#include "common/base/text.hpp"
#include "tests/sim/arguments.hpp"
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
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    Suite suite(Plan::calm(seed));
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

// Changes are options of lepton-sim and their values.
Plan calm_with(std::initializer_list<std::pair<char const*, char const*>> changes) {
  auto plan = Plan::calm();
  for (auto const& [option, value] : changes) EXPECT_TRUE(plan.change(option, value)) << option;
  return plan;
}

Plan small_run() {
  return calm_with({{"--jobs", "3"},
                    {"--nodes", "2"},
                    {"--trouble-ms", "9000"},
                    {"--peace-ms", "600000"},
                    {"--without", "commands"}});
}

Plan run_with_commands() {
  auto plan = calm_with(
      {{"--jobs", "1"}, {"--nodes", "1"}, {"--trouble-ms", "7000"}, {"--peace-ms", "600000"}});
  for (auto const chore : Plan::chore_kinds())
    EXPECT_TRUE(chore == "commands" || plan.change("--without", std::string(chore)));
  return plan;
}

// A crash that never comes would show nothing.
void survives_its_one_crash(Plan const& plan) {
  Suite suite(plan);
  try {
    suite.run();
  } catch (Failure const& failure) {
    ADD_FAILURE() << failure.what();
  }
  EXPECT_EQ(suite.world().stats().crashes, 1) << plan.command();
}

void survives_each_crash_point(Plan plan, std::uint64_t part) {
  Suite whole(plan);
  whole.run();
  auto const points = static_cast<std::uint64_t>(whole.world().stats().points);
  EXPECT_GT(points, 500u);
  EXPECT_EQ(whole.world().stats().crashes, 0);
  EXPECT_EQ(plan.does("commands"), whole.commands_heard_out() > 0);
  std::uint64_t tried = 0;
  auto const step = point_parts * crash_point_step;
  for (auto point = 1 + part * crash_point_step; point <= points; point += step, ++tried) {
    ASSERT_TRUE(plan.change("--point", std::to_string(point)));
    survives_its_one_crash(plan);
  }
  std::printf("%llu of %llu points\n", static_cast<unsigned long long>(tried),
              static_cast<unsigned long long>(points));
}

TEST_P(CrashPoints, EveryOneOfASmallRunIsSurvived) {
  survives_each_crash_point(small_run(), GetParam());
}

TEST_P(CrashPoints, EveryOneOfARunWithCommandsIsSurvived) {
  survives_each_crash_point(run_with_commands(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Parts, CrashPoints, testing::Range<std::uint64_t>(0, point_parts));

// How a run went: its hash, and what failed.
std::pair<std::uint64_t, std::string> outcome_of(Plan const& plan) {
  Suite suite(plan);
  std::string failure;
  try {
    suite.run();
  } catch (Failure const& broken) {
    failure = broken.what();
  }
  return {suite.world().trace(), failure};
}

// What lepton-sim would run for the line in the failure.
std::optional<Plan> plan_again(std::string const& failure) {
  std::string const before = "to repeat: scripts/sim ";
  auto const at = failure.find(before);
  if (at == std::string::npos) return std::nullopt;
  auto const begin = at + before.size();
  auto const line = failure.substr(begin, failure.find('\n', begin) - begin);
  auto const arguments = Arguments::parse(lepton::text::split(line, ' '));
  if (!arguments) return std::nullopt;
  return arguments->plan(0);
}

// Not everything can have ended when the faults do, so that each of them fails.
TEST(Repeat, TheLineOfAFailureGivesTheSameRun) {
  auto plans = {small_run(), run_with_commands(), Plan::calm(7), Plan::draw(2)};
  std::set<std::uint64_t> traces;
  for (auto plan : plans)
    for (auto const* point : {"0", "300", "700"}) {
      ASSERT_TRUE(plan.change("--peace-ms", "0") && plan.change("--point", point));
      auto const [trace, failure] = outcome_of(plan);
      auto const again = plan_again(failure);
      ASSERT_TRUE(again) << failure;
      EXPECT_EQ(outcome_of(*again), std::pair(trace, failure)) << plan.command();
      EXPECT_EQ(failure.find("crash at point") != std::string::npos, *point != '0') << failure;
      EXPECT_TRUE(traces.insert(trace).second) << "two plans, one run: " << plan.command();
    }
}

// Of a failure the smallest part is kept that still fails.
TEST(Shorten, LeavesOutWhatTheFailureDoesNotNeed) {
  auto plan = Plan::draw(1);
  ASSERT_TRUE(plan.change("--peace-ms", "0"));  // not everything can have ended when the faults do
  auto const failure = failure_of(plan);
  ASSERT_NE(failure, "");
  auto const least = shorten(plan, failure, 60);
  EXPECT_NE(least.failure, "");
  EXPECT_EQ(least.plan.jobs, 1u);
  EXPECT_TRUE(least.plan.chores.empty());
  EXPECT_EQ(failure_of(least.plan), least.failure) << least.plan.command();
  auto const again = plan_again(least.failure);
  ASSERT_TRUE(again) << least.failure;
  EXPECT_EQ(failure_of(*again), least.failure);
}

// A crash point is part of what is shortened.
TEST(Shorten, KeepsTheLineOfACrashPointRight) {
  auto plan = Plan::calm();
  ASSERT_TRUE(plan.change("--peace-ms", "0") && plan.change("--point", "300"));
  auto const least = shorten(plan, failure_of(plan), 60);
  EXPECT_NE(least.failure, "");
  EXPECT_TRUE(least.plan.chores.empty());
  EXPECT_EQ(least.plan.faults.crash_at_point, 300u);
  auto const again = plan_again(least.failure);
  ASSERT_TRUE(again) << least.failure;
  EXPECT_EQ(failure_of(*again), least.failure);
}

TEST(Arguments, ThatMakeNoSenseAreRefused) {
  using Words = std::vector<std::string>;
  EXPECT_TRUE(Arguments::parse({"--seed", "1", "--calm", "--point", "5", "--without", "slow"}));
  for (auto const& words :
       {Words{}, Words{"--calm"}, Words{"--seed"}, Words{"--seed", "x"},
        Words{"--seed", "1", "--seeds", "2"}, Words{"--seed", "1", "--point"},
        Words{"--seed", "1", "--point", "-1"}, Words{"--seed", "1", "--nodes", "0"},
        Words{"--seed", "1", "--without", "sleep"}, Words{"--seed", "1", "--settings", "odd"}})
    EXPECT_FALSE(Arguments::parse(words)) << lepton::text::join(words, " ");
}

}  // namespace
}  // namespace lepton::sim
