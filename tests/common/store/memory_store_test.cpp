// What only the memory twin can do: faults on request, delays, crashes, epochs.

#include "common/store/memory_store.hpp"

#include <gtest/gtest.h>

#include "tests/common/store/mailbox.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {
namespace {

Batch row(std::int64_t id) {
  return Batch{{append(key_only_table, {id})}};
}

class MemoryStoreTest : public ::testing::Test {
 protected:
  std::size_t rows() const { return disk_->rows("key_only").size(); }
  Outcome commit(MemoryStore& store, std::int64_t id) {
    return mailbox_.commit(store, row(id)).outcome;
  }

  Mailbox mailbox_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

TEST_F(MemoryStoreTest, GivesTheOutcomeThatTheTestAsksFor) {
  Fault fault;
  MemoryStore store(disk_, {mailbox_.post(), nullptr, [&](Batch const&) { return fault; }});
  struct Case {
    FaultKind kind;
    Outcome outcome;
    std::size_t applied;
  };
  std::size_t expected = 0;
  std::int64_t id = 0;
  for (auto const& c : {Case{FaultKind::none, Outcome::committed, 1},
                        Case{FaultKind::rejected, Outcome::rejected, 0},
                        Case{FaultKind::unavailable, Outcome::unavailable, 0},
                        Case{FaultKind::in_doubt_applied, Outcome::in_doubt, 1},
                        Case{FaultKind::in_doubt_lost, Outcome::in_doubt, 0}}) {
    fault.kind = c.kind;
    EXPECT_EQ(commit(store, ++id), c.outcome);
    EXPECT_EQ(rows(), expected += c.applied);
  }
}

TEST_F(MemoryStoreTest, ADelayedAnswerLeavesTheRowsOnDisk) {
  std::vector<std::pair<TimeMs, std::function<void()>>> later;
  MemorySettings settings{mailbox_.post()};
  settings.post_after = [&](TimeMs ms, std::function<void()> f) {
    later.emplace_back(ms, std::move(f));
  };
  settings.fault = [](Batch const&) { return Fault{FaultKind::none, 40}; };
  bool answered = false;
  MemoryStore store(disk_, settings);
  store.commit(row(1), [&](CommitResult) { answered = true; });
  EXPECT_EQ(rows(), 1u);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].first, 40);
  EXPECT_FALSE(answered);
  later[0].second();
  EXPECT_TRUE(answered);
}

TEST_F(MemoryStoreTest, ADeadStoreNeverAnswersButItsRowsStay) {
  bool answered = false;
  {
    MemoryStore store(disk_, {mailbox_.post()});
    store.commit(row(1), [&](CommitResult) { answered = true; });
  }
  EXPECT_TRUE(mailbox_.run_until([&] { return mailbox_.waiting() == 0; }));
  EXPECT_FALSE(answered);
  MemoryStore next(disk_, {mailbox_.post()});
  auto const loaded = mailbox_.load(next, {&key_only_table});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->at(0).size(), 1u);
}

TEST_F(MemoryStoreTest, ANewerLeaseFencesTheOldStore) {
  MemorySettings settings{mailbox_.post()};
  settings.lease_epoch = disk_->take_lease();
  MemoryStore old(disk_, settings);
  EXPECT_EQ(commit(old, 1), Outcome::committed);
  settings.lease_epoch = disk_->take_lease();
  MemoryStore next(disk_, settings);
  EXPECT_EQ(commit(old, 2), Outcome::fenced);
  EXPECT_EQ(commit(next, 2), Outcome::committed);
  EXPECT_EQ(rows(), 2u);
}

TEST_F(MemoryStoreTest, ReadsFailWhenTheTestSaysSo) {
  MemorySettings settings{mailbox_.post()};
  settings.read_fault = [] { return std::optional(Error{Code::unavailable, "away"}); };
  MemoryStore store(disk_, settings);
  EXPECT_EQ(mailbox_.load(store, {&key_only_table}).error().code, Code::unavailable);
  EXPECT_EQ(mailbox_.find(store, {&key_only_table, {}}).error().code, Code::unavailable);
}

}  // namespace
}  // namespace lepton::store
