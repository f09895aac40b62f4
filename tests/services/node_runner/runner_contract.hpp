#pragma once
// What every Runner promises: held by the one of processes, the one of containers, and the fake. A
// test program names its harnesses by INSTANTIATE_TEST_SUITE_P.

#include <gtest/gtest.h>

#include <memory>

#include "services/node/runner/runner.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {

enum class Task { exits_3, runs_on, ignores_term, uses_memory };

class Harness {
 public:
  virtual ~Harness() = default;
  virtual Runner& runner() = 0;
  virtual void behave(RunSpec& spec, Task task) = 0;
  virtual Runner& killed_in_launch() = 0;  // the program of its next launch is killed
  virtual std::int64_t now_ms() const = 0;
  virtual void pass_a_moment() = 0;
};

// Tasks that are real: a shell does what is wanted.
inline void behave_in_shell(RunSpec& spec, Task task) {
  switch (task) {
    case Task::exits_3:
      spec.command = {"sh", "-c", "echo ready; exit 3"};
      break;
    case Task::runs_on:
      spec.command = {"sh", "-c", "echo ready; exec sleep 1000"};
      break;
    case Task::ignores_term:
      spec.command = {"sh", "-c", "trap '' TERM; echo ready; exec sleep 1000"};
      break;
    case Task::uses_memory:  // 32 MiB and more in a variable of the shell
      spec.command = {"sh", "-c",
                      "x=0123456789abcdef0123456789abcdef; i=0; while [ $i -lt 20 ]; do x=$x$x; "
                      "i=$((i+1)); done; echo ready; while :; do sleep 1; done"};
  }
}

using MakeHarness = std::unique_ptr<Harness> (*)();

class RunnerContract : public testing::TestWithParam<MakeHarness> {
 protected:
  RunnerContract() : harness_(GetParam()()) {}
  ~RunnerContract() override {
    for (auto const& status : runner().scan()) {
      (void)runner().request_stop(status.attempt, "the test is over");
      wait_for(status.attempt, [](RunStatus const& now) { return terminal(now.state); });
    }
  }

  Runner& runner() { return harness_->runner(); }

  RunSpec spec(Task task, std::string const& name = "job", int number = 1) {
    RunSpec spec;
    spec.task = unique(name);
    spec.attempt = spec.task + "-" + std::to_string(number);
    spec.stop_grace_ms = 200;
    harness_->behave(spec, task);
    return spec;
  }

  template <class F>
  RunStatus wait_for(std::string const& attempt, F&& holds) {
    for (auto const end = harness_->now_ms() + 20'000; harness_->now_ms() < end;) {
      auto const status = runner().poll(attempt);
      if (status && holds(*status)) return *status;
      harness_->pass_a_moment();
    }
    ADD_FAILURE() << "attempt " << attempt << " does not get there";
    return {};
  }
  RunStatus wait_for_end(RunSpec const& spec) {
    return wait_for(spec.attempt, [](RunStatus const& now) { return terminal(now.state); });
  }
  void start(RunSpec const& spec) {
    auto const started = runner().start(spec, {});
    ASSERT_TRUE(started) << started.error().what;
  }
  // The task has set up its signals by then.
  void start_and_wait_ready(RunSpec const& spec) {
    start(spec);
    wait_for(spec.attempt, [&](RunStatus const&) {
      auto const log = runner().read_log(spec.attempt, 0, 100);
      return log && log->text == "ready\n";
    });
  }

  std::unique_ptr<Harness> harness_;
};

TEST_P(RunnerContract, ATaskRunsToItsExitCode) {
  auto const one = spec(Task::exits_3);
  start(one);
  auto const end = wait_for_end(one);
  EXPECT_EQ(end.state, RunState::exited);
  EXPECT_EQ(end.reason, EndReason::exited);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.task, one.task);
  EXPECT_GE(end.ended_wall_ms, end.started_wall_ms);
  EXPECT_GT(end.started_wall_ms, 0);
}

TEST_P(RunnerContract, TheSameStartTwiceIsOneStart) {
  auto const one = spec(Task::runs_on);
  start(one);
  EXPECT_TRUE(runner().start(one, {}));
  EXPECT_EQ(runner().scan().size(), 1u);
  EXPECT_EQ(runner().poll(one.attempt)->state, RunState::running);
}

TEST_P(RunnerContract, OneAttemptIdIsOneSpec) {
  auto one = spec(Task::runs_on);
  start(one);
  one.memory_mib = 77;
  auto const again = runner().start(one, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
}

TEST_P(RunnerContract, TwoAttemptsOfATaskNeverRunAtOnce) {
  auto const first = spec(Task::runs_on, "job", 1), second = spec(Task::runs_on, "job", 2);
  start(first);
  auto const refused = runner().start(second, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  auto const status = runner().poll(second.attempt);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, RunState::failed_to_start);
  EXPECT_EQ(status->reason, EndReason::lock_held);
  EXPECT_EQ(runner().poll(first.attempt)->state, RunState::running);
  ASSERT_TRUE(runner().request_stop(first.attempt, "next"));
  wait_for_end(first);
  start(spec(Task::runs_on, "job", 3));
}

TEST_P(RunnerContract, AStopAsksFirst) {
  auto const one = spec(Task::runs_on);
  start_and_wait_ready(one);
  ASSERT_TRUE(runner().request_stop(one.attempt, "cancelled by ada"));
  auto const end = wait_for_end(one);
  EXPECT_EQ(end.state, RunState::exited);
  EXPECT_EQ(end.reason, EndReason::stopped);
  EXPECT_EQ(end.signal, 15);
  EXPECT_EQ(end.what, "cancelled by ada");
  EXPECT_TRUE(runner().request_stop(one.attempt, "again"));
}

TEST_P(RunnerContract, AStopForcesAfterTheGrace) {
  auto const one = spec(Task::ignores_term);
  start_and_wait_ready(one);
  auto const asked_ms = harness_->now_ms();
  ASSERT_TRUE(runner().request_stop(one.attempt, "cancelled"));
  auto const end = wait_for_end(one);
  EXPECT_GE(harness_->now_ms() - asked_ms, one.stop_grace_ms);
  EXPECT_EQ(end.reason, EndReason::stopped);
  EXPECT_EQ(end.signal, 9);
}

TEST_P(RunnerContract, ATimeLimitEndsTheTask) {
  auto one = spec(Task::runs_on);
  one.max_duration_ms = 100;
  start(one);
  EXPECT_EQ(wait_for_end(one).reason, EndReason::time_limit);
}

TEST_P(RunnerContract, ALeaseThatIsNotRenewedEndsTheTask) {
  auto one = spec(Task::runs_on);
  one.lease_ms = 100;
  start(one);
  EXPECT_EQ(wait_for_end(one).reason, EndReason::lease_expired);
  auto const late = runner().renew_lease(one.attempt, harness_->now_ms() + 1'000);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::conflict);
}

TEST_P(RunnerContract, AStartAfterTheEndOfItsLeaseIsRefused) {
  auto one = spec(Task::runs_on, "one");
  one.lease_until_ms = harness_->now_ms();
  EXPECT_EQ(runner().start(one, {}).error().code, Code::timeout);
  auto const status = wait_for_end(one);
  EXPECT_EQ(status.state, RunState::failed_to_start);
  EXPECT_EQ(status.reason, EndReason::lease_expired);
  auto two = spec(Task::runs_on, "two");
  two.autonomous = true;
  two.lease_until_ms = one.lease_until_ms;
  EXPECT_TRUE(runner().start(two, {}));
  ASSERT_TRUE(runner().request_stop(two.attempt, "enough"));
  wait_for_end(two);
}

TEST_P(RunnerContract, ARenewedLeaseKeepsTheTaskUntilTheNewDeadline) {
  auto one = spec(Task::runs_on);
  one.lease_ms = 1'500;
  start(one);
  auto const until_ms = harness_->now_ms() + 2'500;
  ASSERT_TRUE(runner().renew_lease(one.attempt, until_ms));
  EXPECT_EQ(wait_for_end(one).reason, EndReason::lease_expired);
  EXPECT_GE(harness_->now_ms(), until_ms);
}

TEST_P(RunnerContract, AutonomousWorkNeedsNoLease) {
  auto one = spec(Task::runs_on);
  one.autonomous = true;
  one.lease_ms = 1;
  one.max_duration_ms = 1'300;  // past the lease and past the runner's slowest look at its limits
  start(one);
  EXPECT_EQ(wait_for_end(one).reason, EndReason::time_limit);
}

// Names that begin with LEPTON_ are the node's own, but for what the deployer tells jobs of an
// array or an elastic job.
TEST_P(RunnerContract, AJobOfAnArrayIsStartedAndOtherNamesOfTheNodeAreRefused) {
  auto one = spec(Task::exits_3);
  one.env = {{"LEPTON_ARRAY_INDEX", "2"},
             {"LEPTON_ARRAY_SIZE", "3"},
             {"LEPTON_NODES_MIN", "1"},
             {"LEPTON_NODES_MAX", "2"}};
  start(one);
  EXPECT_EQ(wait_for_end(one).exit_code, 3);
  auto other = spec(Task::exits_3, "other");
  other.env = {{"LEPTON_TASK_ID", "mine"}};
  EXPECT_EQ(runner().start(other, {}).error().code, Code::invalid);
}

TEST_P(RunnerContract, OtherLimitsHoldAndAreTold) {
  auto one = spec(Task::runs_on);
  one.cpu_milli = 500;
  one.memory_mib = 64;
  start_and_wait_ready(one);
  EXPECT_EQ(*runner().limits(one.attempt), (RunLimits{500, 64}));
  for (auto const& limits : {RunLimits{1'500, 128}, {1'500, 128}, {250, 32}}) {
    auto const resized = runner().resize(one.attempt, limits);
    ASSERT_TRUE(resized) << resized.error().what;
    EXPECT_EQ(*runner().limits(one.attempt), limits);
  }
  EXPECT_EQ(runner().poll(one.attempt)->state, RunState::running);
}

TEST_P(RunnerContract, WhatIsInUseIsNotTaken) {
  auto one = spec(Task::uses_memory);
  one.memory_mib = 256;
  start_and_wait_ready(one);
  auto const not_enforced = runner().poll(one.attempt)->not_enforced;
  if (std::any_of(not_enforced.begin(), not_enforced.end(),
                  [](auto const& n) { return n.what == "memory"; }))
    GTEST_SKIP() << "memory is not counted on this machine";
  auto const refused = runner().resize(one.attempt, {0, 16});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict) << refused.error().what;
  EXPECT_EQ(*runner().limits(one.attempt), (RunLimits{0, 256}));
  EXPECT_EQ(runner().poll(one.attempt)->state, RunState::running);
}

TEST_P(RunnerContract, WithoutALimitOfMemoryNoneIsTaken) {
  auto one = spec(Task::uses_memory);
  one.cpu_milli = 500;
  start_and_wait_ready(one);
  auto const resized = runner().resize(one.attempt, {1'500, 0});
  ASSERT_TRUE(resized) << resized.error().what;
  EXPECT_EQ(*runner().limits(one.attempt), (RunLimits{1'500, 0}));
}

TEST_P(RunnerContract, OnlyWhatRunsIsResizedAndOnlyWhatHasLimits) {
  auto one = spec(Task::runs_on);
  one.memory_mib = 64;
  start_and_wait_ready(one);
  for (auto const& limits : {RunLimits{0, 0}, {100, 64}, {0, -1}, {-1, 64}})
    EXPECT_EQ(runner().resize(one.attempt, limits).error().code, Code::invalid);
  ASSERT_TRUE(runner().request_stop(one.attempt, "enough"));
  wait_for_end(one);
  EXPECT_EQ(runner().resize(one.attempt, {0, 128}).error().code, Code::conflict);
}

TEST_P(RunnerContract, TheLogIsReadInParts) {
  auto const one = spec(Task::exits_3);
  start(one);
  wait_for_end(one);
  auto const head = runner().read_log(one.attempt, 0, 3);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->text, "rea");
  EXPECT_EQ(head->next_offset, 3);
  EXPECT_FALSE(head->at_end);
  auto const tail = runner().read_log(one.attempt, head->next_offset, 100);
  ASSERT_TRUE(tail);
  EXPECT_EQ(tail->text, "dy\n");
  EXPECT_TRUE(tail->at_end);
  EXPECT_EQ(runner().read_log(one.attempt, -1, 1).error().code, Code::invalid);
}

TEST_P(RunnerContract, OnlyEndedAttemptsAreRemoved) {
  auto const one = spec(Task::runs_on);
  start(one);
  EXPECT_EQ(runner().remove(one.attempt).error().code, Code::conflict);
  ASSERT_TRUE(runner().request_stop(one.attempt, "done"));
  wait_for_end(one);
  EXPECT_TRUE(runner().remove(one.attempt));
  EXPECT_TRUE(runner().scan().empty());
  EXPECT_EQ(runner().poll(one.attempt).error().code, Code::not_found);
}

TEST_P(RunnerContract, AnUnknownAttemptIsNotFound) {
  for (auto const* name : {"none", "../../etc", ".hidden", ""}) {
    EXPECT_EQ(runner().poll(name).error().code, Code::not_found);
    EXPECT_EQ(runner().renew_lease(name, 1).error().code, Code::not_found);
    EXPECT_EQ(runner().request_stop(name, "x").error().code, Code::not_found);
    EXPECT_EQ(runner().resize(name, {1, 1}).error().code, Code::not_found);
    EXPECT_EQ(runner().limits(name).error().code, Code::not_found);
    EXPECT_EQ(runner().read_log(name, 0, 1).error().code, Code::not_found);
    EXPECT_EQ(runner().remove(name).error().code, Code::not_found);
  }
}

TEST_P(RunnerContract, ALaunchThatIsCutOffIsNoFaultOfTheTask) {
  auto const one = spec(Task::runs_on);
  EXPECT_EQ(harness_->killed_in_launch().start(one, {}).error().code, Code::internal);
  EXPECT_EQ(runner().start(one, {}).error().code, Code::internal) << "said again";
  auto const status = runner().poll(one.attempt);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, RunState::failed_to_start);
  EXPECT_EQ(status->reason, EndReason::launch_lost);
  start(spec(Task::runs_on, "job", 2));
}

TEST_P(RunnerContract, ABadSpecIsRefusedAndLeavesNothing) {
  auto one = spec(Task::exits_3);
  one.command.clear();
  EXPECT_EQ(runner().start(one, {}).error().code, Code::invalid);
  EXPECT_TRUE(runner().scan().empty());
}

TEST_P(RunnerContract, ScanListsAllByName) {
  start(spec(Task::runs_on, "b"));
  start(spec(Task::runs_on, "a"));
  auto const all = runner().scan();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].task, unique("a"));
  EXPECT_EQ(all[1].task, unique("b"));
}

}  // namespace lepton::node
