// One instance at a time: the lease row, its epoch, and the beat that standbys watch.

#include "common/store/lease.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/lease_term.hpp"
#include "common/store/postgres_store.hpp"
#include "common/store/process_mark.hpp"
#include "tests/common/store/mailbox.hpp"
#include "tests/common/store/proxy.hpp"
#include "tests/common/store/server.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {
namespace {

class HandClock final : public Clock {
 public:
  TimeMs now_ms() const override { return now; }
  WallMs wall_ms() const override { return now; }
  TimeMs now = 1'000'000;
};

// Another machine's: nothing can be said of that process.
std::string far(std::string const& name) {
  return "other-boot pid:[1] " + std::to_string(name.size()) + " " + std::to_string(name[0]);
}

class LeaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::create();
    ASSERT_NE(database_, nullptr);
  }
  std::unique_ptr<Lease> instance(std::string const& holder, std::string const& process = "") {
    return std::make_unique<Lease>(LeaseSettings{database_->url(), test_schema, holder,
                                                 process.empty() ? far(holder) : process},
                                   clock_);
  }
  std::unique_ptr<PostgresStore> open(std::int64_t epoch) {
    auto settings = database_->settings(mailbox_.post());
    settings.lease_epoch = epoch;
    return std::make_unique<PostgresStore>(std::move(settings));
  }
  void cut_lease_connections() {
    database_->ask(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
        "WHERE application_name = 'lepton alpha lease'");
  }
  static void expect_conflict(Status const& status, std::string const& holder) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::conflict) << status.error().what;
    EXPECT_NE(status.error().what.find(holder), std::string::npos) << status.error().what;
  }
  Mailbox mailbox_;
  HandClock clock_;
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(LeaseTest, AStandbyWaitsWhileTheHolderBeatsAndIsToldItsName) {
  auto first = instance("host-a pid 7");
  auto const taken = first->try_take();
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_EQ(first->taken_at(), clock_.now);
  auto second = instance("host-b");
  expect_conflict(second->try_take(), "host-a pid 7");
  for (int i = 0; i < 5; ++i) {
    clock_.now += lease_lapse_ms - 1;
    ASSERT_TRUE(first->renew());
    expect_conflict(second->try_take(), "host-a pid 7");
  }
  EXPECT_FALSE(second->is_held());
}

TEST_F(LeaseTest, TheHolderKnowsHowManyWaitForIt) {
  auto first = instance("a");
  ASSERT_TRUE(first->try_take());
  ASSERT_TRUE(first->renew());
  EXPECT_EQ(first->standbys(), 0);
  auto second = instance("b"), third = instance("c");
  EXPECT_FALSE(second->try_take());
  EXPECT_FALSE(third->try_take());
  ASSERT_TRUE(first->renew());
  EXPECT_EQ(first->standbys(), 2);
  second.reset();
  // Its backend ends when it finds that nobody is there.
  for (int i = 0; i < 1'000 && first->standbys() != 1; ++i) ASSERT_TRUE(first->renew());
  EXPECT_EQ(first->standbys(), 1);
}

TEST_F(LeaseTest, AHolderThatDoesNotBeatIsReplacedWhenTheLeaseHasLapsedAndNoSooner) {
  auto first = instance("a");
  ASSERT_TRUE(first->try_take());
  auto second = instance("b");
  expect_conflict(second->try_take(), "'a'");
  clock_.now += lease_lapse_ms - 1;
  expect_conflict(second->try_take(), "'a'");
  clock_.now += 1;
  auto const taken = second->try_take();
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_EQ(second->epoch(), first->epoch() + 1);
  EXPECT_EQ(second->predecessor(), far("a"));
  expect_conflict(first->renew(), "'b'");
  expect_conflict(first->renew(), "'b'");
  ASSERT_TRUE(second->renew());
}

TEST_F(LeaseTest, WhatTheHolderThinksEndsBeforeAStandbyMayTakeOver) {
  static_assert(lease_valid_ms < lease_lapse_ms);
  LeaseTerm term(1'000);
  auto const away = Status(Error{Code::unavailable, "away"});
  EXPECT_EQ(term.at(1'000 + lease_valid_ms - 1), Hold::held);
  EXPECT_EQ(term.at(1'000 + lease_valid_ms), Hold::unconfirmed);
  term.note(2'000, ok());
  term.note(3'000, away);  // counts from what was confirmed
  EXPECT_EQ(term.at(2'000 + lease_valid_ms - 1), Hold::held);
  EXPECT_EQ(term.at(2'000 + lease_valid_ms), Hold::unconfirmed);
  EXPECT_EQ(term.why(), "away");
  term.note(90'000, ok());  // nobody has taken over meanwhile
  EXPECT_EQ(term.at(90'001), Hold::held);
  term.note(90'100, Error{Code::conflict, "replaced"});
  EXPECT_EQ(term.at(90'101), Hold::lost);
  term.note(90'200, ok());
  EXPECT_EQ(term.at(90'201), Hold::lost);
}

TEST_F(LeaseTest, OfManyStandbysOneTakesOver) {
  auto first = instance("a");
  ASSERT_TRUE(first->try_take());
  std::vector<std::unique_ptr<Lease>> standbys;
  for (char const* name : {"b", "cc", "ddd", "eeee"}) standbys.push_back(instance(name));
  for (auto& standby : standbys) expect_conflict(standby->try_take(), "'a'");
  clock_.now += lease_lapse_ms;
  int taken = 0;
  std::vector<std::thread> threads;
  std::mutex mutex;
  for (auto& standby : standbys)
    threads.emplace_back([&] {
      bool const got = bool(standby->try_take());
      std::lock_guard const lock(mutex);
      taken += got;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken, 1);
}

TEST_F(LeaseTest, ALeaseThatWasGivenBackOrWhoseProcessIsGoneIsFreeAtOnce) {
  auto first = instance("a");
  ASSERT_TRUE(first->try_take());
  first.reset();
  auto second = instance("b", mark_of_this_process());
  ASSERT_TRUE(second->try_take());
  auto third = instance("c");
  expect_conflict(third->try_take(), "'b'");

  auto const child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  // As the child would have written it.
  auto mark = mark_of_this_process();
  mark = mark.substr(0, mark.rfind(' ', mark.rfind(' ') - 1)) + " " + std::to_string(child) + " 1";
  EXPECT_EQ(fate_of(mark), Fate::gone);
  database_->ask("UPDATE lease_beat SET process = '" + mark + "'");
  EXPECT_TRUE(third->try_take());
}

TEST_F(LeaseTest, ACutConnectionIsTakenUpAgainUnlessAnotherCameFirst) {
  auto first = instance("a");
  ASSERT_TRUE(first->try_take());
  cut_lease_connections();
  auto const again = first->renew();
  EXPECT_TRUE(again) << again.error().what;
  auto second = instance("b");
  expect_conflict(second->try_take(), "'a'");
  clock_.now += lease_lapse_ms;
  cut_lease_connections();
  // What was seen over the old connection does not count.
  expect_conflict(second->try_take(), "'a'");
  clock_.now += lease_lapse_ms;
  ASSERT_TRUE(second->try_take());
  cut_lease_connections();
  expect_conflict(first->renew(), "'b'");
}

TEST_F(LeaseTest, AnAnswerThatWasLostDoesNotConfirmAndTheServerAwayIsNoConflict) {
  auto lease = instance("a");
  ASSERT_TRUE(lease->try_take());
  database_->server().stop();
  auto const away = lease->renew();
  database_->server().start();
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, Code::unavailable) << away.error().what;
  auto const back = lease->renew();
  EXPECT_TRUE(back) << back.error().what;
}

TEST_F(LeaseTest, ATransactionThatItsInstanceLeftOpenDoesNotHoldTheSuccessorUpForLong) {
  auto first = instance("a");
  ASSERT_TRUE(first->try_take());
  Target target{database_->url(), test_schema, "stopped writer"};
  auto stopped = Connection::open(target);
  ASSERT_TRUE(stopped) << stopped.error().what;
  // As a writer that was stopped between two round trips: the lease row is locked.
  ASSERT_FALSE((*stopped)->run("BEGIN; SELECT 1 FROM lease FOR SHARE"));
  auto second = instance("b");
  expect_conflict(second->try_take(), "'a'");
  clock_.now += lease_lapse_ms;
  auto const begin = SystemClock().now_ms();
  auto taken = second->try_take();
  while (!taken && SystemClock().now_ms() - begin < 10'000) taken = second->try_take();
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_LT(SystemClock().now_ms() - begin, lease_lapse_ms);
}

TEST_F(LeaseTest, AnOldEpochCannotCommitAnyMore) {
  for (bool by_copy : {true, false}) {
    auto lease = instance("old");
    ASSERT_TRUE(lease->try_take());
    auto const row = [&](std::int64_t id) {
      return Batch{{by_copy ? append(key_only_table, {id}) : upsert(key_only_table, {id})}};
    };
    auto old = open(lease->epoch());
    EXPECT_EQ(mailbox_.commit(*old, row(1)).outcome, Outcome::committed);
    lease->give_back();
    auto next = instance("new");
    ASSERT_TRUE(next->try_take());
    for (int i = 0; i < 2; ++i) {
      auto const result = mailbox_.commit(*old, row(2));
      EXPECT_EQ(result.outcome, Outcome::fenced) << result.why;
      EXPECT_NE(result.why.find("new"), std::string::npos) << result.why;
    }
    // Neither a fresh connection of the old one nor its attempts disturb the new one.
    auto current = open(next->epoch());
    EXPECT_EQ(mailbox_.commit(*current, row(3)).outcome, Outcome::committed);
    auto stale = open(next->epoch() - 1);
    auto const good = stale->connect();
    ASSERT_FALSE(good);
    EXPECT_EQ(good.error().code, Code::denied);
    EXPECT_EQ(mailbox_.commit(*stale, row(4)).outcome, Outcome::fenced);
    EXPECT_EQ(mailbox_.commit(*current, row(5)).outcome, Outcome::committed);
    EXPECT_EQ(database_->ask("SELECT count(*) FROM key_only")[0][0], "3");
    database_->ask("TRUNCATE key_only");
  }
}

}  // namespace
}  // namespace lepton::store
