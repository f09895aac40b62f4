// Thousands of random changes give the same answers and the same rows in both stores.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/random.hpp"
#include "common/store/memory_store.hpp"
#include "tests/common/store/mailbox.hpp"
#include "tests/common/store/server.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {
namespace {

Change random_change(Chance& chance) {
  auto const stream = std::string(1, static_cast<char>('a' + chance.below(3)));
  auto const seq = static_cast<std::int64_t>(chance.below(12));
  auto const text = fmt::format("{}\t\\{}", chance.below(1000), "\"\n");
  switch (chance.below(8)) {
    case 0:
      return erase(log_table, {stream, seq});
    case 1:
      return erase_to(log_table, {stream, seq - 6});
    case 2:
    case 3:
      return append(log_table,
                    log_row(stream, 12 + static_cast<std::int64_t>(chance.below(300)), text));
    case 4:
      return erase(key_only_table, {seq});
    case 5:
      return upsert(key_only_table, {seq});
    default:
      return upsert(log_table, log_row(stream, seq, text));
  }
}

TEST(StoreTwins, RandomBatchesHaveTheSameEffect) {
  auto const database = TestDatabase::create();
  ASSERT_NE(database, nullptr);
  Mailbox mailbox;
  PostgresStore real(database->settings(mailbox.post()));
  MemoryStore twin(std::make_shared<MemoryDisk>(), {mailbox.post()});
  Chance chance(7);
  int committed = 0, rejected = 0;
  for (int round = 0; round < 300; ++round) {
    Batch batch;
    for (auto n = 1 + chance.below(round % 10 == 0 ? 60 : 8); n > 0; --n)
      batch.changes.push_back(random_change(chance));
    auto const a = mailbox.commit(real, batch);
    auto const b = mailbox.commit(twin, batch);
    ASSERT_EQ(a.outcome, b.outcome) << "round " << round << ": " << a.why << " / " << b.why;
    (a.outcome == Outcome::committed ? committed : rejected)++;
    if (round % 20 != 19) continue;
    auto const left = mailbox.load(real, {&log_table, &key_only_table});
    auto const right = mailbox.load(twin, {&log_table, &key_only_table});
    ASSERT_TRUE(left && right);
    ASSERT_EQ(*left, *right) << "round " << round;
  }
  EXPECT_GT(committed, 50);
  EXPECT_GT(rejected, 20);
}

}  // namespace
}  // namespace lepton::store
