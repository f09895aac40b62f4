// Questions by commands, beside a real task.

#include "services/node/probe/check.hpp"

#include <filesystem>
#include <fstream>

#include "tests/services/node_runner/process_fixture.hpp"

namespace lepton::node {
namespace {

class CommandProbe : public ProcessFixture {
 protected:
  CommandProbe() {
    task_ = shell("echo $$; exec sleep 1000");
    task_.ports = {77};
    task_.memory_mib = 64;
    start(task_);
    printed_process(task_.attempt);
  }
  std::string ask(std::string const& script, TimeMs timeout_ms = 20'000) const {
    return ask_by({"/bin/sh", "-c", script}, timeout_ms);
  }
  std::string ask_by(std::vector<std::string> words, TimeMs timeout_ms = 20'000) const {
    Probe const probe{ProbeKind::command, "", std::move(words), 1'000, timeout_ms};
    auto const status =
        check({task_.attempt, ProbeRole::liveness, probe, 77}, {options().state_dir});
    return status ? "good" : status.error().what;
  }
  static bool runs(std::string const& program, std::string const& word) {
    for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "cmdline", std::ios::binary);
      std::string line;
      if (std::getline(file, line) && line == program + '\0' + word + '\0') return true;
    }
    return false;
  }
  RunSpec task_;
};

TEST_F(CommandProbe, WantsExitCodeZero) {
  EXPECT_EQ(ask("exit 0"), "good");
  EXPECT_EQ(ask("exit 3"), "/bin/sh: exit code 3");
  EXPECT_EQ(ask_by({"/nonexistent/program"}), "/nonexistent/program: exit code 127");
}

TEST_F(CommandProbe, HasWhatTheTaskHasAndNoMore) {
  EXPECT_EQ(ask("test \"$PORT\" = 77"), "good");
  EXPECT_EQ(ask("grep -q 'NoNewPrivs:.1' /proc/self/status"), "good");
  if (is_root()) {
    EXPECT_NE(ask("test $(id -u) = 0"), "good");
  }
  auto const groups = runner_.poll(task_.attempt)->groups;
  for (auto const& group : groups)
    EXPECT_EQ(ask("grep -q " + group.substr(group.rfind('/')) + " /proc/self/cgroup"), "good");
}

TEST_F(CommandProbe, IsEndedWithAllItStartedWhenItsTimeIsOver) {
  auto const seconds = std::to_string(100'000 + ::getpid());
  EXPECT_EQ(ask("sleep " + seconds + " & wait", 300), "/bin/sh: not done after 300 ms");
  EXPECT_TRUE(wait_until([&] { return !runs("sleep", seconds); }));
  EXPECT_EQ(ask("exit 0"), "good") << "others are asked as before";
}

TEST_F(CommandProbe, WhatItPrintsHoldsNobodyUp) {
  EXPECT_EQ(ask("head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2"), "good");
  EXPECT_EQ(ask("test -z \"$(cat)\""), "good") << "its input is at its end";
}

TEST_F(CommandProbe, ATaskThatHasEndedAnswersNoMore) {
  ASSERT_TRUE(runner_.request_stop(task_.attempt, "the test wants it"));
  wait_for_end(task_.attempt);
  EXPECT_NE(ask("exit 0").find("/bin/sh: "), std::string::npos);
  EXPECT_NE(ask("exit 0"), "good");
}

}  // namespace
}  // namespace lepton::node
