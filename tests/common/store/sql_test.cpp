// The texts that go to PostgreSQL, and the plan of a batch.

#include "common/store/sql.hpp"

#include <gtest/gtest.h>

#include "common/store/plan.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {
namespace {

TEST(StoreSql, NamesAreQuoted) {
  EXPECT_EQ(sql::quote_name("job"), "\"job\"");
  EXPECT_EQ(sql::quote_name("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
}

TEST(StoreSql, StatementsHoldNoValues) {
  EXPECT_EQ(sql::upsert("s", strict_table),
            "INSERT INTO \"s\".\"strict\" (\"id\", \"positive\") SELECT * FROM "
            "unnest($1::bigint[], $2::bigint[]) ON CONFLICT (\"id\") DO UPDATE SET "
            "\"positive\" = EXCLUDED.\"positive\"");
  EXPECT_EQ(
      sql::erase_to("s", log_table, 2),
      "DELETE FROM \"s\".\"select Lo\"\"g\" r USING unnest($1::text[], $2::bigint[]) AS k(k0, k1) "
      "WHERE r.\"stream\" = k.k0 AND r.\"Seq\" <= k.k1");
  Query const query{&log_table, {{"stream", Compare::greater, std::string("it's")}}, "", true, 5};
  EXPECT_EQ(
      sql::find("s", query, true),
      "SELECT \"stream\", \"Seq\", \"order\" FROM \"s\".\"select Lo\"\"g\" WHERE \"stream\" "
      "COLLATE \"C\" > $1::text ORDER BY \"stream\" COLLATE \"C\" DESC, \"Seq\" DESC LIMIT 5");
  EXPECT_EQ(sql::find_values(query), sql::Values{"it's"});
}

TEST(StoreSql, CopyLinesEscapeAndComeBack) {
  Cells const row = log_row("a\tb\\N\n\r", -7, "");
  std::string line;
  sql::add_copy_line(line, row);
  EXPECT_EQ(line, "a\\tb\\\\N\\n\\r\t-7\t\n");
  EXPECT_EQ(sql::read_copy_line(line, log_table), row);
  EXPECT_FALSE(sql::read_copy_line("a\t1\n", log_table));
  EXPECT_FALSE(sql::read_copy_line("a\tseven\tx\n", log_table));
}

TEST(StoreSql, ArraysQuoteTextAndHexBytes) {
  Cells const a{std::string("a\"\\,{}"), Bytes{std::string("\0\xff", 2)}, Null{}, true, 0.5};
  EXPECT_EQ(sql::arrays({&a, &a}, 5),
            (sql::Values{R"({"a\"\\,{}","a\"\\,{}"})", R"({"\\x00ff","\\x00ff"})", "{NULL,NULL}",
                         "{t,t}", "{0.5,0.5}"}));
}

TEST(StorePlan, RunsBecomeStepsAndTheLastUpsertOfAKeyWins) {
  Batch const batch{{append(log_table, log_row("a", 1, "")),
                     upsert(strict_table, {std::int64_t{1}, std::int64_t{1}}),
                     append(log_table, log_row("a", 2, "")),
                     upsert(strict_table, {std::int64_t{2}, std::int64_t{1}}),
                     upsert(strict_table, {std::int64_t{1}, std::int64_t{9}}),
                     erase(strict_table, {std::int64_t{1}})}};
  auto const plan = make_plan(batch, 2);
  ASSERT_EQ(plan.copies.size(), 1u);
  EXPECT_EQ(plan.copies[0].rows.size(), 2u);
  ASSERT_EQ(plan.statements.size(), 2u);
  ASSERT_EQ(plan.statements[0].rows.size(), 2u);
  EXPECT_EQ(*plan.statements[0].rows[0], (Cells{std::int64_t{1}, std::int64_t{9}}));
  EXPECT_EQ(plan.statements[1].op, Op::erase);
  EXPECT_EQ(make_plan(batch, 3).copies.size(), 0u) << "few rows travel with the other statements";
}

}  // namespace
}  // namespace lepton::store
