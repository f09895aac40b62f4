#pragma once
// A ProcessRunner on a state folder of its own; at the end everything that was started is ended.

#include <gtest/gtest.h>
#include <signal.h>

#include "common/base/text.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/process_runner.hpp"
#include "services/node/runner/process_table.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {

inline bool is_root() {
  return ::geteuid() == 0;
}

#define NEEDS_ROOT() \
  if (!is_root()) GTEST_SKIP() << "needs root: only root can start a task as another user"

class ProcessFixture : public testing::Test {
 protected:
  explicit ProcessFixture(std::string mountinfo = "/proc/self/mountinfo")
      : mountinfo_(std::move(mountinfo)), runner_(open()) {}
  ~ProcessFixture() override {
    for (auto const& status : runner_.scan()) {
      (void)runner_.request_stop(status.attempt, "the test is over");
      wait_for_end(status.attempt);
    }
  }

  ProcessRunnerOptions options() const {
    ProcessRunnerOptions options;
    options.state_dir = folder_.path() + "/state";
    options.runner_program = LEPTON_RUNNER;
    options.mountinfo = mountinfo_;
    return options;
  }
  ProcessRunner open() const { return *ProcessRunner::open(options()); }

  RunSpec shell(std::string const& script, std::string const& name = "job", int number = 1) const {
    RunSpec spec;
    spec.task = unique(name);
    spec.attempt = spec.task + "-" + std::to_string(number);
    spec.command = {"sh", "-c", script};
    spec.stop_grace_ms = 200;
    return spec;
  }
  void start(RunSpec const& spec, Secrets const& secrets = {}) {
    auto const started = runner_.start(spec, secrets);
    ASSERT_TRUE(started) << started.error().what;
  }
  RunStatus wait_for_end(std::string const& attempt) {
    RunStatus last;
    EXPECT_TRUE(wait_until([&] {
      auto const status = runner_.poll(attempt);
      if (status) last = *status;
      return status && terminal(status->state);
    })) << attempt
        << " is " << static_cast<int>(last.state) << " " << last.what;
    return last;
  }
  RunStatus run(RunSpec const& spec, Secrets const& secrets = {}) {
    start(spec, secrets);
    return wait_for_end(spec.attempt);
  }
  std::string log(std::string const& attempt) {
    auto const part = runner_.read_log(attempt, 0, 1 << 20);
    return part ? part->text : part.error().what;
  }
  // The pid that the task has printed as its first line.
  ProcessEntry printed_process(std::string const& attempt) {
    std::optional<ProcessEntry> process;
    EXPECT_TRUE(wait_until([&] {
      auto const text = log(attempt);
      auto const end = text.find('\n');
      if (end == text.npos) return false;
      process = read_process(text::parse_int(text.substr(0, end)).value_or(-1));
      return process.has_value();
    })) << log(attempt);
    return process.value_or(ProcessEntry{});
  }
  static bool lives(ProcessEntry const& process) {
    auto const now = read_process(process.pid);
    return now && now->start_ticks == process.start_ticks && !now->dead();
  }

  Folder folder_;
  std::string mountinfo_;
  ProcessRunner runner_;
};

}  // namespace lepton::node
