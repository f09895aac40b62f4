// What happens when processes die that should not: the runner, its guard, the node. Each death is
// tried with the machine's control groups and without any.

#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "tests/services/node_runner/process_fixture.hpp"

namespace lepton::node {
namespace {

class RunnerDeath : public ProcessFixture, public testing::WithParamInterface<bool> {
 protected:
  RunnerDeath() : ProcessFixture(GetParam() ? "/proc/self/mountinfo" : "/dev/null") {}
};

INSTANTIATE_TEST_SUITE_P(All, RunnerDeath, testing::Bool(), [](auto const& which) {
  return which.param ? "ControlGroups" : "NoControlGroups";
});

// A process that left the session and the environment behind: only its ancestry gives it away.
constexpr auto hidden_child =
    "setsid env -i sh -c 'echo $$; exec sleep 1000' & wait; exec sleep 1000";

TEST_P(RunnerDeath, WhenTheRunnerIsKilledEverythingEndsAndTheAttemptIsLost) {
  auto const spec = shell(hidden_child);
  start(spec);
  auto const child = printed_process(spec.attempt);
  auto const status = *runner_.poll(spec.attempt);
  auto const task = *read_process(status.pid);
  ASSERT_EQ(::kill(static_cast<pid_t>(status.runner_pid), SIGKILL), 0);
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.state, RunState::lost);
  EXPECT_EQ(end.reason, EndReason::runner_died);
  EXPECT_FALSE(lives(task));
  EXPECT_FALSE(lives(child));
  EXPECT_EQ(run(shell("true", "job", 2)).exit_code, 0);
}

TEST_P(RunnerDeath, WhenRunnerAndGuardAreKilledAPollEndsTheRest) {
  auto const spec = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
  start(spec);
  auto const child = printed_process(spec.attempt);
  auto const status = *runner_.poll(spec.attempt);
  auto const task = *read_process(status.pid);
  auto const guard = read_process(status.runner_pid)->parent;
  ::kill(static_cast<pid_t>(guard), SIGKILL);
  ::kill(static_cast<pid_t>(status.runner_pid), SIGKILL);
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.state, RunState::lost);
  EXPECT_FALSE(lives(task));
  EXPECT_FALSE(lives(child));
}

TEST_P(RunnerDeath, AnotherAttemptStartsOnlyAfterTheRestOfADeadOneIsEnded) {
  auto const spec = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
  start(spec);
  auto const child = printed_process(spec.attempt);
  auto const status = *runner_.poll(spec.attempt);
  ::kill(static_cast<pid_t>(read_process(status.runner_pid)->parent), SIGKILL);
  ::kill(static_cast<pid_t>(status.runner_pid), SIGKILL);
  // Nobody polls the first attempt; the second one's own runner must see to it.
  start(shell("exec sleep 1000", "job", 2));
  EXPECT_FALSE(lives(child));
  EXPECT_EQ(runner_.poll(spec.attempt)->state, RunState::lost);
}

TEST_P(RunnerDeath, TheRunnerGoesOnWithoutItsGuard) {
  auto const spec = shell("echo $$; exec sleep 1000");
  start(spec);
  printed_process(spec.attempt);
  auto const guard = *read_process(read_process(runner_.poll(spec.attempt)->runner_pid)->parent);
  ::kill(static_cast<pid_t>(guard.pid), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !lives(guard); }));
  EXPECT_EQ(runner_.poll(spec.attempt)->state, RunState::running);
  ASSERT_TRUE(runner_.request_stop(spec.attempt, "cancelled"));
  EXPECT_EQ(wait_for_end(spec.attempt).reason, EndReason::stopped);
}

using NodeDeath = ProcessFixture;

TEST_F(NodeDeath, ATaskSurvivesTheKillOfItsNode) {
  auto const spec = shell("echo $$; exec sleep 1000");
  auto const node = ::fork();
  if (node == 0) {
    auto runner = open();
    ::kill(::getpid(), runner.start(spec, {}) ? SIGKILL : SIGABRT);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(node, &status, 0), node);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_TRUE(lives(printed_process(spec.attempt)));
  EXPECT_EQ(runner_.poll(spec.attempt)->state, RunState::running);
}

TEST_F(NodeDeath, ANewNodeFindsRunningAndEndedAttempts) {
  auto const running = shell("exec sleep 1000", "b"), ended = shell("exit 4", "a");
  start(running);
  run(ended);
  auto next_life = open();
  auto const all = next_life.scan();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].exit_code, 4);
  EXPECT_EQ(all[1].state, RunState::running);
  EXPECT_EQ(all[1].pid, runner_.poll(running.attempt)->pid);
  EXPECT_TRUE(next_life.renew_lease(running.attempt, SystemClock().now_ms() + 60'000));
  ASSERT_TRUE(next_life.request_stop(running.attempt, "cancelled"));
  EXPECT_EQ(wait_for_end(running.attempt).reason, EndReason::stopped);
}

TEST_F(NodeDeath, TheRunnerIsNoChildOfTheNode) {
  auto const spec = shell("exec sleep 1000");
  start(spec);
  auto const runner = *read_process(runner_.poll(spec.attempt)->runner_pid);
  auto const guard = *read_process(runner.parent);
  EXPECT_NE(guard.parent, ::getpid());
  EXPECT_NE(guard.session, read_process(::getpid())->session);
}

TEST_F(NodeDeath, ANodeThatDiedBeforeTheLaunchLeavesAFailedStart) {
  auto const spec = shell("true");
  AttemptFiles const files(options().state_dir, spec.attempt);
  ASSERT_TRUE(make_folder(files.folder, 0711));
  ASSERT_TRUE(replace_file(files.spec, encode(spec)));
  auto const all = open().scan();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, RunState::failed_to_start);
  EXPECT_FALSE(runner_.start(spec, {}));  // and nothing starts it later
}

TEST_F(NodeDeath, HalfMadeAttemptsAreCleanedUp) {
  auto const half = options().state_dir + "/attempts/.new-x";
  ASSERT_TRUE(make_folder(half, 0711));
  auto const next_life = open();
  EXPECT_FALSE(std::filesystem::exists(half));
}

}  // namespace
}  // namespace lepton::node
