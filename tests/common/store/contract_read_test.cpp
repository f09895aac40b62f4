// Contract of load() and find().

#include "common/store/check.hpp"
#include "tests/common/store/contract.hpp"

namespace lepton::store {
namespace {

using Keys = std::vector<std::string>;

TEST_P(StoreContract, LoadAnswersEachTableInKeyOrder) {
  expect_committed({append(log_table, log_row("b", 2, "")), append(log_table, log_row("b", -1, "")),
                    append(log_table, log_row("B", 5, "")), append(log_table, log_row("ä", 1, "")),
                    append(key_only_table, {std::int64_t{10}}),
                    append(key_only_table, {std::int64_t{9}})});
  auto const rows = mailbox_.load(*store_, {&key_only_table, &table_of<ThingRow>(), &log_table});
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0], (std::vector<Cells>{{std::int64_t{9}}, {std::int64_t{10}}}));
  EXPECT_TRUE((*rows)[1].empty());
  EXPECT_EQ(log_keys((*rows)[2]), (Keys{"B/5", "b/-1", "b/2", "ä/1"}));  // order of bytes
}

TEST_P(StoreContract, FindSelectsOrdersAndLimits) {
  std::vector<Change> changes;
  for (std::int64_t i = 1; i <= 6; ++i)
    changes.push_back(
        append(log_table, log_row(i % 2 == 0 ? "even" : "odd", i, i < 4 ? "low" : "High")));
  expect_committed(changes);
  auto const keys = [&](Query q) { return log_keys(found(std::move(q))); };
  std::string const odd = "odd";
  EXPECT_EQ(keys({&log_table, {{"stream", Compare::equal, odd}}}),
            (Keys{"odd/1", "odd/3", "odd/5"}));
  EXPECT_EQ(keys({&log_table,
                  {{"stream", Compare::equal, odd}, {"Seq", Compare::greater, std::int64_t{1}}}}),
            (Keys{"odd/3", "odd/5"}));
  EXPECT_EQ(keys({&log_table, {{"Seq", Compare::less_equal, std::int64_t{2}}}, "Seq", true}),
            (Keys{"even/2", "odd/1"}));
  EXPECT_EQ(keys({&log_table, {{"Seq", Compare::less, std::int64_t{2}}}}), (Keys{"odd/1"}));
  EXPECT_EQ(keys({&log_table, {{"Seq", Compare::greater_equal, std::int64_t{6}}}}),
            (Keys{"even/6"}));
  EXPECT_EQ(keys({&log_table, {}, "order", false, 4}),
            (Keys{"even/4", "even/6", "odd/5", "even/2"}));
  EXPECT_EQ(keys({&log_table, {{"order", Compare::greater, std::string("Z")}}, "", true}),
            (Keys{"odd/3", "odd/1", "even/2"}));
  EXPECT_TRUE(keys({&log_table, {{"stream", Compare::equal, std::string("' OR 1=1 --")}}}).empty());
}

TEST_P(StoreContract, FindTreatsNothingAsLowestAndEqualToItself) {
  std::vector<Change> changes;
  std::vector<std::optional<std::string>> const labels{"b", std::nullopt, "a", std::nullopt};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ThingRow row;
    row.id = std::to_string(i);
    row.label = labels[i];
    row.raw.data = std::string("\0\xff", 2) + row.id;
    row.flag = i > 1;
    changes.push_back(append(table_of<ThingRow>(), to_cells(row)));
  }
  expect_committed(changes);
  auto const ids = [&](std::vector<Condition> where, bool descending = false) {
    std::string out;
    for (auto const& cells : found({&table_of<ThingRow>(), std::move(where), "label", descending}))
      out += std::get<std::string>(cells[0]);
    return out;
  };
  EXPECT_EQ(ids({}), "1320");
  EXPECT_EQ(ids({}, true), "0231");
  EXPECT_EQ(ids({{"label", Compare::equal, Null{}}}), "13");
  EXPECT_EQ(ids({{"label", Compare::less, std::string("zzz")}}), "20");
  EXPECT_EQ(ids({{"flag", Compare::equal, true}}), "32");
  EXPECT_EQ(ids({{"raw", Compare::equal, Bytes{std::string("\0\xff", 2) + "2"}}}), "2");
  EXPECT_EQ(ids({{"ratio", Compare::greater_equal, 0.0}}), "1320");
}

TEST_P(StoreContract, FindSeesEveryAnsweredCommit) {
  for (std::int64_t i = 0; i < 50; ++i) {
    expect_committed({upsert(log_table, log_row("a", 1, std::to_string(i)))});
    ASSERT_EQ(found({&log_table, {}}), std::vector<Cells>{log_row("a", 1, std::to_string(i))});
  }
}

TEST_P(StoreContract, BadQueriesAreRefused) {
  auto const refused = [&](Query q) {
    auto const rows = mailbox_.find(*store_, std::move(q));
    return !rows && rows.error().code == Code::invalid && !rows.error().what.empty();
  };
  EXPECT_TRUE(refused({&log_table, {}, "", false, 0}));
  EXPECT_TRUE(refused({&log_table, {}, "", false, max_find_rows + 1}));
  EXPECT_TRUE(refused({&log_table, {}, "nothing"}));
  EXPECT_TRUE(refused({&log_table, {{"nothing", Compare::equal, true}}}));
  EXPECT_TRUE(refused({&log_table, {{"Seq", Compare::equal, std::string("1")}}}));
  EXPECT_TRUE(refused({&log_table, {{"stream", Compare::equal, std::string("a\0", 2)}}}));
  EXPECT_TRUE(refused({&table_of<ThingRow>(), {{"label", Compare::less, Null{}}}}));
  EXPECT_TRUE(refused({&table_of<ThingRow>(), {{"doc", Compare::equal, std::string("{}")}}}));
}

}  // namespace
}  // namespace lepton::store
