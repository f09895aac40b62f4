// What a task in a container sees, what the engine knows of it, and what happens when the watcher,
// the runner or the engine dies.

#include <sys/stat.h>

#include <fstream>

#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/docker/container_body.hpp"
#include "services/node/runner/users.hpp"
#include "tests/services/node_docker/engine.hpp"
#include "tests/services/node_runner/process_fixture.hpp"

namespace lepton::node {
namespace {

class InDocker : public ProcessFixture {
 protected:
  InDocker() { runner_ = open_docker(); }
  ProcessRunner open_docker() const {
    auto with = options();
    with.engine_socket = Engine::get().socket();
    return *ProcessRunner::open(with);
  }
  RunSpec contained(std::string const& script, std::string const& name = "box") const {
    auto spec = shell(script, name);
    spec.image = Engine::image;
    return spec;
  }
  bool has_container(std::string const& attempt) const {
    auto const found = Engine::get().api().get("/containers/" + container_name(attempt) + "/json");
    return found.has_value();
  }
  void wait_for_log(std::string const& attempt, std::string const& wanted) {
    EXPECT_TRUE(wait_until([&] { return log(attempt).find(wanted) != std::string::npos; }))
        << log(attempt);
  }
};

TEST_F(InDocker, ATaskSeesItsVariablesSecretsAndOutputs) {
  NEEDS_ENGINE();
  auto spec = contained(
      "echo $GREETING $TOKEN $PORT $LEPTON_ATTEMPT_ID; cat /run/secrets/TOKEN; echo; "
      "echo result > $LEPTON_OUTPUT_DIR/file; id -u; echo to stderr >&2");
  spec.env = {{"GREETING", "hello"}};
  spec.ports = {20'001};
  auto const end = run(spec, {{"TOKEN", Secret<>("s3cr3t-value")}});
  EXPECT_EQ(end.exit_code, 0) << end.what << log(spec.attempt);
  auto const user = find_user("nobody");
  ASSERT_TRUE(user);
  EXPECT_EQ(log(spec.attempt), "hello s3cr3t-value 20001 " + spec.attempt + "\ns3cr3t-value\n" +
                                   std::to_string(user->uid) + "\nto stderr\n");
  auto const result = read_file(runner_.output_dir(spec.attempt) + "/file", 100);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, "result\n");
  EXPECT_FALSE(has_container(spec.attempt));
}

TEST_F(InDocker, TheEngineNeverLearnsASecret) {
  NEEDS_ENGINE();
  auto const spec = contained("echo up; exec sleep 1000");
  start(spec, {{"TOKEN", Secret<>("s3cr3t-value")}});
  wait_for_log(spec.attempt, "up");
  auto const known =
      Engine::get().api().get("/containers/" + container_name(spec.attempt) + "/json");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->find("s3cr3t-value"), std::string::npos);
  EXPECT_NE(known->find("no-new-privileges"), std::string::npos);
}

TEST_F(InDocker, LimitsHold) {
  NEEDS_ENGINE();
  auto spec = contained("tail /dev/zero");
  spec.memory_mib = 32;
  auto const end = run(spec);
  EXPECT_EQ(end.reason, EndReason::oom) << end.what << " exit " << end.exit_code;
  EXPECT_NE(end.what.find("32 MiB"), std::string::npos) << end.what;
}

TEST_F(InDocker, AnImageThatIsNotThereSaysSo) {
  NEEDS_ENGINE();
  auto spec = contained("true");
  spec.image = "127.0.0.1:9/none:1";
  auto const end = run(spec);
  EXPECT_EQ(end.reason, EndReason::start_failed);
  EXPECT_NE(end.what.find("127.0.0.1:9/none:1 could not be pulled"), std::string::npos) << end.what;
}

TEST_F(InDocker, AProgramThatIsNotInTheImageSaysSo) {
  NEEDS_ENGINE();
  auto spec = contained("");
  spec.command = {"no-such-program"};
  auto const end = run(spec);
  EXPECT_EQ(end.exit_code, 127);
  EXPECT_NE(log(spec.attempt).find("cannot run the program no-such-program"), std::string::npos)
      << log(spec.attempt);
}

TEST_F(InDocker, WithoutAnEngineAStartIsRefused) {
  auto without = open();
  auto const refused = without.start(contained("true"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_TRUE(without.scan().empty());
}

TEST_F(InDocker, ANewLifeOfTheNodeFindsTheContainer) {
  NEEDS_ENGINE();
  auto const spec = contained("echo up; exec sleep 1000");
  start(spec);
  wait_for_log(spec.attempt, "up");
  runner_ = open_docker();
  EXPECT_EQ(runner_.poll(spec.attempt)->state, RunState::running);
  ASSERT_TRUE(runner_.request_stop(spec.attempt, "enough"));
  EXPECT_EQ(wait_for_end(spec.attempt).reason, EndReason::stopped);
}

// The container lives in the engine, not below the runner: the guard ends it.
TEST_F(InDocker, AKilledRunnerLeavesNoContainer) {
  NEEDS_ENGINE();
  auto const spec = contained("echo up; exec sleep 1000");
  start(spec);
  wait_for_log(spec.attempt, "up");
  signal_exactly(*read_process(runner_.poll(spec.attempt)->runner_pid), SIGKILL);
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.state, RunState::lost);
  EXPECT_FALSE(has_container(spec.attempt));
}

// All that watches the container is killed at once: by -9, or for want of memory.
class Unwatched : public InDocker {
 protected:
  // Ends with 7 as soon as it is let go.
  RunSpec waiting() const { return contained("echo up; " + until("go") + "; echo on; exit 7"); }
  static std::string until(std::string const& file) {
    return "while [ ! -e $LEPTON_OUTPUT_DIR/" + file + " ]; do sleep 0.1; done";
  }
  void let_go(RunSpec const& spec, std::string const& file = "go") const {
    std::ofstream(AttemptFiles(options().state_dir, spec.attempt).out + "/" + file);
  }
  bool has_ended(RunSpec const& spec) const {
    auto const body =
        Engine::get().api().get("/containers/" + container_name(spec.attempt) + "/json");
    return body && !container_state(*body)->running;
  }
  void start_and_kill_watchers(RunSpec const& spec) {
    start(spec);
    wait_for_log(spec.attempt, "up");
    kill_watchers(spec);
  }
  void kill_watchers(RunSpec const& spec) {
    first_ = *runner_.poll(spec.attempt);
    auto const guard = *read_process(read_process(first_.runner_pid)->parent);
    auto const runner = *read_process(first_.runner_pid), watcher = *read_process(first_.pid);
    for (auto const& process : {guard, runner, watcher}) signal_exactly(process, SIGKILL);
    for (auto const& process : {guard, runner, watcher})
      ASSERT_TRUE(wait_until([&] { return !lives(process); }));
  }
  bool is_adopted(RunSpec const& spec) {
    return wait_until([&] {
      auto const now = runner_.poll(spec.attempt);
      return now && now->state == RunState::running && now->runner_pid != first_.runner_pid;
    });
  }
  RunStatus first_;
};

TEST_F(Unwatched, AContainerIsWatchedOnToItsEnd) {
  NEEDS_ENGINE();
  auto const spec =
      contained("echo up; " + until("go") + "; echo on; " + until("end") + "; exit 7");
  start_and_kill_watchers(spec);
  ASSERT_TRUE(is_adopted(spec));
  EXPECT_EQ(runner_.poll(spec.attempt)->started_wall_ms, first_.started_wall_ms);
  let_go(spec);
  wait_for_log(spec.attempt, "on\n");
  let_go(spec, "end");
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.state, RunState::exited);
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_EQ(
      log(spec.attempt),
      "up\n[lepton: what watched the container was killed; some output may be missing]\non\n");
  EXPECT_FALSE(has_container(spec.attempt));
}

TEST_F(Unwatched, AnAdoptedContainerIsStopped) {
  NEEDS_ENGINE();
  auto const spec = waiting();
  start_and_kill_watchers(spec);
  ASSERT_TRUE(is_adopted(spec));
  ASSERT_TRUE(runner_.request_stop(spec.attempt, "enough"));
  EXPECT_EQ(wait_for_end(spec.attempt).reason, EndReason::stopped);
  EXPECT_FALSE(has_container(spec.attempt));
}

TEST_F(Unwatched, AnAdoptedContainerKeepsItsLease) {
  NEEDS_ENGINE();
  auto spec = waiting();
  spec.lease_until_ms = SystemClock().now_ms() + 5'000;
  start_and_kill_watchers(spec);
  ASSERT_TRUE(is_adopted(spec));
  auto const until_ms = SystemClock().now_ms() + 6'000;
  ASSERT_TRUE(runner_.renew_lease(spec.attempt, until_ms));
  EXPECT_EQ(wait_for_end(spec.attempt).reason, EndReason::lease_expired);
  EXPECT_GE(SystemClock().now_ms(), until_ms);
}

// The grace counts from the end of the lease, not from the adoption: the work may be elsewhere.
TEST_F(Unwatched, OneWhoseLeaseHasPassedGetsNoFreshGrace) {
  NEEDS_ENGINE();
  auto spec = contained("trap 'sleep 3; exit 3' TERM; echo up; while :; do sleep 0.1; done");
  spec.lease_until_ms = SystemClock().now_ms() + 2'000;
  spec.stop_grace_ms = 5'000;
  start_and_kill_watchers(spec);
  auto const over_ms = spec.lease_until_ms + spec.stop_grace_ms;
  ASSERT_TRUE(wait_until([&] { return SystemClock().now_ms() > over_ms; }));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.reason, EndReason::lease_expired);
  EXPECT_NE(end.exit_code, 3) << "it had its grace";
  EXPECT_FALSE(has_container(spec.attempt));
}

TEST_F(Unwatched, AnAdoptedContainerKeepsItsLimitOfTime) {
  NEEDS_ENGINE();
  auto spec = waiting();
  spec.max_duration_ms = 4'000;
  start_and_kill_watchers(spec);
  ASSERT_TRUE(is_adopted(spec));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.reason, EndReason::time_limit);
  auto const ran_ms = end.ended_wall_ms - first_.started_wall_ms;
  EXPECT_GE(ran_ms, 3'900);
}

TEST_F(Unwatched, AnAdoptedContainerKeepsTheLimitOfItsLog) {
  NEEDS_ENGINE();
  auto spec = waiting();
  spec.log_bytes_max = 2;
  start(spec);
  wait_for_log(spec.attempt, "the log is full");
  auto const before = log(spec.attempt);
  kill_watchers(spec);
  ASSERT_TRUE(is_adopted(spec));
  let_go(spec);
  EXPECT_EQ(wait_for_end(spec.attempt).exit_code, 7);
  EXPECT_EQ(log(spec.attempt), before) << "said once";
}

// Its limit passed while nobody looked, and it was over before.
TEST_F(Unwatched, AnEndInTimeIsNoEndByTheLimit) {
  NEEDS_ENGINE();
  auto spec = waiting();
  spec.max_duration_ms = 3'000;
  start_and_kill_watchers(spec);
  let_go(spec);
  ASSERT_TRUE(wait_until([&] { return has_ended(spec); }));
  auto const limit_ms = SystemClock().now_ms() + 3'000;
  ASSERT_TRUE(wait_until([&] { return SystemClock().now_ms() > limit_ms; }));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.reason, EndReason::exited) << end.what;
  EXPECT_EQ(end.exit_code, 7);
}

// With its watcher went what it waits for: it would wait for ever.
TEST_F(Unwatched, OneThatNeverReadItsEnvironmentIsLost) {
  NEEDS_ENGINE();
  auto const spec = waiting();
  start_and_kill_watchers(spec);
  std::ofstream(AttemptFiles(options().state_dir, spec.attempt).folder + "/box/env");
  EXPECT_EQ(wait_for_end(spec.attempt).state, RunState::lost);
  EXPECT_FALSE(has_container(spec.attempt));
}

TEST_F(Unwatched, AnEndThatNobodySawIsToldAsItWas) {
  NEEDS_ENGINE();
  auto const spec = waiting();
  start_and_kill_watchers(spec);
  let_go(spec);
  ASSERT_TRUE(wait_until([&] { return has_ended(spec); }));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.state, RunState::exited);
  EXPECT_EQ(end.exit_code, 7);
}

TEST_F(Unwatched, OneThatIsGoneIsLost) {
  NEEDS_ENGINE();
  auto const spec = waiting();
  start_and_kill_watchers(spec);
  ASSERT_TRUE(
      Engine::get().api().remove("/containers/" + container_name(spec.attempt) + "?force=true"));
  EXPECT_EQ(wait_for_end(spec.attempt).state, RunState::lost);
}

TEST_F(Unwatched, AnotherAttemptEndsTheContainerFirst) {
  NEEDS_ENGINE();
  auto const spec = waiting();
  start_and_kill_watchers(spec);
  auto next = spec;
  next.attempt = spec.task + "-2";
  next.command = {"true"};
  EXPECT_EQ(run(next).exit_code, 0);
  EXPECT_EQ(runner_.poll(spec.attempt)->state, RunState::lost);
  EXPECT_FALSE(has_container(spec.attempt));
}

TEST_F(InDocker, AKilledWatcherEndsTheContainer) {
  NEEDS_ENGINE();
  auto const spec = contained("echo up; exec sleep 1000");
  start(spec);
  wait_for_log(spec.attempt, "up");
  auto const watcher = read_process(runner_.poll(spec.attempt)->pid);
  ASSERT_TRUE(watcher);
  signal_exactly(*watcher, SIGKILL);
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.state, RunState::exited);
  EXPECT_EQ(end.signal, 9);
  EXPECT_FALSE(has_container(spec.attempt));
}

// The engine's answer that it has ended may be cut off, after an hour or with the engine, and has
// to be asked for again.
TEST_F(InDocker, AContainerIsWatchedOnOverARestartOfTheEngine) {
  NEEDS_ENGINE();
  auto spec = contained(
      "trap 'echo bye; exit 5' TERM; echo up; while [ ! -e $LEPTON_OUTPUT_DIR/go ]; do sleep 0.1; "
      "done; echo on; while :; do sleep 0.1; done");
  spec.stop_grace_ms = 10'000;
  start(spec);
  wait_for_log(spec.attempt, "up");
  ASSERT_TRUE(Engine::get().restart());
  std::ofstream(AttemptFiles(options().state_dir, spec.attempt).out + "/go");
  wait_for_log(spec.attempt, "on");
  ASSERT_TRUE(runner_.request_stop(spec.attempt, "enough"));
  EXPECT_EQ(wait_for_end(spec.attempt).exit_code, 5);
  EXPECT_NE(log(spec.attempt).find("bye"), std::string::npos);
}

// What cannot be confirmed is not said: the attempt is not over while the engine is away.
TEST_F(InDocker, AnEngineThatDiesHoldsTheEndBack) {
  NEEDS_ENGINE();
  auto const spec = contained("echo up; exec sleep 1000");
  start(spec);
  wait_for_log(spec.attempt, "up");
  Engine::get().kill();
  ASSERT_TRUE(runner_.request_stop(spec.attempt, "while the engine is away"));
  auto const asked = runner_.poll(spec.attempt);
  ASSERT_TRUE(asked);
  EXPECT_FALSE(terminal(asked->state));
  ASSERT_TRUE(Engine::get().start());
  auto const end = wait_for_end(spec.attempt);
  EXPECT_TRUE(terminal(end.state));
  EXPECT_EQ(end.reason, EndReason::stopped);
  EXPECT_FALSE(has_container(spec.attempt));
}

}  // namespace
}  // namespace lepton::node
