// The monitor's tables in a real PostgreSQL: columns, partitions that come and go, what its role
// may do, what people see.

#include "services/monitor/core/alert_book.hpp"
#include "services/monitor/rows.hpp"
#include "tests/common/postgres/fixture.hpp"
#include "tests/common/store/columns.hpp"

namespace lepton::monitor::testing {
namespace {

constexpr char const* role = "lepton_monitor";
constexpr char const* reader = "lepton_reader";

class MonitorPostgres : public postgres::WithService {
 protected:
  MonitorPostgres() : WithService("monitor") {}
  std::string count(std::string const& sql) {
    auto session = postgres::Session::open(admin_url());
    auto const done = session->query({"SELECT count(*) FROM " + sql, {}});
    return done ? done->at(0).at(0).value_or("null") : done.error().what;
  }
  std::string upkeep_at(std::int64_t at_ms) {
    return as(role, "INSERT INTO monitor.upkeep VALUES (0, " + std::to_string(at_ms) +
                        ") ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms");
  }
  std::string minute_at(std::int64_t at_ms) {
    return as(role, "INSERT INTO monitor.rollup_minute VALUES ('n1', 'cpu_use', '', " +
                        std::to_string(at_ms) + ", 60, 0.5, 0, 1)");
  }
  static constexpr std::int64_t day = 86'400'000;
  static constexpr std::int64_t now = 20'800 * day + 3'600'000;
};

TEST_F(MonitorPostgres, RowsAreThoseOfTheMigration) {
  auto session = postgres::Session::open(admin_url());
  ASSERT_TRUE(session);
  store::expect_same_columns<NodeRow>(*session, "monitor");
  store::expect_same_columns<NodeChange>(*session, "monitor");
  store::expect_same_columns<MinuteRow>(*session, "monitor");
  store::expect_same_columns<HourRow>(*session, "monitor");
  store::expect_same_columns<AlertRule>(*session, "monitor");
  store::expect_same_columns<FiringRow>(*session, "monitor");
  store::expect_same_columns<AlertChange>(*session, "monitor");
  store::expect_same_columns<UpkeepRow>(*session, "monitor");
}

TEST_F(MonitorPostgres, PartitionsComeAndGo) {
  ASSERT_EQ(upkeep_at(now), "ok");
  EXPECT_EQ(minute_at(now), "ok");
  EXPECT_EQ(minute_at(now + day), "ok");
  EXPECT_EQ(minute_at(now + 50 * day), "ok");  // a clock that is wrong still loses nothing
  EXPECT_EQ(count("monitor.rollup_minute_other"), "1");
  EXPECT_EQ(count("monitor.rollup_minute"), "3");
  ASSERT_EQ(upkeep_at(now + 14 * day), "ok");
  EXPECT_EQ(count("monitor.rollup_minute"), "3");
  ASSERT_EQ(upkeep_at(now + 17 * day), "ok");
  EXPECT_EQ(count("monitor.rollup_minute"), "1");
  ASSERT_EQ(upkeep_at(now + 50 * day), "ok");  // its day has a row in the default partition
  EXPECT_EQ(count("monitor.rollup_minute"), "1");
  ASSERT_EQ(upkeep_at(now + 70 * day), "ok");
  EXPECT_EQ(count("monitor.rollup_minute"), "0");
  EXPECT_EQ(count("pg_inherits WHERE inhparent = 'monitor.rollup_minute'::regclass"), "5");
}

TEST_F(MonitorPostgres, UpkeepDropsWhatItIsMeantTo) {
  ASSERT_EQ(upkeep_at(now), "ok");
  ASSERT_EQ(as(role, "INSERT INTO monitor.node_change VALUES ('n1', 1, " + std::to_string(now) +
                         ", 'unknown', 'ready', 'heard')"),
            "ok");
  ASSERT_EQ(upkeep_at(now + 399 * day), "ok");
  EXPECT_EQ(count("monitor.node_change"), "1");
  ASSERT_EQ(upkeep_at(now + 401 * day), "ok");
  EXPECT_EQ(count("monitor.node_change"), "0");
}

TEST_F(MonitorPostgres, AReaderInTheWayOfADropOnlyDelaysIt) {
  ASSERT_EQ(upkeep_at(now), "ok");
  ASSERT_EQ(minute_at(now), "ok");
  auto session = postgres::Session::open(admin_url());
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->execute("BEGIN; SELECT * FROM monitor.rollup_minute;"));
  EXPECT_EQ(upkeep_at(now + 30 * day), "ok");
  EXPECT_EQ(count("monitor.rollup_minute"), "1");
  ASSERT_TRUE(session->execute("COMMIT"));
  EXPECT_EQ(upkeep_at(now + 30 * day), "ok");
  EXPECT_EQ(count("monitor.rollup_minute"), "0");
}

TEST_F(MonitorPostgres, TheServiceAddsChangesAndAltersNone) {
  EXPECT_TRUE(is_refused(role, "UPDATE monitor.node_change SET reason = ''"));
  EXPECT_TRUE(is_refused(role, "DELETE FROM monitor.alert_change"));
  EXPECT_TRUE(is_refused(role, "DELETE FROM monitor.rollup_minute"));
  EXPECT_TRUE(is_refused(role, "CREATE TABLE monitor.mine (x int)"));
  EXPECT_TRUE(is_refused(role, "SELECT monitor.keep_partitions('node', 1, 1, 1, 1)"));
}

TEST_F(MonitorPostgres, TheFirstRulesAreRules) {
  auto session = postgres::Session::open(admin_url());
  auto const found =
      session->query({"SELECT name, series, side, severity FROM monitor.alert_rule", {}});
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_EQ(found->size(), 4u);
  for (auto const& row : *found) {
    AlertRule rule;
    rule.name = row.at(0).value_or("");
    rule.series = codec::enum_from_name<Series>(row.at(1).value_or(""));
    rule.side = codec::enum_from_name<AlertSide>(row.at(2).value_or(""));
    rule.severity = codec::enum_from_name<AlertSeverity>(row.at(3).value_or(""));
    auto const good = check_rule(rule);
    EXPECT_TRUE(good) << rule.name << ": " << good.error().what;
  }
}

TEST_F(MonitorPostgres, PeopleSeeTheViewsOnly) {
  EXPECT_EQ(as(reader, "SELECT at, mean FROM monitor.minutes WHERE at_ms > 0"), "ok");
  EXPECT_EQ(as(reader, "SELECT at, state, reason FROM monitor.node_states"), "ok");
  EXPECT_EQ(as(reader, "SELECT rule, since FROM monitor.alerts"), "ok");
  EXPECT_EQ(as(reader, "SELECT name FROM monitor.alert_rules"), "ok");
  EXPECT_TRUE(is_refused(reader, "SELECT * FROM monitor.rollup_minute"));
  EXPECT_TRUE(is_refused(reader, "INSERT INTO monitor.upkeep VALUES (0, 1)"));
}

}  // namespace
}  // namespace lepton::monitor::testing
