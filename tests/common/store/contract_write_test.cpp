// Contract of commit(): operations, order, atomicity, what is refused.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tests/common/store/contract.hpp"

namespace lepton::store {
namespace {

using Keys = std::vector<std::string>;

TEST_P(StoreContract, NothingIsThereAtFirst) {
  EXPECT_TRUE(all(log_table).empty());
}

TEST_P(StoreContract, AnEmptyBatchIsCommitted) {
  expect_committed({});
}

TEST_P(StoreContract, AppendedRowsOutliveTheStore) {
  expect_committed(
      {append(log_table, log_row("a", 1, "one")), append(log_table, log_row("a", 2, "two"))});
  new_life();
  EXPECT_EQ(all(log_table), (std::vector<Cells>{log_row("a", 1, "one"), log_row("a", 2, "two")}));
}

TEST_P(StoreContract, AKeyTwiceRejectsTheWholeBatch) {
  expect_committed({append(log_table, log_row("a", 1, "first"))});
  expect_rejected({append(log_table, log_row("b", 1, "x")),
                   upsert(key_only_table, {std::int64_t{7}}),
                   append(log_table, log_row("a", 1, "again"))});
  EXPECT_EQ(all(log_table), (std::vector<Cells>{log_row("a", 1, "first")}));
  EXPECT_TRUE(all(key_only_table).empty());
  expect_rejected(
      {append(log_table, log_row("c", 1, "x")), append(log_table, log_row("c", 1, "y"))});
  expect_committed({append(log_table, log_row("c", 1, "z"))});
  EXPECT_EQ(log_keys(all(log_table)), (Keys{"a/1", "c/1"}));
}

TEST_P(StoreContract, UpsertInsertsAndReplacesAndTheLastOneWins) {
  expect_committed({upsert(log_table, log_row("a", 1, "one")),
                    upsert(log_table, log_row("b", 1, "x")),
                    upsert(log_table, log_row("a", 1, "two"))});
  EXPECT_EQ(all(log_table), (std::vector<Cells>{log_row("a", 1, "two"), log_row("b", 1, "x")}));
  expect_committed({upsert(log_table, log_row("a", 1, "three"))});
  EXPECT_EQ(all(log_table)[0], log_row("a", 1, "three"));
  expect_committed(
      {upsert(key_only_table, {std::int64_t{1}}), upsert(key_only_table, {std::int64_t{1}})});
  expect_committed({upsert(key_only_table, {std::int64_t{1}})});
  EXPECT_EQ(all(key_only_table).size(), 1u);
}

TEST_P(StoreContract, EraseDropsItsKeyAndForgivesAnAbsentOne) {
  expect_committed(
      {append(log_table, log_row("a", 1, "x")), append(log_table, log_row("a", 2, "y"))});
  expect_committed({erase(log_table, {std::string("a"), std::int64_t{1}}),
                    erase(log_table, {std::string("nobody"), std::int64_t{1}})});
  EXPECT_EQ(log_keys(all(log_table)), Keys{"a/2"});
}

TEST_P(StoreContract, ChangesOfOneTableKeepTheirOrder) {
  Cells const key{std::string("a"), std::int64_t{1}};
  expect_committed({append(log_table, log_row("a", 1, "1")), erase(log_table, key),
                    append(log_table, log_row("a", 1, "2")),
                    upsert(log_table, log_row("a", 1, "3")), erase(log_table, key),
                    upsert(log_table, log_row("a", 1, "4"))});
  EXPECT_EQ(all(log_table), std::vector<Cells>{log_row("a", 1, "4")});
  expect_committed({upsert(log_table, log_row("a", 1, "5")), erase(log_table, key)});
  EXPECT_TRUE(all(log_table).empty());
}

TEST_P(StoreContract, EraseToDropsTheHeadOfOneStream) {
  std::vector<Change> rows;
  for (auto const* stream : {"a", "b"})
    for (std::int64_t seq = 1; seq <= 5; ++seq)
      rows.push_back(append(log_table, log_row(stream, seq, "")));
  expect_committed(rows);
  expect_committed({erase_to(log_table, {std::string("a"), std::int64_t{3}}),
                    erase_to(log_table, {std::string("b"), std::int64_t{0}}),
                    erase_to(log_table, {std::string("c"), std::int64_t{9}}),
                    append(log_table, log_row("a", 6, "")),
                    append(log_table, log_row("a", 1, ""))});
  EXPECT_EQ(log_keys(all(log_table)),
            (Keys{"a/1", "a/4", "a/5", "a/6", "b/1", "b/2", "b/3", "b/4", "b/5"}));
  expect_committed({append(key_only_table, {std::int64_t{-4}}),
                    append(key_only_table, {std::int64_t{4}}),
                    erase_to(key_only_table, {std::int64_t{0}})});
  EXPECT_EQ(all(key_only_table), (std::vector<Cells>{{std::int64_t{4}}}));
}

TEST_P(StoreContract, EveryValueComesBackAsItWas) {
  std::string octets;
  for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
  std::vector<std::string> const texts{"",
                                       "\\",
                                       "\\N",
                                       "\\.",
                                       "\t",
                                       "\n",
                                       "\r",
                                       "\r\n",
                                       "\"",
                                       "'",
                                       "{}",
                                       "{,}",
                                       "NULL",
                                       "null",
                                       "\b\f\v\x01\x7f",
                                       "a\\tb",
                                       "äöü 漢字 🙂",
                                       " ",
                                       "'; DROP TABLE thing; --",
                                       "$1",
                                       "%s",
                                       ":schema",
                                       "\\\\x00",
                                       ","};
  std::vector<Change> appends, upserts;
  std::map<std::string, ThingRow> expected;
  for (std::size_t i = 0; i < 2 * texts.size(); ++i) {
    auto const& s = texts[i / 2];
    ThingRow row{fmt::format("{:03}{}", i, s),
                 i % 3 == 0,
                 static_cast<std::int64_t>(i) - 7,
                 0.1 * static_cast<double>(i),
                 s,
                 {{s + "k", s}},
                 Bytes{s + octets},
                 i % 2 == 0 ? Mood::calm : Mood::angry,
                 std::nullopt};
    expected[row.id] = row;
    (i % 2 == 0 ? appends : upserts)
        .push_back({i % 2 == 0 ? Op::append : Op::upsert, &table_of<ThingRow>(), to_cells(row)});
  }
  expect_committed(appends);  // by COPY in PostgreSQL
  expect_committed(upserts);  // by arrays
  new_life();
  auto const rows = all(table_of<ThingRow>());
  ASSERT_EQ(rows.size(), expected.size());
  for (auto const& cells : rows) {
    auto const row = from_cells<ThingRow>(cells);
    ASSERT_TRUE(row);
    EXPECT_EQ(*row, expected[row->id]);
  }
}

TEST_P(StoreContract, ExtremesOfNumbersAndNothing) {
  using Limits = std::numeric_limits<double>;
  std::vector<ThingRow> rows(4);
  std::vector<double> const reals{Limits::max(), Limits::denorm_min(), -Limits::infinity(), -0.1};
  std::vector<Change> changes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = std::to_string(i);
    rows[i].count = i % 2 == 0 ? std::numeric_limits<std::int64_t>::min()
                               : std::numeric_limits<std::int64_t>::max();
    rows[i].ratio = reals[i];
    if (i > 1) rows[i].seen_at_ms = -1;
    changes.push_back({i < 2 ? Op::append : Op::upsert, &table_of<ThingRow>(), to_cells(rows[i])});
  }
  expect_committed(changes);
  std::vector<ThingRow> back;
  for (auto const& cells : all(table_of<ThingRow>()))
    back.push_back(from_cells<ThingRow>(cells).value());
  EXPECT_EQ(back, rows);
}

TEST_P(StoreContract, WhatNoRowCanHoldIsRejected) {
  auto const with = [](std::size_t i, Cell cell) {
    auto cells = to_cells(ThingRow{});
    cells[i] = std::move(cell);
    return append(table_of<ThingRow>(), std::move(cells));
  };
  expect_rejected({with(0, std::string("a\0b", 3))});             // NUL in text
  expect_rejected({with(5, std::string(R"({"k": "\u0000"})"))});  // NUL in a document
  expect_rejected({with(4, std::string("\xff"))});                // no UTF-8
  expect_rejected({with(4, std::string("\xed\xa0\x80"))});        // a surrogate
  expect_rejected({with(0, Null{})});                             // a key needs a value
  expect_rejected({with(2, Null{})});
  expect_rejected({with(2, std::string("7"))});  // text is no number
  expect_rejected({append(log_table, {std::string("a")})});
  expect_rejected({erase(log_table, {std::string("a")})});
  expect_rejected({erase_to(log_table, {std::string("a")})});
  expect_rejected({erase_to(log_table, {})});
  expect_committed({with(5, std::string(R"({"k": "\\u0000"})"))});  // a backslash and five letters
  EXPECT_EQ(all(table_of<ThingRow>()).size(), 1u);
}

TEST_P(StoreContract, ThousandsOfRowsInOneBatch) {
  std::vector<Change> changes;
  for (std::int64_t i = 0; i < 5'000; ++i) {
    changes.push_back(append(log_table, log_row("s", i, std::string(100, 'x'))));
    changes.push_back(upsert(key_only_table, {i % 2'500}));
  }
  expect_committed(changes);
  auto const rows = all(log_table);
  ASSERT_EQ(rows.size(), 5'000u);
  EXPECT_EQ(rows[4'999], log_row("s", 4'999, std::string(100, 'x')));
  EXPECT_EQ(all(key_only_table).size(), 2'500u);
}

TEST_P(StoreContract, CommitsAnswerInTheOrderOfTheCalls) {
  std::vector<int> order;
  for (int i = 0; i < 20; ++i)
    store_->commit({{upsert(log_table, log_row("a", 1, std::to_string(i)))}},
                   [&, i](CommitResult result) {
                     EXPECT_EQ(result.outcome, Outcome::committed) << result.why;
                     order.push_back(i);
                   });
  ASSERT_TRUE(mailbox_.run_until([&] { return order.size() == 20; }));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(all(log_table)[0], log_row("a", 1, "19"));
}

}  // namespace
}  // namespace lepton::store
