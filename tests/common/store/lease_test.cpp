// One instance at a time: the lease row, its epoch and the advisory lock.

#include "common/store/lease.hpp"

#include <gtest/gtest.h>

#include "common/store/postgres_store.hpp"
#include "tests/common/store/mailbox.hpp"
#include "tests/common/store/server.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {
namespace {

class LeaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::create();
    ASSERT_NE(database_, nullptr);
  }
  Result<std::unique_ptr<Lease>> acquire(std::string holder, TimeMs wait_limit_ms = 30'000) {
    return acquire_lease({database_->url(), test_schema, std::move(holder), wait_limit_ms});
  }
  std::unique_ptr<PostgresStore> open(std::int64_t epoch) {
    auto settings = database_->settings(mailbox_.post());
    settings.lease_epoch = epoch;
    return std::make_unique<PostgresStore>(std::move(settings));
  }
  void cut_lease_connection() {
    database_->ask(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
        "WHERE application_name = 'lepton alpha lease'");
  }
  Mailbox mailbox_;
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(LeaseTest, ASecondInstanceIsRefusedWithTheNameOfTheFirst) {
  auto first = acquire("host-a pid 7");
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ((*first)->epoch(), 1);
  EXPECT_TRUE((*first)->check());
  auto const second = acquire("host-b", 50);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().what.find("host-a pid 7"), std::string::npos) << second.error().what;
  first->reset();
  auto const third = acquire("host-b");
  ASSERT_TRUE(third) << third.error().what;
  EXPECT_EQ((*third)->epoch(), 2);
}

TEST_F(LeaseTest, ACutConnectionIsTakenUpAgainUnlessAnotherCameFirst) {
  auto first = acquire("a");
  ASSERT_TRUE(first) << first.error().what;
  cut_lease_connection();
  auto const again = (*first)->check();
  EXPECT_TRUE(again) << again.error().what;
  cut_lease_connection();
  auto const second = acquire("b");
  ASSERT_TRUE(second) << second.error().what;
  auto const lost = (*first)->check();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::conflict);
}

TEST_F(LeaseTest, AnOldEpochCannotCommitAnyMore) {
  for (bool by_copy : {true, false}) {
    auto lease = acquire("old");
    ASSERT_TRUE(lease) << lease.error().what;
    auto const row = [&](std::int64_t id) {
      return Batch{{by_copy ? append(key_only_table, {id}) : upsert(key_only_table, {id})}};
    };
    auto old = open((*lease)->epoch());
    EXPECT_EQ(mailbox_.commit(*old, row(1)).outcome, Outcome::committed);
    lease->reset();
    auto const next = acquire("new");
    ASSERT_TRUE(next) << next.error().what;
    for (int i = 0; i < 2; ++i) {
      auto const result = mailbox_.commit(*old, row(2));
      EXPECT_EQ(result.outcome, Outcome::fenced) << result.why;
      EXPECT_NE(result.why.find("new"), std::string::npos) << result.why;
    }
    // Neither a fresh connection of the old one nor its attempts disturb the new one.
    auto current = open((*next)->epoch());
    EXPECT_EQ(mailbox_.commit(*current, row(3)).outcome, Outcome::committed);
    auto stale = open((*lease == nullptr ? (*next)->epoch() - 1 : 0));
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
