// What only PostgreSQL can do: die, come back, refuse, be held by another instance.

#include "common/store/postgres_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/common/store/columns.hpp"
#include "tests/common/store/mailbox.hpp"
#include "tests/common/store/proxy.hpp"
#include "tests/common/store/server.hpp"
#include "tests/common/store/tables.hpp"

namespace lepton::store {
namespace {

class PostgresStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::create();
    ASSERT_NE(database_, nullptr);
    settings_ = database_->settings(mailbox_.post());
  }
  void TearDown() override {
    for (auto const& undo : undo_) database_->ask(undo);
  }
  // What the test changes in the server, and how to take it back.
  void change(std::string const& sql, std::string undo) {
    database_->ask(sql);
    undo_.push_back(std::move(undo));
  }
  void open() { store_ = std::make_unique<PostgresStore>(settings_); }
  CommitResult commit(std::vector<Change> changes) {
    return mailbox_.commit(*store_, Batch{std::move(changes)});
  }
  // Polls a one-value query until it says `wanted`: a state, not a time.
  bool reaches(std::string const& sql, std::string const& wanted) {
    for (int i = 0; i < 3'000; ++i) {
      auto const rows = database_->ask(sql);
      if (!rows.empty() && rows[0][0] == wanted) return true;
      poll(nullptr, 0, 10);
    }
    return false;
  }
  std::string count(std::string const& table) {
    return database_->ask("SELECT count(*) FROM " + table).at(0).at(0).value_or("");
  }
  static constexpr char const* writer_waits =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lepton alpha writer' AND "
      "wait_event_type = 'Lock'";
  static constexpr char const* kill_writer =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
      "application_name = 'lepton alpha writer'";

  Mailbox mailbox_;
  std::unique_ptr<TestDatabase> database_;
  PostgresSettings settings_;
  std::unique_ptr<PostgresStore> store_;
  std::vector<std::string> undo_;
};

Change key_only(std::int64_t id) {
  return append(key_only_table, {id});
}
Change strict(std::int64_t id, std::int64_t positive) {
  return append(strict_table, {id, positive});
}

TEST_F(PostgresStoreTest, ConnectSaysWhyItCannot) {
  settings_.database_url = Secret<std::string>("postgresql://nobody@%2Fno%2Fsuch%2Ffolder/x");
  open();
  auto const good = store_->connect();
  ASSERT_FALSE(good);
  EXPECT_EQ(good.error().code, Code::unavailable);
  EXPECT_NE(good.error().what.find("no connection to PostgreSQL"), std::string::npos);
  EXPECT_EQ(commit({key_only(1)}).outcome, Outcome::unavailable);
  EXPECT_FALSE(mailbox_.find(*store_, {&key_only_table, {}}));
}

TEST_F(PostgresStoreTest, ConstraintsAndSchemaErrorsAreRejectedWhole) {
  open();
  EXPECT_EQ(commit({key_only(1), strict(1, 1), strict(2, 0)}).outcome, Outcome::rejected);
  Table const absent{"absent", {{"id", ColumnType::bigint, true, false}}, {0}};
  EXPECT_EQ(commit({key_only(1), upsert(absent, {std::int64_t{1}})}).outcome, Outcome::rejected);
  auto const result = commit({key_only(1), append(absent, {std::int64_t{1}})});
  EXPECT_EQ(result.outcome, Outcome::rejected);
  EXPECT_NE(result.why.find("absent"), std::string::npos) << result.why;
  EXPECT_EQ(count("key_only") + count("strict"), "00");
  EXPECT_EQ(commit({key_only(1), strict(1, 1)}).outcome, Outcome::committed);
}

TEST_F(PostgresStoreTest, TheServiceHasOnlyTheRightsItNeeds) {
  open();
  Table const event{"event",
                    {{"stream", ColumnType::text, true, false},
                     {"seq", ColumnType::bigint, true, false},
                     {"topic", ColumnType::text},
                     {"body", ColumnType::bytes},
                     {"at_ms", ColumnType::bigint}},
                    {0, 1}};
  Cells const row{std::string("s"), std::int64_t{1}, std::string("t"), Bytes{"b"}, std::int64_t{5}};
  EXPECT_EQ(commit({append(event, row)}).outcome, Outcome::committed);
  EXPECT_EQ(commit({upsert(event, row)}).outcome, Outcome::rejected);
  EXPECT_EQ(commit({erase_to(event, {std::string("s"), std::int64_t{1}})}).outcome,
            Outcome::committed);
}

TEST_F(PostgresStoreTest, ABackendKilledBeforeCommitIsTriedAgainOnce) {
  for (bool by_copy : {true, false}) {
    open();
    ASSERT_TRUE(store_->connect());
    auto locker = postgres::Session::open(database_->server().admin_url(test_database));
    ASSERT_TRUE(locker);
    ASSERT_TRUE(locker->execute("BEGIN; LOCK TABLE alpha.strict IN ACCESS EXCLUSIVE MODE"));
    std::optional<CommitResult> result;
    auto const id = std::int64_t{by_copy};
    store_->commit({{by_copy ? strict(id, 1) : upsert(strict_table, {id, std::int64_t{1}})}},
                   [&](CommitResult r) { result = std::move(r); });
    ASSERT_TRUE(reaches(writer_waits, "1"));
    database_->ask(kill_writer);
    ASSERT_TRUE(reaches(writer_waits, "1")) << "it must come back and try again";
    ASSERT_TRUE(locker->execute("COMMIT"));
    ASSERT_TRUE(mailbox_.run_until([&] { return result.has_value(); }));
    EXPECT_EQ(result->outcome, Outcome::committed) << result->why;
  }
  EXPECT_EQ(count("strict"), "2");
}

// The connection breaks on the way there (nothing applied) or on the way back (applied).
TEST_F(PostgresStoreTest, ACommitWithoutAnAnswerTakesEffectOnce) {
  Proxy proxy(database_->server().proxy_folder(), database_->server().socket());
  settings_.database_url = database_->proxy_url();
  open();
  std::int64_t id = 0;
  for (auto cut : {Proxy::Cut::request, Proxy::Cut::answer}) {
    for (bool by_copy : {true, false}) {
      ASSERT_EQ(commit({key_only(++id)}).outcome, Outcome::committed);
      proxy.arm(cut, "COMMIT");
      auto const result =
          commit({by_copy ? key_only(++id) : upsert(key_only_table, {++id}), strict(id, 1)});
      EXPECT_EQ(result.outcome, Outcome::committed) << result.why;
      EXPECT_TRUE(proxy.has_cut());
      EXPECT_EQ(count("key_only"), std::to_string(id));
    }
  }
  EXPECT_EQ(count("strict"), "4");
}

TEST_F(PostgresStoreTest, ABackendThatDiesAtEveryCommitIsGivenUp) {
  change(
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$",
      "DROP FUNCTION die() CASCADE");
  database_->ask(
      "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON strict DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION die()");
  open();
  EXPECT_EQ(commit({strict(1, 1)}).outcome, Outcome::unavailable);
  EXPECT_EQ(count("strict"), "0");
  EXPECT_EQ(commit({key_only(1)}).outcome, Outcome::committed);
}

TEST_F(PostgresStoreTest, AServerThatStaysAwayLeavesTheCommitInDoubt) {
  settings_.settle_limit_ms = 100;
  open();
  ASSERT_TRUE(store_->connect());
  auto locker = postgres::Session::open(database_->server().admin_url(test_database));
  ASSERT_TRUE(locker);
  ASSERT_TRUE(locker->execute("BEGIN; LOCK TABLE alpha.strict IN ACCESS EXCLUSIVE MODE"));
  std::optional<CommitResult> result;
  store_->commit({{strict(1, 1)}}, [&](CommitResult r) { result = std::move(r); });
  ASSERT_TRUE(reaches(writer_waits, "1"));
  database_->server().crash();  // in good order the locker could end first and let it commit
  ASSERT_TRUE(mailbox_.run_until([&] { return result.has_value(); }));
  EXPECT_EQ(result->outcome, Outcome::in_doubt) << result->why;
  database_->server().start();
}

TEST_F(PostgresStoreTest, WhileTheServerIsAwayCommitsAreRefusedAndNothingIsLost) {
  open();
  ASSERT_EQ(commit({key_only(1)}).outcome, Outcome::committed);
  database_->server().stop();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(commit({key_only(2)}).outcome, Outcome::unavailable);
  EXPECT_FALSE(mailbox_.load(*store_, {&key_only_table}));
  database_->server().start();
  auto outcome = Outcome::unavailable;
  while (outcome == Outcome::unavailable) {
    outcome = commit({key_only(2)}).outcome;
    poll(nullptr, 0, 5);
  }
  EXPECT_EQ(outcome, Outcome::committed);
  database_->server().kill_and_start();
  EXPECT_EQ(commit({key_only(3)}).outcome, Outcome::committed);
  // The connection of reads may still wait for its next try.
  auto rows = mailbox_.find(*store_, {&key_only_table, {}});
  while (!rows && rows.error().code == Code::unavailable) {
    poll(nullptr, 0, 5);
    rows = mailbox_.find(*store_, {&key_only_table, {}});
  }
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_EQ(rows->size(), 3u);
}

TEST_F(PostgresStoreTest, AServerThatCouldLoseWorkIsRefused) {
  struct Case {
    char const *change, *undo, *setting;
  };
  for (auto const& c : {Case{"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM RESET fsync", "fsync"},
                        Case{"ALTER SYSTEM SET synchronous_commit = off",
                             "ALTER SYSTEM RESET synchronous_commit", "synchronous_commit"}}) {
    change(c.change, c.undo);
    change("SELECT pg_reload_conf()", "SELECT pg_reload_conf()");
    ASSERT_TRUE(reaches(fmt::format("SHOW {}", c.setting), "off"));
    open();
    auto const good = store_->connect();
    ASSERT_FALSE(good);
    EXPECT_EQ(good.error().code, Code::invalid);
    EXPECT_NE(good.error().what.find(c.setting), std::string::npos) << good.error().what;
    auto const result = commit({key_only(1)});
    EXPECT_EQ(result.outcome, Outcome::unavailable);
    EXPECT_NE(result.why.find(c.setting), std::string::npos) << result.why;
    database_->ask(c.undo);
    database_->ask("SELECT pg_reload_conf()");
    ASSERT_TRUE(reaches(fmt::format("SHOW {}", c.setting), "on"));
  }
}

TEST_F(PostgresStoreTest, FullDiskAndLockedTablesAreUnavailableAndConflictsAreTriedAgain) {
  change(
      "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
      "IF NEW.id = 1 THEN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END IF; "
      "IF NEW.id = 2 AND nextval('alpha.tries') < 3 THEN "
      "RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'; END IF; RETURN NEW; "
      "END$$",
      "DROP FUNCTION fail() CASCADE");
  change("CREATE SEQUENCE tries", "DROP SEQUENCE tries");
  database_->ask("GRANT USAGE ON SEQUENCE tries TO lepton_alpha");
  database_->ask(
      "CREATE TRIGGER fail BEFORE INSERT ON strict FOR EACH ROW EXECUTE FUNCTION fail()");
  settings_.lock_limit_ms = 50;
  open();
  EXPECT_EQ(commit({key_only(1), strict(1, 1)}).outcome, Outcome::unavailable);
  EXPECT_EQ(count("key_only"), "0");
  EXPECT_EQ(commit({key_only(1), strict(2, 1)}).outcome, Outcome::committed);
  EXPECT_EQ(database_->ask("SELECT last_value FROM tries")[0][0], "3");
  auto locker = postgres::Session::open(database_->server().admin_url(test_database));
  ASSERT_TRUE(locker);
  ASSERT_TRUE(locker->execute("BEGIN; LOCK TABLE alpha.strict IN ACCESS EXCLUSIVE MODE"));
  EXPECT_EQ(commit({strict(3, 1)}).outcome, Outcome::unavailable);
  ASSERT_TRUE(locker->execute("COMMIT"));
  EXPECT_EQ(commit({strict(3, 1)}).outcome, Outcome::committed);
}

TEST_F(PostgresStoreTest, LoadTakesOfATableWhatItsViewNames) {
  change("CREATE VIEW few AS SELECT id FROM key_only WHERE id > 1", "DROP VIEW few");
  database_->ask("GRANT SELECT ON few TO lepton_alpha");
  settings_.load_views = {{"key_only", "few"}};
  open();
  ASSERT_EQ(commit({key_only(1), key_only(2), key_only(3), strict(1, 1)}).outcome,
            Outcome::committed);
  auto const rows = mailbox_.load(*store_, {&key_only_table, &strict_table});
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_EQ(rows->at(0), (std::vector<Cells>{{std::int64_t{2}}, {std::int64_t{3}}}));
  EXPECT_EQ(rows->at(1).size(), 1u) << "without a view: all of it";
}

TEST_F(PostgresStoreTest, TwoWritersUnderOneMarkerAreToldSo) {
  open();
  ASSERT_TRUE(store_->connect());
  PostgresStore other(settings_);
  ASSERT_TRUE(other.connect());
  auto const result = commit({key_only(1)});
  EXPECT_EQ(result.outcome, Outcome::unavailable);
  EXPECT_NE(result.why.find("marker 'main'"), std::string::npos) << result.why;
  EXPECT_EQ(count("key_only"), "0");
}

TEST_F(PostgresStoreTest, EndingWithWorkInTheQueueEndsSoon) {
  open();
  for (std::int64_t i = 0; i < 500; ++i) store_->commit({{key_only(i)}}, [](CommitResult) {});
  store_.reset();
  auto const rows = database_->ask("SELECT count(*), coalesce(max(id), -1) + 1 FROM key_only");
  EXPECT_EQ(rows[0][0], rows[0][1]) << "a prefix of the commits, without gaps";
}

TEST_F(PostgresStoreTest, DescribedRowsMatchTheMigration) {
  auto session = postgres::Session::open(database_->server().admin_url(test_database));
  ASSERT_TRUE(session);
  expect_same_columns<ThingRow>(*session, test_schema);
  expect_same_columns(*session, test_schema, log_table);
  Table const wrong{
      "strict",
      {{"id", ColumnType::text, false, true}, {"more", ColumnType::bigint, true, false}},
      {1}};
  EXPECT_EQ(column_differences(*session, test_schema, wrong).size(), 5u);
  EXPECT_EQ(column_differences(*session, "nowhere", log_table).size(), 1u);
}

}  // namespace
}  // namespace lepton::store
