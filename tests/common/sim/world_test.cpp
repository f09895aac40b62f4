#include <gtest/gtest.h>

#include <ctime>

#include "tests/common/sim/counter.hpp"

namespace lepton {
namespace {

using sim::Faults;
using sim::Outcome;
using sim::World;
using test::Add;
using test::Read;

struct Tally {
  std::int64_t acked = 0, open = 0, others = 0, least = 0, most = 0;
};

// Of a counter, each acknowledged addition counts once; one that was refused or timed out counts at
// most once (its answer may have been lost), unless the actor itself said no.
Tally tally(World const& world) {
  Tally t;
  for (auto const& sent : world.history()) {
    if (sent.topic != Add::topic) continue;
    auto const by = codec::decode<Add>(sent.body)->by;
    t.most += by;
    if (sent.outcome == Outcome::acked) ++t.acked, t.least += by;
    if (sent.outcome == Outcome::pending) ++t.open;
    if (sent.outcome != Outcome::acked) ++t.others;
  }
  return t;
}

void check_sums(World& world) {
  auto const t = tally(world);
  auto const sum = test::stored_sum(world);
  if (sum < t.least) world.fail("an acknowledged addition is lost");
  if (sum > t.most) world.fail("an addition took effect twice");
}

struct Run {
  std::uint64_t trace;
  std::int64_t sum, acked;
};

Run run_additions(std::uint64_t seed, Faults const& faults, int additions = 60) {
  World world(seed, faults);
  world.add_process("counter", test::counter_maker());
  auto& ann = world.add_client("ann");
  auto& bob = world.add_client("bob");
  for (int i = 0; i < additions; ++i)
    world.at(i * 400, [&, i] { (i % 2 == 0 ? ann : bob).send("counter", Add{1 << (i % 20)}); });
  world.after_each_event(check_sums);
  world.run_for(additions * 400 + 1);
  world.heal();
  auto const rest = [&] { return ann.open() + bob.open() == 0; };
  if (!world.run_until(rest, 60'000)) world.fail("requests stay open in a healed world");
  auto const t = tally(world);
  return {world.trace(), test::stored_sum(world), t.acked};
}

TEST(World, EveryAdditionCountsOnceWithoutFaults) {
  auto const run = run_additions(1, Faults::none());
  EXPECT_EQ(run.acked, 60);
  EXPECT_EQ(run.sum, 3 * ((1 << 20) - 1));
}

TEST(World, SameSeedSameRun) {
  auto const faults = Faults::draw(7);
  auto const first = run_additions(7, faults), second = run_additions(7, faults);
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.sum, second.sum);
  EXPECT_NE(first.trace, run_additions(8, faults).trace);
}

TEST(World, SwarmOfFaultsLosesAndDoublesNothing) {
  std::int64_t acked = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    try {
      acked += run_additions(seed, Faults::draw(seed)).acked;
    } catch (sim::Failure const& failure) {
      FAIL() << failure.what();
    }
  }
  EXPECT_GT(acked, 100 * 60 * 8 / 10);
}

TEST(World, CrashBetweenCommitAndAnswerIsRepeatedFromRows) {
  Faults faults;
  faults.crash_at_commit = 0.5;
  auto const run = run_additions(3, faults, 40);
  EXPECT_EQ(run.acked, 40);
  EXPECT_EQ(run.sum, 2 * ((1 << 20) - 1));
}

TEST(World, OneWayPartitionHoldsBackAnswersOnly) {
  World world(5, Faults::none());
  world.add_process("counter", test::counter_maker());
  auto& ann = world.add_client("ann");
  world.run_for(100);
  world.cut("counter", "ann", 5'000);
  ann.send("counter", Add{1});
  world.run_for(1'000);
  EXPECT_EQ(test::stored_sum(world), 1);
  EXPECT_EQ(world.history()[0].outcome, Outcome::pending);
  EXPECT_TRUE(world.run_until([&] { return ann.open() == 0; }, 20'000));
  EXPECT_EQ(world.history()[0].outcome, Outcome::acked);
  EXPECT_EQ(test::stored_sum(world), 1);
}

TEST(World, StoreAwayRefusesUntilItIsBack) {
  World world(6, Faults::none());
  world.add_process("counter", test::counter_maker());
  auto& ann = world.add_client("ann");
  world.run_for(100);
  world.take_store_away("counter", 3'000);
  auto const once = ann.send("counter", Add{1}, {.retry_refused = false});
  auto const patient = ann.send("counter", Add{2});
  ASSERT_TRUE(world.run_until([&] { return ann.open() == 0; }, 20'000));
  EXPECT_EQ(world.history()[once].outcome, Outcome::refused);
  EXPECT_EQ(world.history()[once].refusal.code, Code::unavailable);
  EXPECT_EQ(world.history()[patient].outcome, Outcome::acked);
  EXPECT_EQ(test::stored_sum(world), 2);
}

TEST(World, WallClockJumpsDoNotMoveTimers) {
  World world(9, Faults::none());
  world.add_process("counter", test::counter_maker());
  auto& ann = world.add_client("ann");
  ann.send("counter", Add{1}, {.id = "same"});
  ASSERT_TRUE(world.run_until([&] { return ann.open() == 0; }, 5'000));
  world.jump_wall("counter", 48 * 3'600'000);
  ann.send("counter", Add{1}, {.id = "same"});
  ASSERT_TRUE(world.run_until([&] { return ann.open() == 0; }, 5'000));
  EXPECT_EQ(world.history()[1].outcome, Outcome::acked);
  EXPECT_EQ(test::stored_sum(world), 1);
}

TEST(World, FailureTellsTheSeedAndTheLastLines) {
  World world(4711, Faults::none());
  world.add_process("counter", test::counter_maker());
  world.add_client("ann").send("counter", Add{1});
  world.after_each_event([](World& w) {
    if (!w.disk("counter").rows("sum").empty()) w.fail("a row");
  });
  try {
    world.run_for(5'000);
    FAIL() << "the check did not fail";
  } catch (sim::Failure const& failure) {
    std::string const what = failure.what();
    EXPECT_NE(what.find("scripts/sim --seed 4711"), std::string::npos) << what;
    EXPECT_NE(what.find("ann -> counter counter.add"), std::string::npos) << what;
  }
}

TEST(World, GateRefusesAndAudits) {
  World world(11, Faults::none());
  world.add_process("counter", test::counter_maker());
  world.set_gate([](actor::Caller const& caller, Verb, std::string_view) -> Status {
    if (caller.name == "ann") return ok();
    return Error{Code::denied, "not for you"};
  });
  auto& eve = world.add_client("eve");
  eve.send("counter", Add{5});
  ASSERT_TRUE(world.run_until([&] { return eve.open() == 0; }, 5'000));
  EXPECT_EQ(world.history()[0].refusal.code, Code::denied);
  EXPECT_EQ(world.disk("counter").rows("event").size(), 1u);
}

TEST(World, DeliversManyMessagesPerSecond) {
  World world(12, Faults::none());
  world.add_process("counter", test::counter_maker());
  world.add_process("driver", test::driver_maker(200));
  auto const before = std::clock();
  world.run_for(2'000);
  auto const cpu_s = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  auto const rate = static_cast<double>(world.stats().delivered) / cpu_s;
  RecordProperty("delivered_per_cpu_second", static_cast<int>(rate));
  std::printf("%lld messages in %.2f CPU s: %.0f/s\n",
              static_cast<long long>(world.stats().delivered), cpu_s, rate);
  EXPECT_GT(world.stats().delivered, 100'000);
}

}  // namespace
}  // namespace lepton
