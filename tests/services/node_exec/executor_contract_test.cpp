// What every Executor promises: held by the one that asks real runners, and by the fake.

#include <gtest/gtest.h>
#include <poll.h>

#include "services/node/exec/runner_executor.hpp"
#include "services/node/runner/process_runner.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {
namespace {

enum class Does { says_hello_and_exits_3, echoes, runs_on };

class Harness {
 public:
  virtual ~Harness() = default;
  virtual Executor& executor() = 0;
  virtual ExecTask task(std::string const& exec, Does what) = 0;
  virtual void pass_a_moment() = 0;
};

class RealHarness final : public Harness {
 public:
  RealHarness() : runner_(open()), executor_(state_dir()) {
    spec_.task = unique("job");
    spec_.attempt = spec_.task + "-1";
    spec_.command = {"sleep", "1000"};
    spec_.stop_grace_ms = 200;
    auto const started = runner_.start(spec_, {});
    EXPECT_TRUE(started) << started.error().what;
  }
  ~RealHarness() override {
    (void)runner_.request_stop(spec_.attempt, "the test is over");
    EXPECT_TRUE(wait_until([&] {
      auto const status = runner_.poll(spec_.attempt);
      return status && terminal(status->state);
    }));
  }
  Executor& executor() override { return executor_; }
  ExecTask task(std::string const& exec, Does what) override {
    auto const* script = what == Does::echoes    ? "cat"
                         : what == Does::runs_on ? "sleep 1000"
                                                 : "echo hello; exit 3";
    return {exec, spec_.attempt, {"sh", "-c", script}};
  }
  void pass_a_moment() override { ::poll(nullptr, 0, 5); }

 private:
  std::string state_dir() const { return folder_.path() + "/state"; }
  ProcessRunner open() const {
    ProcessRunnerOptions options;
    options.state_dir = state_dir();
    options.runner_program = LEPTON_RUNNER;
    return *ProcessRunner::open(options);
  }
  Folder folder_;
  ProcessRunner runner_;
  RunnerExecutor executor_;
  RunSpec spec_;
};

class FakeHarness final : public Harness {
 public:
  Executor& executor() override { return executor_; }
  ExecTask task(std::string const& exec, Does what) override {
    if (what == Does::says_hello_and_exits_3)
      executor_.runs[exec].next = {{{false, {"hello\n"}}}, {true, 3, ""}};
    if (what == Does::echoes) echoing_ = exec;
    return {exec, "job-1-0-1", {"fake"}};
  }
  void pass_a_moment() override {
    if (echoing_.empty()) return;
    auto& run = executor_.runs[echoing_];
    if (!run.input.empty()) run.next.output.push_back({false, {std::exchange(run.input, "")}});
    if (run.input_ended) run.next.end = {true, 0, ""};
  }

 private:
  FakeExecutor executor_;
  std::string echoing_;
};

using MakeHarness = std::unique_ptr<Harness> (*)();

class ExecutorContract : public testing::TestWithParam<MakeHarness> {
 protected:
  ExecutorContract() : harness_(GetParam()()) {}
  Executor& executor() { return harness_->executor(); }
  void begin(Does what) {
    auto const begun = executor().begin(harness_->task("exec-1", what));
    ASSERT_TRUE(begun) << begun.error().what;
  }
  // All that it prints until its end.
  ExecEnd wait_for_end(std::size_t bytes_max = 1'000) {
    ExecEnd end;
    for (int turn = 0; turn < 4'000 && !end.ended; ++turn) {
      harness_->pass_a_moment();
      auto const news = executor().fetch("exec-1", bytes_max);
      std::size_t bytes = 0;
      for (auto const& piece : news.output) bytes += piece.data.data.size();
      for (auto const& piece : news.output) printed_ += piece.data.data;
      EXPECT_LE(bytes, bytes_max);
      end = news.end;
    }
    return end;
  }

  std::unique_ptr<Harness> harness_;
  std::string printed_;
};

TEST_P(ExecutorContract, WhatItPrintsComesBeforeItsEnd) {
  begin(Does::says_hello_and_exits_3);
  EXPECT_EQ(wait_for_end(), (ExecEnd{true, 3, ""}));
  EXPECT_EQ(printed_, "hello\n");
}

TEST_P(ExecutorContract, NeverMoreThanIsAskedFor) {
  begin(Does::says_hello_and_exits_3);
  EXPECT_EQ(wait_for_end(2), (ExecEnd{true, 3, ""}));
  EXPECT_EQ(printed_, "hello\n");
}

TEST_P(ExecutorContract, InputGoesThroughToItsEnd) {
  begin(Does::echoes);
  EXPECT_GT(executor().room("exec-1"), 6u);
  executor().give("exec-1", "abc", false);
  executor().give("exec-1", "def", true);
  EXPECT_EQ(wait_for_end(), (ExecEnd{true, 0, ""}));
  EXPECT_EQ(printed_, "abcdef");
}

TEST_P(ExecutorContract, AStopEndsItAndSaysWhy) {
  begin(Does::runs_on);
  executor().stop("exec-1", "the person ended it");
  EXPECT_EQ(wait_for_end(), (ExecEnd{true, -1, "the person ended it"}));
}

TEST_P(ExecutorContract, WhatIsForgottenIsNotKnown) {
  begin(Does::runs_on);
  executor().forget("exec-1");
  EXPECT_TRUE(executor().fetch("exec-1", 10).end.ended);
  EXPECT_TRUE(executor().fetch("exec-2", 10).end.ended) << "nor what never was";
}

template <class H>
std::unique_ptr<Harness> make() {
  return std::make_unique<H>();
}
INSTANTIATE_TEST_SUITE_P(Real, ExecutorContract, testing::Values(&make<RealHarness>));
INSTANTIATE_TEST_SUITE_P(Fake, ExecutorContract, testing::Values(&make<FakeHarness>));

TEST(RunnerExecutor, ATaskThatIsNotThereIsSaid) {
  Folder const folder;
  RunnerExecutor executor(folder.path());
  ASSERT_TRUE(executor.begin({"exec-1", "job-1-0-1", {"true"}}));
  ExecEnd end;
  EXPECT_TRUE(wait_until([&] { return (end = executor.fetch("exec-1", 10).end).ended; }));
  EXPECT_EQ(end.exit_code, -1);
  EXPECT_NE(end.why.find("not on this node"), std::string::npos) << end.why;
}

TEST(RunnerExecutor, NothingIsLostOfTwoStreamsThatAreTakenSlowly) {
  RealHarness harness;
  auto& executor = harness.executor();
  auto task = harness.task("exec-1", Does::runs_on);
  task.command[2] = "head -c 4194304 /dev/zero & head -c 4194304 /dev/zero >&2; wait";
  ASSERT_TRUE(executor.begin(task));
  std::size_t bytes[2] = {0, 0};
  EXPECT_TRUE(wait_until([&] {
    auto const news = executor.fetch("exec-1", 100'000);
    for (auto const& piece : news.output) bytes[piece.is_error ? 1 : 0] += piece.data.data.size();
    return news.end.ended;
  }));
  EXPECT_EQ(bytes[0], 4'194'304u);
  EXPECT_EQ(bytes[1], 4'194'304u);
}

// Each write a piece of its own: thousands of them must not be kept, nor searched through.
TEST(RunnerExecutor, WhoAlternatesBetweenTheStreamsWaitsSooner) {
  RealHarness harness;
  auto& executor = harness.executor();
  auto task = harness.task("exec-1", Does::runs_on);
  task.command = {"python3", "-c", "import os\nfor i in range(3000): os.write(1 + i % 2, b'x')\n"};
  ASSERT_TRUE(executor.begin(task));
  std::size_t bytes = 0, most = 0;
  EXPECT_TRUE(wait_until([&] {
    auto const news = executor.fetch("exec-1", 1 << 20);
    for (auto const& piece : news.output) bytes += piece.data.data.size();
    most = std::max(most, news.output.size());
    return news.end.ended;
  }));
  EXPECT_EQ(bytes, 3'000u);
  EXPECT_LE(most, RunnerExecutor::pieces_max + 2);
}

TEST(RunnerExecutor, SixteenAreTheLimit) {
  RealHarness harness;
  auto& executor = harness.executor();
  std::size_t begun = 0;
  while (begun < 100 &&
         executor.begin(harness.task("exec-" + std::to_string(begun), Does::runs_on)))
    ++begun;
  EXPECT_EQ(begun, RunnerExecutor::running_max);
}

}  // namespace
}  // namespace lepton::node
