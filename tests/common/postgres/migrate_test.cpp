#include <gtest/gtest.h>

#include <set>

#include "common/base/text.hpp"
#include "tests/common/postgres/fixture.hpp"

namespace lepton::postgres {
namespace {

using Migrate = WithServer;
std::vector<std::string> const services{"deployer", "vault"};

Migration const events{"platform", 1, "events",
                       "CREATE TABLE :schema.event (id bigint PRIMARY KEY, body text);\n"
                       "GRANT SELECT, INSERT ON event TO :service_role;"};
Migration const jobs{"deployer", 1, "jobs",
                     "CREATE TABLE job (id text PRIMARY KEY);\n"
                     "GRANT SELECT, INSERT ON job TO lepton_deployer;\n"
                     "GRANT USAGE ON SCHEMA deployer TO lepton_reader;\n"
                     "GRANT SELECT ON job TO lepton_reader;"};

TEST_F(Migrate, applies_platform_files_to_every_service_and_own_files_to_one) {
  auto const report = migrate(admin_url(), {events, jobs}, services);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->applied, (std::vector<std::string>{"deployer: platform/0001_events",
                                                       "deployer: deployer/0001_jobs",
                                                       "vault: platform/0001_events"}));
  auto const tables =
      ask("SELECT schemaname || '.' || tablename || ' ' || tableowner FROM pg_tables "
          "WHERE schemaname IN ('deployer', 'vault') ORDER BY 1");
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0][0], "deployer.event lepton_owner");
  EXPECT_EQ(tables[1][0], "deployer.job lepton_owner");
  EXPECT_EQ(tables[2][0], "vault.event lepton_owner");
}

TEST_F(Migrate, is_harmless_to_repeat) {
  ASSERT_TRUE(migrate(admin_url(), {events, jobs}, services));
  auto const again = migrate(admin_url(), {events, jobs}, services);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_TRUE(again->applied.empty());
  EXPECT_EQ(again->already_applied, 3u);
}

TEST_F(Migrate, refuses_an_applied_file_that_changed) {
  ASSERT_TRUE(migrate(admin_url(), {jobs}, services));
  auto changed = jobs;
  changed.sql += "\nCREATE TABLE more (id text);";
  Migration const next{"deployer", 2, "next", "CREATE TABLE next (id text);"};
  auto const report = migrate(admin_url(), {changed, next}, services);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::conflict);
  EXPECT_NE(report.error().what.find("deployer/0001_jobs was changed"), std::string::npos);
  EXPECT_TRUE(ask("SELECT 1 FROM pg_tables WHERE tablename IN ('more', 'next')").empty());
}

TEST_F(Migrate, refuses_a_database_that_is_newer_than_the_program) {
  Migration const next{"deployer", 2, "next", "CREATE TABLE next (id text);"};
  ASSERT_TRUE(migrate(admin_url(), {jobs, next}, services));
  auto const report = migrate(admin_url(), {jobs}, services);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::conflict);
  EXPECT_NE(report.error().what.find("newer"), std::string::npos);
}

TEST_F(Migrate, a_failing_file_leaves_nothing_and_names_its_line) {
  Migration const broken{"deployer", 2, "broken", "CREATE TABLE half (id text);\nSELECT nonsense;"};
  auto const report = migrate(admin_url(), {jobs, broken}, services);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().what.find("deployer/0002_broken"), std::string::npos);
  EXPECT_NE(report.error().what.find("(line 2)"), std::string::npos) << report.error().what;
  EXPECT_TRUE(ask("SELECT 1 FROM pg_tables WHERE tablename = 'half'").empty());
  EXPECT_EQ(ask("SELECT version FROM lepton_meta.migration").size(), 1u);
  auto const repaired = migrate(
      admin_url(), {jobs, {"deployer", 2, "broken", "CREATE TABLE half (id text);"}}, services);
  EXPECT_TRUE(repaired) << repaired.error().what;
}

TEST_F(Migrate, refuses_a_file_that_would_end_its_transaction) {
  Migration const sly{"deployer", 1, "sly", "CREATE TABLE x (id text); COMMIT; DROP TABLE x;"};
  auto const report = migrate(admin_url(), {sly}, services);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::invalid);
  EXPECT_TRUE(ask("SELECT 1 FROM pg_tables WHERE tablename = 'x'").empty());
}

TEST_F(Migrate, refuses_names_that_are_no_services) {
  for (std::string const name : {"", "platform", "Vault", "a; DROP TABLE b"})
    EXPECT_FALSE(migrate(admin_url(), {}, {name})) << name;
}

TEST_F(Migrate, a_service_can_do_exactly_what_was_granted) {
  ASSERT_TRUE(migrate(admin_url(), {events, jobs}, services));
  crypto::SystemEntropy entropy;
  auto const urls = issue_urls(admin_url(), services, entropy);
  ASSERT_TRUE(urls) << urls.error().what;
  auto deployer = Session::open(urls->at("lepton_deployer"));
  ASSERT_TRUE(deployer) << deployer.error().what;
  EXPECT_TRUE(deployer->execute("INSERT INTO deployer.job VALUES ('j1')"));
  // Only an owner could give itself more: this has no effect but a warning.
  EXPECT_TRUE(deployer->execute("GRANT UPDATE ON deployer.job TO lepton_deployer"));
  for (std::string const sql :
       {"UPDATE deployer.job SET id = 'j2'", "DELETE FROM deployer.event",
        "SELECT * FROM vault.event", "SET ROLE lepton_owner",
        "CREATE TABLE deployer.more (id text)", "CREATE SCHEMA more",
        "CREATE TABLE public.more (id text)", "CREATE TEMP TABLE more (id text)",
        "SELECT * FROM lepton_meta.migration"}) {
    auto const status = deployer->execute(sql);
    ASSERT_FALSE(status) << sql;
    EXPECT_EQ(status.error().code, Code::denied) << sql << ": " << status.error().what;
  }
  auto reader = Session::open(urls->at("lepton_reader"));
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_TRUE(reader->execute("SELECT * FROM deployer.job"));
  EXPECT_FALSE(reader->execute("INSERT INTO deployer.job VALUES ('j3')"));
  EXPECT_FALSE(reader->execute("SELECT * FROM vault.event"));
}

TEST_F(Migrate, new_passwords_replace_old_ones) {
  crypto::SystemEntropy entropy;
  auto const first = issue_urls(admin_url(), services, entropy);
  ASSERT_TRUE(first) << first.error().what;
  auto const second = issue_urls(admin_url(), services, entropy);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_TRUE(Session::open(second->at("lepton_vault")));
  auto const refused = Session::open(first->at("lepton_vault"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
}

TEST_F(Migrate, passwords_are_nowhere_in_the_data_folder) {
  crypto::SystemEntropy entropy;
  auto const urls = issue_urls(admin_url(), services, entropy);
  ASSERT_TRUE(urls) << urls.error().what;
  auto const& url = urls->at("lepton_vault").reveal();
  auto const password = url.substr(url.find("password=") + 9, 32);
  ASSERT_EQ(password.find('&'), std::string::npos);
  ask("CHECKPOINT");
  std::size_t files = 0;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder->path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_EQ(read_file(entry.path()).find(password), std::string::npos) << entry.path();
  }
  EXPECT_GT(files, 100u);
}

// The files that are shipped, on a real server: their SQL and their grants hold together.
TEST_F(Migrate, applies_the_shipped_files) {
  auto const migrations = read_migrations("schemas/sql");
  ASSERT_TRUE(migrations) << migrations.error().what;
  std::set<std::string> folders;
  for (auto const& migration : *migrations)
    if (migration.schema != platform_folder) folders.insert(migration.schema);
  folders.insert("deployer");
  auto const report = migrate(admin_url(), *migrations, {folders.begin(), folders.end()});
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_GE(report->applied.size(), migrations->size());
}

TEST(MigrationFiles, are_read_in_order) {
  TempFolder const folder;
  write_file(folder.path() / "vault/0002_more.sql", "SELECT 2");
  write_file(folder.path() / "vault/0001_first.sql", "SELECT 1");
  write_file(folder.path() / "platform/0001_base.sql", "SELECT 0");
  auto const migrations = read_migrations(folder.path());
  ASSERT_TRUE(migrations) << migrations.error().what;
  ASSERT_EQ(migrations->size(), 3u);
  EXPECT_EQ(migrations->at(0).schema, "platform");
  EXPECT_EQ(migrations->at(1).name, "first");
  EXPECT_EQ(migrations->at(2).sql, "SELECT 2");
}

TEST(MigrationFiles, refuse_gaps_repeats_and_odd_names) {
  for (std::string const name : {"0002_gap.sql", "0000_zero.sql", "1_short.sql", "0001_Upper.sql",
                                 "0001_x.txt", "0001.sql", "-001_x.sql", "0001_a b.sql"}) {
    TempFolder const folder;
    write_file(folder.path() / "vault" / name, "SELECT 1");
    auto const migrations = read_migrations(folder.path());
    ASSERT_FALSE(migrations) << name;
    EXPECT_EQ(migrations.error().code, Code::invalid);
  }
  TempFolder const folder;
  write_file(folder.path() / "vault/0001_a.sql", "SELECT 1");
  write_file(folder.path() / "vault/0001_b.sql", "SELECT 1");
  EXPECT_FALSE(read_migrations(folder.path()));
  EXPECT_FALSE(read_migrations(folder.path() / "absent"));
}

}  // namespace
}  // namespace lepton::postgres
