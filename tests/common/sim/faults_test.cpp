// Each kind of fault alone: it happens, and what the counter counts stays right.

#include <gtest/gtest.h>

#include "tests/common/sim/counter.hpp"

namespace lepton {
namespace {

using sim::Faults;
using sim::Outcome;
using sim::World;
using test::Add;

// Forty additions of one, patient enough to be acknowledged in the end.
void add_forty(World& world) {
  world.add_process("counter", test::counter_maker());
  auto& ann = world.add_client("ann");
  for (int i = 0; i < 40; ++i)
    world.at(i * 300, [&ann] { ann.send("counter", Add{1}, {.deadline_ms = 120'000}); });
  world.run_for(40 * 300);
  world.heal();
  ASSERT_TRUE(world.run_until([&] { return ann.open() == 0; }, 240'000));
  for (auto const& sent : world.history()) EXPECT_EQ(sent.outcome, Outcome::acked);
  EXPECT_EQ(test::stored_sum(world), 40);
}

// One that serves, and who asks it.
sim::Client& start_counter(World& world) {
  world.add_process("counter", test::counter_maker());
  auto& ann = world.add_client("ann");
  world.run_for(1'000);
  return ann;
}

TEST(FaultKinds, CrashBeforeACommitLeavesNothingBehind) {
  Faults faults;
  faults.crash_before_commit = 0.3;
  World world(1, faults);
  add_forty(world);
  EXPECT_GT(world.stats().crashes, 5);
}

TEST(FaultKinds, CrashAtAMessageSendsItOrDoesNot) {
  Faults faults;
  faults.crash_at_send = 0.1;
  World world(2, faults);
  add_forty(world);
  EXPECT_GT(world.stats().crashes, 5);
}

// The first points after the healing: those of the first addition.
TEST(FaultKinds, TheOneCrashAtAPointComesAfterTheHealingToo) {
  for (int ahead = 1; ahead <= 4; ++ahead) {
    Faults faults;
    for (auto const is_whole : {true, false}) {
      World world(7, faults);
      world.add_process("counter", test::counter_maker());
      auto& ann = world.add_client("ann");
      world.run_for(1'000);
      world.heal();
      faults.crash_at_point = static_cast<std::uint64_t>(world.stats().points + ahead);
      ann.send("counter", Add{1}, {.deadline_ms = 60'000});
      ASSERT_TRUE(world.run_until([&] { return ann.open() == 0 && world.all_up(); }, 60'000));
      EXPECT_EQ(world.stats().crashes, is_whole ? 0 : 1) << ahead;
      EXPECT_EQ(test::stored_sum(world), 1) << ahead;
    }
  }
}

TEST(FaultKinds, AnOldInstanceWritesNoMoreAfterATakeover) {
  Faults faults;
  faults.takeover_every_ms = 500, faults.takeover_old_max_ms = 3'000;
  World world(3, faults);
  add_forty(world);
  EXPECT_GT(world.stats().takeovers, 10);
  EXPECT_EQ(world.disk("counter").stale_writes(), 0);
}

TEST(FaultKinds, WhoIsCutOffFromItsStoreIsReplacedAndWritesNoMore) {
  Faults faults;
  faults.lease_cut_every_ms = 1'000, faults.lease_cut_old_max_ms = 20'000;
  World world(6, faults);
  add_forty(world);
  EXPECT_GT(world.stats().lease_cuts, 3);
  EXPECT_EQ(world.disk("counter").stale_writes(), 0);
}

TEST(FaultKinds, WhoStandsStillAnswersWhenItGoesOn) {
  World world(4, Faults::none());
  auto& ann = start_counter(world);
  world.stall("counter", 5'000);
  world.stall("counter", 100);  // a shorter one within it changes nothing
  ann.send("counter", Add{1});
  world.run_for(4'900);
  EXPECT_EQ(world.history()[0].outcome, Outcome::pending);
  EXPECT_EQ(test::stored_sum(world), 0);
  ASSERT_TRUE(world.run_until([&] { return ann.open() == 0; }, 1'000));
  EXPECT_EQ(world.history()[0].outcome, Outcome::acked);
  EXPECT_EQ(test::stored_sum(world), 1);
}

// Seed 15045148: what was sent to it came to its successor, after what was sent to that.
TEST(FaultKinds, WhatWaitsForWhoStandsStillIsLostWithIt) {
  World world(4, Faults::none());
  auto& ann = start_counter(world);
  world.stall("counter", 5'000);
  ann.send("counter", Add{1}, {.resend_ms = 100'000});
  world.run_for(1'000);
  world.take_over("counter", 100);
  world.run_for(9'000);
  EXPECT_EQ(test::stored_sum(world), 0);
  EXPECT_EQ(world.stats().lost, 1u);
  EXPECT_EQ(ann.open(), 1u);
}

// Seed 11034212: it stood still while its store was about to answer.
TEST(FaultKinds, WhoGoesOnEarlierDoesWhatBecameDueAtOnce) {
  for (TimeMs sent_before_ms = 0; sent_before_ms < 40; ++sent_before_ms) {
    World world(4, Faults::none());
    auto& ann = start_counter(world);
    ann.send("counter", Add{1});
    world.run_for(sent_before_ms);
    world.stall("counter", 90'000);
    world.run_for(100);
    world.heal();
    EXPECT_TRUE(world.run_until([&] { return ann.open() == 0; }, 10'000)) << sent_before_ms;
    EXPECT_EQ(test::stored_sum(world), 1);
  }
}

TEST(FaultKinds, ADriftingClockIsStillAClock) {
  World world(5, Faults::none());
  auto& counter = world.add_process("counter", test::counter_maker());
  world.run_for(100'000);
  for (std::int64_t const ppm : {-4'000, 0, 4'000}) {
    counter.set_drift_ppm(ppm);
    EXPECT_EQ(counter.now_ms(), 100'000 + ppm / 10);
    for (TimeMs own = 100'400; own < 100'500; ++own) {
      auto const when = counter.world_time(own);
      EXPECT_GE(when * (1'000'000 + ppm) / 1'000'000, own);
      EXPECT_LT((when - 1) * (1'000'000 + ppm) / 1'000'000, own);
    }
  }
}

TEST(FaultKinds, EachCanBeTakenOutByItsName) {
  std::set<std::string_view> met;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    auto faults = Faults::draw(seed);
    for (auto const kind : Faults::kinds()) {
      if (faults.has(kind)) met.insert(kind);
      faults = faults.without(kind);
      EXPECT_FALSE(faults.has(kind)) << kind;
    }
    EXPECT_EQ(faults.text(), faults.healed().text()) << "nothing else goes wrong";
  }
  EXPECT_EQ(met.size(), Faults::kinds().size()) << "each kind is drawn for some seeds";
}

}  // namespace
}  // namespace lepton
