#include "common/postgres/backup.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/common/postgres/fixture.hpp"

namespace lepton::postgres {
namespace {

using Backup = WithServer;
std::vector<std::string> const services{"deployer"};

TEST_F(Backup, comes_back_with_rows_owners_and_grants) {
  Migration const jobs{"deployer", 1, "jobs",
                       "CREATE TABLE job (id text PRIMARY KEY); INSERT INTO job VALUES ('j1');"
                       "GRANT SELECT ON job TO :service_role;"};
  ASSERT_TRUE(migrate(admin_url(), {jobs}, services));
  auto const file = folder->path() / "one.backup";
  auto const saved = backup_to(admin_url(), file);
  ASSERT_TRUE(saved) << saved.error().what;
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  auto const target =
      Secret<std::string>(session_url(folder->path() / "run", "lepton_admin", "restored"));
  auto session = Session::open(admin_url());
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->create_database("restored"));
  auto const restored = restore_from(target, file, services);
  ASSERT_TRUE(restored) << restored.error().what;
  auto again = Session::open(target);
  ASSERT_TRUE(again);
  auto rows =
      again->query({"SELECT id, has_table_privilege('lepton_deployer', 'deployer.job', "
                    "'SELECT'), (SELECT tableowner FROM pg_tables WHERE tablename = 'job') "
                    "FROM deployer.job",
                    {}});
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_EQ(rows->at(0).at(0), "j1");
  EXPECT_EQ(rows->at(0).at(1), "t");
  EXPECT_EQ(rows->at(0).at(2), "lepton_owner");
  // The restored history is complete: the next start has nothing to do.
  auto const report = migrate(target, {jobs}, services);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->applied.empty());
}

TEST_F(Backup, never_replaces_a_file) {
  auto const file = folder->path() / "precious";
  write_file(file, "mine");
  auto const saved = backup_to(admin_url(), file);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Code::conflict);
  EXPECT_EQ(read_file(file), "mine");
}

TEST_F(Backup, is_not_restored_over_data) {
  ASSERT_TRUE(migrate(admin_url(), {}, services));
  auto const file = folder->path() / "two.backup";
  ASSERT_TRUE(backup_to(admin_url(), file));
  auto const restored = restore_from(admin_url(), file, services);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, Code::conflict);
  EXPECT_NE(restored.error().what.find("only into an empty database"), std::string::npos);
}

TEST_F(Backup, a_damaged_file_is_refused_and_leaves_the_database_empty) {
  auto const file = folder->path() / "damaged";
  write_file(file, "PGDMP and then nothing");
  EXPECT_FALSE(restore_from(admin_url(), file, services));
  EXPECT_FALSE(restore_from(admin_url(), folder->path() / "absent", services));
  EXPECT_TRUE(ask("SELECT 1 FROM pg_namespace WHERE nspname = 'deployer'").empty());
}

TEST_F(Backup, a_folder_that_is_missing_is_named) {
  auto const saved = backup_to(admin_url(), folder->path() / "absent/file");
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().what.find("absent"), std::string::npos);
}

}  // namespace
}  // namespace lepton::postgres
