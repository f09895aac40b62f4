// The runner's small files, the task lock, the launch socket and the choice of the user.

#include "services/node/runner/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/launch_channel.hpp"
#include "services/node/runner/task_lock.hpp"
#include "services/node/runner/users.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {
namespace {

TEST(Files, TheFirstWriterWins) {
  Folder const folder;
  auto const path = folder.path() + "/status";
  EXPECT_TRUE(create_file_once(path, "first"));
  EXPECT_EQ(create_file_once(path, "second").error().code, Code::conflict);
  EXPECT_EQ(*read_file(path, 100), "first");
  EXPECT_TRUE(replace_file(path, "third"));
  EXPECT_EQ(*read_file(path, 100), "third");
  EXPECT_EQ(read_file(path, 4).error().code, Code::exhausted);
  std::size_t left = 0;
  for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator(folder.path()))
    ++left;
  EXPECT_EQ(left, 1u);
}

TEST(Files, AFullDiskIsNamed) {
  Fd const full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) GTEST_SKIP() << "no /dev/full on this machine";
  auto const written = write_all(full.get(), "x", "/dev/full");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::exhausted);
  EXPECT_NE(written.error().what.find("free some disk space"), std::string::npos);
}

RunStatus long_status() {
  RunStatus status;
  status.attempt = status.task = std::string(128, 'a');
  status.state = RunState::exited;
  status.what = std::string(10'000, '\n');
  for (int i = 0; i < 3; ++i) status.not_enforced.push_back({"cpu", std::string(5'000, 'y')});
  for (int i = 0; i < 4; ++i) status.groups.push_back("/sys/fs/cgroup/" + std::string(1'000, 'g'));
  return status;
}

TEST(Status, ComesBackFromItsFile) {
  RunStatus status;
  status.attempt = "a-1";
  status.task = "a";
  status.state = RunState::exited;
  status.reason = EndReason::oom;
  status.what = "out of\nmemory";
  status.exit_code = 137;
  status.signal = 9;
  status.pid = 1, status.pid_start_ticks = 2, status.runner_pid = 3, status.runner_start_ticks = 4;
  status.boot_id = "b";
  status.started_wall_ms = 5, status.ended_wall_ms = 6;
  status.log_bytes = 7, status.log_dropped_bytes = 8, status.oom_kills = 9;
  status.enforced = {"cpu"};
  status.not_enforced = {{"pids", "no = controller"}};
  status.groups = {"/g"};
  auto const back = decode_run_status(encode(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, status);
}

TEST(Status, AlwaysFitsItsReserve) {
  auto const text = encode(long_status());
  EXPECT_LE(text.size(), status_size_max);
  EXPECT_EQ(decode_run_status(text)->state, RunState::exited);
}

TEST(Status, DamageIsRefused) {
  for (auto const* text : {"", "attempt=a\ntask=b\n", "attempt=a\ntask=b\nstate=dancing\n", "x"})
    EXPECT_FALSE(decode_run_status(text)) << text;
}

TEST(Status, TheLastOneTakesTheReserveAndThenNewSpace) {
  Folder const folder;
  std::filesystem::create_directories(folder.path() + "/attempts/a");
  AttemptFiles const files(folder.path(), "a");
  RunStatus status;
  status.attempt = status.task = "a";
  status.state = RunState::exited;
  ASSERT_TRUE(reserve_file(files.status_reserve, status_size_max));
  auto const reserved = std::filesystem::file_size(files.status_reserve);
  ASSERT_TRUE(write_last_status(files, status));
  EXPECT_EQ(std::filesystem::file_size(files.status), reserved);  // the very same blocks
  EXPECT_FALSE(std::filesystem::exists(files.status_reserve));
  status.exit_code = 5;
  ASSERT_TRUE(write_last_status(files, status));
  EXPECT_EQ(read_status(files)->exit_code, 5);
}

TEST(TaskLock, IsHeldOnceAndNamesItsHolder) {
  Folder const folder;
  auto const path = folder.path() + "/lock";
  {
    auto first = *TaskLock::try_take(path);
    ASSERT_TRUE(first);
    ASSERT_TRUE(first->set_holder("a-1"));
    ASSERT_TRUE(first->set_holder("a-2"));
    EXPECT_FALSE(TaskLock::try_take(path)->has_value());
    EXPECT_EQ(TaskLock::holder(path), "a-2");
  }
  auto second = *TaskLock::try_take(path);
  ASSERT_TRUE(second);
  EXPECT_EQ(TaskLock::holder(path), "a-2");  // it never said that it ended in order
  ASSERT_TRUE(second->set_holder(""));
  EXPECT_EQ(TaskLock::holder(path), "");
}

TEST(TaskLock, AnUnlinkedFileProtectsNothingAndIsNotTaken) {
  Folder const folder;
  auto const path = folder.path() + "/lock";
  auto first = *TaskLock::try_take(path);
  ASSERT_TRUE(first->unlink());
  auto const second = *TaskLock::try_take(path);
  ASSERT_TRUE(second);  // a new file, a new lock
  EXPECT_FALSE(TaskLock::try_take(path)->has_value());
}

class LaunchChannel : public testing::Test {
 protected:
  LaunchChannel() {
    int ends[2];
    LEPTON_CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "no socket");
    node_ = Fd(ends[0]), runner_ = Fd(ends[1]);
  }
  Fd node_, runner_;
};

TEST_F(LaunchChannel, CarriesSecretsAndTheReport) {
  ASSERT_TRUE(send_secrets(node_.get(), {{"A", Secret<>("x\ny")}, {"B", Secret<>("")}}));
  auto const secrets = receive_secrets(runner_.get(), 1'000);
  ASSERT_TRUE(secrets);
  ASSERT_EQ(secrets->size(), 2u);
  EXPECT_EQ(secrets->at("A").reveal(), "x\ny");
  ASSERT_TRUE(send_report(runner_.get(), Error{Code::conflict, "task runs"}));
  runner_.reset();
  auto const report = receive_report(node_.get(), 1'000);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error(), (Error{Code::conflict, "task runs"}));
}

TEST_F(LaunchChannel, AReportArrivesThoughTheSecretsWereNeverRead) {
  ASSERT_TRUE(send_secrets(node_.get(), {{"A", Secret<>("x")}}));
  ASSERT_TRUE(send_report(runner_.get(), Error{Code::conflict, "task runs"}));
  runner_.reset();
  EXPECT_EQ(receive_report(node_.get(), 1'000).error().code, Code::conflict);
}

TEST_F(LaunchChannel, HalfOfTheSecretsAreNoSecrets) {
  ASSERT_TRUE(write_all(node_.get(), "name=A\nvalue=x\n", "socket"));
  node_.reset();
  EXPECT_EQ(receive_secrets(runner_.get(), 1'000).error().code, Code::internal);
}

TEST_F(LaunchChannel, SilenceTimesOut) {
  EXPECT_EQ(receive_secrets(runner_.get(), 10).error().code, Code::internal);
}

TEST(ChooseUser, RootNodesNeverRunTasksAsRootByDefault) {
  EXPECT_EQ(*choose_user("nobody", {}, 0), "nobody");
  EXPECT_EQ(*choose_user("", {"nobody", false}, 0), "nobody");
  EXPECT_NE(*choose_user("", {}, 0), "root");
  EXPECT_EQ(choose_user("root", {}, 0).error().code, Code::denied);
  EXPECT_EQ(choose_user("", {"root", false}, 0).error().code, Code::denied);
  EXPECT_EQ(*choose_user("root", {"", true}, 0), "root");
  EXPECT_EQ(choose_user("no-such-user", {}, 0).error().code, Code::invalid);
}

TEST(ChooseUser, OtherNodesRunTasksAsThemselves) {
  auto const nobody = find_user("nobody");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(*choose_user("", {"lepton-task", false}, nobody->uid), "nobody");
  EXPECT_EQ(*choose_user("nobody", {}, nobody->uid), "nobody");
  EXPECT_EQ(choose_user("root", {"", true}, nobody->uid).error().code, Code::denied);
  EXPECT_EQ(*choose_user("", {}, 3'999'999'999), "");
}

}  // namespace
}  // namespace lepton::node
