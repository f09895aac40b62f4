// The lock, the archive, the logs and the children of a supervisor, each by itself.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "cli/up/archive.hpp"
#include "cli/up/keeper.hpp"
#include "cli/up/lock.hpp"
#include "tests/cli_up/place.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

void write(fs::path const& path, std::string const& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

std::string read(fs::path const& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(fs::path const& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

TEST(UpLock, TellsWhoHoldsItAndEndsWithItsProcess) {
  Place const place;
  auto const layout = place.layout();
  ASSERT_TRUE(make_folders(layout));
  EXPECT_EQ(supervisor_of(layout).value(), std::nullopt);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  auto const pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    auto const lock = StateLock::take(layout);
    char const ok = lock ? 'y' : 'n';
    if (::write(ready[1], &ok, 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char taken = 0;
  ASSERT_EQ(::read(ready[0], &taken, 1), 1);
  EXPECT_EQ(taken, 'y');
  EXPECT_EQ(supervisor_of(layout).value(), pid);
  auto const second = StateLock::take(layout);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().what.find("pid " + std::to_string(pid)), std::string::npos);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  EXPECT_EQ(supervisor_of(layout).value(), std::nullopt);
  EXPECT_TRUE(StateLock::take(layout));
  close(ready[0]);
  close(ready[1]);
}

TEST(Archive, ComesBackAsItWasAndReplacesNothing) {
  Place const place;
  write(place.root() / "in/keys/a.keys", "secret");
  write(place.root() / "in/manifest.yaml", "format: 1\n");
  auto const file = place.root() / "one.backup";
  ASSERT_TRUE(pack(place.root() / "in", file));
  EXPECT_EQ(mode_of(file), 0600u);
  auto const again = pack(place.root() / "in", file);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  fs::create_directory(place.root() / "out");
  auto const unpacked = unpack(file, place.root() / "out");
  ASSERT_TRUE(unpacked) << unpacked.error().what;
  EXPECT_EQ(read(place.root() / "out/keys/a.keys"), "secret");
}

TEST(Archive, RefusesLinksAndWhatIsNone) {
  Place const place;
  write(place.root() / "in/a", "x");
  fs::create_symlink("/etc/passwd", place.root() / "in/b");
  auto const file = place.root() / "one.backup";
  ASSERT_TRUE(pack(place.root() / "in", file));
  fs::create_directory(place.root() / "out");
  EXPECT_EQ(unpack(file, place.root() / "out").error().code, Code::invalid);
  write(place.root() / "noise", std::string(5000, 'x'));
  fs::create_directory(place.root() / "out2");
  EXPECT_EQ(unpack(place.root() / "noise", place.root() / "out2").error().code, Code::invalid);
  EXPECT_EQ(unpack(place.root() / "absent", place.root() / "out2").error().code, Code::not_found);
}

TEST(Log, KeepsOneOlderFile) {
  Place const place;
  auto const log = place.root() / "a.log";
  write(log, std::string(100, 'x'));
  rotate_log(log, 1000);
  EXPECT_EQ(fs::file_size(log), 100u);
  rotate_log(log, 100);
  EXPECT_EQ(fs::file_size(log), 0u);
  EXPECT_EQ(read(log.string() + ".1").size(), 100u);
}

TEST(Log, EndsWithItsLastLines) {
  Place const place;
  auto const log = place.root() / "a.log";
  write(log, "1\n2\n3\n4\n5\n6\n7\n");
  EXPECT_EQ(log_end(log), "3 | 4 | 5 | 6 | 7");
  EXPECT_EQ(log_end(place.root() / "absent"), "(nothing)");
}

// Its times are given, so that minutes pass at once.
TEST(Keeper, GivesUpAfterTooManyEndsAndNamesTheLog) {
  Place const place;
  auto const log = place.root() / "false.log";
  Keeper keeper({"false", "/bin/sh", {"-c", "echo last words; exit 3"}, log});
  TimeMs now = 1'000;
  ASSERT_TRUE(keeper.start(now));
  int starts = 1;
  SystemClock const clock;
  auto const deadline = clock.now_ms() + 30'000;
  while (clock.now_ms() < deadline) {
    auto const change = keeper.step(now);
    if (!change) {
      EXPECT_EQ(starts, 6);
      EXPECT_NE(change.error().what.find(log.string()), std::string::npos);
      EXPECT_NE(change.error().what.find("last words"), std::string::npos);
      EXPECT_NE(change.error().what.find("status 3"), std::string::npos);
      return;
    }
    if (*change == Keeper::Change::started) ++starts;
    if (*change == Keeper::Change::ended) now += pause_max_ms;
  }
  FAIL() << "it never gave up";
}

TEST(Keeper, EndsAreForgottenAfterTheirPeriod) {
  Place const place;
  Keeper keeper({"false", "/bin/false", {}, place.root() / "false.log"});
  TimeMs now = 1'000;
  ASSERT_TRUE(keeper.start(now));
  int ends = 0;
  SystemClock const clock;
  auto const deadline = clock.now_ms() + 30'000;
  while (ends < 12 && clock.now_ms() < deadline) {
    auto const change = keeper.step(now);
    ASSERT_TRUE(change) << change.error().what;
    if (*change != Keeper::Change::ended) continue;
    ++ends;
    now += restarts_period_ms;
  }
  EXPECT_EQ(ends, 12);
}

// What the next test starts: this program again, as a left-over service.
TEST(Left, DISABLED_Waits) {
  pause();
}

TEST(Program, IsFoundByItsSettingsFileAndEnded) {
  Place const place;
  auto const config = place.root() / "x.yaml";
  fs::create_symlink(fs::read_symlink("/proc/self/exe"), place.root() / "lepton-left");
  postgres::Command command;
  command.program = place.root() / "lepton-left";
  command.arguments = {"--config", config.string()};
  command.environment = {"GTEST_FILTER=Left.DISABLED_Waits", "GTEST_ALSO_RUN_DISABLED_TESTS=1"};
  auto left = postgres::spawn(command);
  ASSERT_TRUE(left) << left.error().what;
  EXPECT_EQ(running("lepton-left", config), std::vector<pid_t>{left->pid()});
  EXPECT_TRUE(running("lepton-left", place.root() / "y.yaml").empty());
  EXPECT_TRUE(running("lepton-other", config).empty());
  EXPECT_TRUE(end_leftovers({left->pid()}, 10'000));
  EXPECT_EQ(left->wait(0), 128 + SIGTERM);
  EXPECT_TRUE(running("lepton-left", config).empty());
}

TEST(Program, ThatIgnoresAStopIsEndedAndSaysSo) {
  Place const place;
  auto const log = place.root() / "deaf.log";
  auto program =
      Program::start({"deaf",
                      "/bin/bash",
                      {"-c", "trap '' TERM; echo deaf; while :; do wait; read -t 1 < <(:); done"},
                      log});
  ASSERT_TRUE(program) << program.error().what;
  SystemClock const clock;
  auto const deadline = clock.now_ms() + 10'000;
  while (log_end(log) != "deaf" && clock.now_ms() < deadline) (void)program->exited_within(5);
  auto const stopped = program->stop(100);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::timeout);
}

}  // namespace
}  // namespace lepton::cli
