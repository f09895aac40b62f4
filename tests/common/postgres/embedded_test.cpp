#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "tests/common/postgres/fixture.hpp"

namespace lepton::postgres {
namespace {
namespace fs = std::filesystem;

std::string value(std::string const& url, std::string const& sql) {
  auto session = Session::open(Secret<std::string>(url));
  if (!session) return session.error().what;
  auto rows = session->query({sql, {}});
  return rows ? rows->at(0).at(0).value_or("null") : rows.error().what;
}

mode_t mode_of(fs::path const& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

TEST(Embedded, starts_stops_and_keeps_its_rows) {
  TempFolder const folder;
  auto const config = small_config(folder);
  {
    auto server = EmbeddedPostgres::start(config);
    ASSERT_TRUE(server) << server.error().what;
    auto const url = (*server)->admin_url();
    EXPECT_FALSE((*server)->exited());
    EXPECT_EQ(value(url, "SHOW listen_addresses"), "");
    EXPECT_EQ(value(url, "SHOW fsync"), "on");
    EXPECT_EQ(value(url, "SHOW server_encoding"), "UTF8");
    EXPECT_EQ(value(url, "SHOW data_checksums"), "on");
    EXPECT_EQ(mode_of(config.data), 0700u);
    auto session = Session::open(Secret<std::string>(url));
    ASSERT_TRUE(session);
    ASSERT_TRUE(session->execute("CREATE TABLE kept AS SELECT 42 AS answer"));
    auto const stopped = (*server)->stop();
    EXPECT_TRUE(stopped) << stopped.error().what;
    EXPECT_EQ((*server)->exited(), 0);
  }
  auto again = EmbeddedPostgres::start(config);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(value((*again)->admin_url(), "SELECT answer FROM kept"), "42");
}

TEST(Embedded, runs_without_root) {
  TempFolder const folder;
  auto server = EmbeddedPostgres::start(small_config(folder));
  ASSERT_TRUE(server) << server.error().what;
  struct stat info {};
  ASSERT_EQ(stat(("/proc/" + std::to_string((*server)->pid())).c_str(), &info), 0);
  EXPECT_NE(info.st_uid, 0u);
}

TEST(Embedded, recovers_after_kill_with_its_pid_file_left_behind) {
  TempFolder const folder;
  auto const config = small_config(folder);
  {
    auto server = EmbeddedPostgres::start(config);
    ASSERT_TRUE(server) << server.error().what;
    auto session = Session::open(Secret<std::string>((*server)->admin_url()));
    ASSERT_TRUE(session);
    ASSERT_TRUE(session->execute("CREATE TABLE kept AS SELECT 42 AS answer"));
    ASSERT_EQ(kill((*server)->pid(), SIGKILL), 0);
    auto const stopped = (*server)->stop();
    EXPECT_EQ((*server)->exited(), 128 + SIGKILL);
  }
  ASSERT_TRUE(fs::exists(config.data / "postmaster.pid"));
  auto again = EmbeddedPostgres::start(config);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(value((*again)->admin_url(), "SELECT answer FROM kept"), "42");
}

// After a reboot the pid in the file can belong to any other program.
TEST(Embedded, starts_although_the_pid_file_names_a_foreign_process) {
  TempFolder const folder;
  auto const config = small_config(folder);
  { ASSERT_TRUE(EmbeddedPostgres::start(config)); }
  write_file(config.data / "postmaster.pid", std::to_string(getppid()) + "\n" +
                                                 config.data.string() + "\n1700000000\n5432\n" +
                                                 config.socket.string() + "\n\n  1 0\nready\n");
  auto server = EmbeddedPostgres::start(config);
  ASSERT_TRUE(server) << server.error().what;
}

TEST(Embedded, refuses_a_second_instance) {
  TempFolder const folder;
  auto const config = small_config(folder);
  auto first = EmbeddedPostgres::start(config);
  ASSERT_TRUE(first) << first.error().what;
  auto second = EmbeddedPostgres::start(config);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().what.find("another instance"), std::string::npos);
  EXPECT_EQ(value((*first)->admin_url(), "SELECT 1"), "1");
}

// The lock file can be lost; the server that works in the folder is found all the same.
TEST(Embedded, refuses_a_folder_in_which_a_server_works) {
  TempFolder const folder;
  auto config = small_config(folder);
  auto first = EmbeddedPostgres::start(config);
  ASSERT_TRUE(first) << first.error().what;
  fs::remove(config.data.string() + ".lock");
  config.previous_limit_ms = 0;
  auto second = EmbeddedPostgres::start(config);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().what.find("already works in"), std::string::npos);
}

TEST(Embedded, stops_when_its_supervisor_is_killed_and_the_next_one_takes_over) {
  TempFolder const folder;
  auto const config = small_config(folder);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  pid_t const supervisor = fork();
  ASSERT_GE(supervisor, 0);
  if (supervisor == 0) {
    auto server = EmbeddedPostgres::start(config);
    pid_t const pid = server ? (*server)->pid() : 0;
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    for (;;) pause();
  }
  pid_t pid = 0;
  ASSERT_EQ(read(ends[0], &pid, sizeof pid), ssize_t(sizeof pid));
  EXPECT_GT(pid, 0);
  kill(supervisor, SIGKILL);
  waitpid(supervisor, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  auto server = EmbeddedPostgres::start(config);
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_NE((*server)->pid(), pid);
}

TEST(Embedded, refuses_a_folder_with_other_content) {
  TempFolder const folder;
  auto const config = small_config(folder);
  write_file(config.data / "photo.txt", "mine");
  auto server = EmbeddedPostgres::start(config);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::conflict);
  EXPECT_EQ(read_file(config.data / "photo.txt"), "mine");
}

TEST(Embedded, names_the_package_for_data_of_another_version) {
  TempFolder const folder;
  auto const config = small_config(folder);
  write_file(config.data / "PG_VERSION", "9\n");
  auto server = EmbeddedPostgres::start(config);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::not_found);
  EXPECT_NE(server.error().what.find("apt-get install postgresql-9"), std::string::npos);
}

TEST(Embedded, refuses_a_socket_path_that_the_system_cannot_bind) {
  TempFolder const folder;
  auto config = small_config(folder);
  config.socket = folder.path() / std::string(90, 'x');
  auto server = EmbeddedPostgres::start(config);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::invalid);
  EXPECT_NE(server.error().what.find("107"), std::string::npos);
  EXPECT_FALSE(fs::exists(config.data));
}

TEST(Embedded, refuses_a_full_disk_before_it_creates_anything) {
  TempFolder const folder;
  auto config = small_config(folder);
  config.free_mib_min = 1 << 30;
  auto server = EmbeddedPostgres::start(config);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::exhausted);
  EXPECT_FALSE(fs::exists(config.data));
}

TEST(Embedded, names_the_folder_that_the_database_user_cannot_enter) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs the server as another user";
  TempFolder const folder;
  auto const home = folder.path() / "home";
  fs::create_directory(home);
  chmod(home.c_str(), 0700);
  auto config = small_config(folder);
  config.data = home / "data";
  auto server = EmbeddedPostgres::start(config);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::invalid);
  EXPECT_NE(server.error().what.find("cannot enter " + home.string()), std::string::npos);
}

TEST(Embedded, a_creation_that_was_cut_off_leaves_no_half_database) {
  TempFolder const folder;
  auto const config = small_config(folder);
  write_file(config.data.string() + ".new/PG_VERSION", "15\n");
  auto server = EmbeddedPostgres::start(config);
  ASSERT_TRUE(server) << server.error().what;
  EXPECT_FALSE(fs::exists(config.data.string() + ".new"));
}

TEST(Embedded, tells_postgres_own_words_when_a_start_fails) {
  TempFolder const folder;
  auto config = small_config(folder);
  { ASSERT_TRUE(EmbeddedPostgres::start(config)); }
  fs::remove(config.data / "global/pg_control");
  auto server = EmbeddedPostgres::start(config);
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().what.find("pg_control"), std::string::npos) << server.error().what;
}

TEST(Embedded, default_folders_follow_the_user) {
  auto const config = default_embedded_config();
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_TRUE(config->data.is_absolute());
  if (geteuid() == 0) {
    EXPECT_EQ(config->data, "/var/lib/lepton/postgres");
  }
}

}  // namespace
}  // namespace lepton::postgres
