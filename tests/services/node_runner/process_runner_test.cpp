// The real runner against real processes: what the contract cannot say about a fake.

#include "services/node/runner/process_runner.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "services/node/core/cpu_list.hpp"
#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/files.hpp"
#include "services/node/runner/task_lock.hpp"
#include "services/node/runner/users.hpp"
#include "tests/services/node_runner/process_fixture.hpp"

namespace lepton::node {
namespace {

using ProcessRunnerTest = ProcessFixture;

TEST_F(ProcessRunnerTest, TheTaskGetsACleanEnvironment) {
  ::setenv("LEPTON_TEST_LEAK", "must not arrive", 1);
  auto spec = shell("env");
  spec.env = {{"MODE", "fast\nand multi-line"}};
  spec.ports = {9001, 9002};
  auto const end = run(spec);
  ::unsetenv("LEPTON_TEST_LEAK");
  EXPECT_EQ(end.exit_code, 0);
  auto const text = "\n" + log(spec.attempt);
  auto const holds = [&](std::string const& line) { return text.find("\n" + line) != text.npos; };
  EXPECT_TRUE(holds("MODE=fast\nand multi-line\n"));
  EXPECT_TRUE(holds("CUDA_VISIBLE_DEVICES=\n"));
  EXPECT_TRUE(holds("PORT=9001\n") && holds("PORT0=9001\n") && holds("PORT1=9002\n"));
  EXPECT_TRUE(holds("LEPTON_ATTEMPT_ID=" + spec.attempt + "\n"));
  EXPECT_TRUE(holds("LEPTON_TASK_ID=" + spec.task + "\n"));
  EXPECT_TRUE(holds("LEPTON_OUTPUT_DIR=" + runner_.output_dir(spec.attempt) + "\n"));
  EXPECT_FALSE(holds("LEPTON_TEST_LEAK="));
}

TEST_F(ProcessRunnerTest, TheTaskHasNoExtraDescriptorsPrivilegesOrCores) {
  auto const end =
      run(shell("ls /proc/$$/fd; umask; ulimit -c; pwd;"
                "grep NoNewPrivs /proc/self/status; grep SigBlk /proc/self/status"));
  EXPECT_EQ(end.exit_code, 0);
  auto const text = log(end.attempt);
  EXPECT_TRUE(text.starts_with("0\n1\n2\n0077\n0\n" + runner_.output_dir(end.attempt) + "\n"))
      << text;
  EXPECT_NE(text.find("NoNewPrivs:\t1"), text.npos);
  EXPECT_NE(text.find("SigBlk:\t0000000000000000"), text.npos);
}

TEST_F(ProcessRunnerTest, TheTaskRunsOnItsCpusOnly) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  ASSERT_EQ(::sched_getaffinity(0, sizeof usable, &usable), 0);
  int last = cpus_max - 1;
  while (!CPU_ISSET(static_cast<std::size_t>(last), &usable)) --last;
  auto spec = shell("grep Cpus_allowed_list /proc/self/status");
  spec.cpus = std::to_string(last);
  auto const end = run(spec);
  EXPECT_EQ(log(end.attempt), "Cpus_allowed_list:\t" + std::to_string(last) + "\n");
  EXPECT_NE(std::find(end.enforced.begin(), end.enforced.end(), "cpus"), end.enforced.end());
}

TEST_F(ProcessRunnerTest, CpusThatAreNotThereAreSaidAndTheTaskRuns) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  ASSERT_EQ(::sched_getaffinity(0, sizeof usable, &usable), 0);
  ASSERT_FALSE(CPU_ISSET(1023, &usable));
  auto spec = shell("true");
  spec.cpus = "1023";
  auto const end = run(spec);
  EXPECT_EQ(end.exit_code, 0);
  auto const said = std::find_if(end.not_enforced.begin(), end.not_enforced.end(),
                                 [](NotEnforced const& limit) { return limit.what == "cpus"; });
  ASSERT_NE(said, end.not_enforced.end());
  EXPECT_EQ(said->why.find("cannot bind to CPUs 1023: "), 0u) << said->why;
}

TEST_F(ProcessRunnerTest, AsRootTheTaskIsSomebodyElse) {
  NEEDS_ROOT();
  auto const end =
      run(shell("id -u; id -G; echo mine > $LEPTON_OUTPUT_DIR/model; ls $PWD/../spec; "
                "cat $PWD/../spec"));
  auto const nobody = find_user("lepton-task") ? find_user("lepton-task") : find_user("nobody");
  EXPECT_TRUE(log(end.attempt).starts_with(std::to_string(nobody->uid) + "\n")) << log(end.attempt);
  EXPECT_NE(end.exit_code, 0);  // the spec is not readable for the task
  struct stat model {};
  ASSERT_EQ(::stat((runner_.output_dir(end.attempt) + "/model").c_str(), &model), 0);
  EXPECT_EQ(model.st_uid, nobody->uid);
}

TEST_F(ProcessRunnerTest, RootIsRefusedUnlessTheNodeAllowsIt) {
  NEEDS_ROOT();
  auto spec = shell("id -u");
  spec.user = "root";
  auto const refused = runner_.start(spec, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  auto permissive = options();
  permissive.allow_root_tasks = true;
  auto runner = *ProcessRunner::open(permissive);
  ASSERT_TRUE(runner.start(spec, {}));
  wait_for_end(spec.attempt);
  EXPECT_EQ(log(spec.attempt), "0\n");
}

TEST_F(ProcessRunnerTest, AnUnknownUserIsRefused) {
  auto spec = shell("true");
  spec.user = "no-such-user";
  auto const refused = runner_.start(spec, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("no-such-user"), std::string::npos);
}

TEST_F(ProcessRunnerTest, SecretsReachTheTaskAndNothingElse) {
  std::string const value = "s3cr3t-value-" + std::to_string(::getpid());
  auto const spec = shell("echo got ${#HF_TOKEN}; exec sleep 1000");
  start(spec, {{"HF_TOKEN", Secret<>(value)}});
  ASSERT_TRUE(wait_until([&] { return !log(spec.attempt).empty(); }));
  EXPECT_EQ(log(spec.attempt), "got " + std::to_string(value.size()) + "\n");
  auto const status = *runner_.poll(spec.attempt);
  auto const guard = read_process(status.runner_pid)->parent;
  for (auto const pid : {status.runner_pid, guard}) {
    for (auto const* file : {"/environ", "/cmdline"}) {
      auto const text = read_file("/proc/" + std::to_string(pid) + file, 1 << 20);
      if (!text) continue;  // not readable at all without root
      EXPECT_EQ(text->find(value), std::string::npos) << file;
    }
  }
  auto const task_environment =
      read_file("/proc/" + std::to_string(status.pid) + "/environ", 1 << 20);
  ASSERT_TRUE(task_environment);
  EXPECT_NE(task_environment->find(value), std::string::npos);
  int files = 0;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    auto const text = read_file(entry.path().string(), 1 << 20);
    ASSERT_TRUE(text) << entry.path();
    EXPECT_EQ(text->find(value), std::string::npos) << entry.path();
  }
  EXPECT_GE(files, 4);  // spec, status, log, lock
}

TEST_F(ProcessRunnerTest, TheRunnerCannotBeDebuggedByOthers) {
  auto const spec = shell("exec sleep 1000");
  start(spec);
  auto const status = *runner_.poll(spec.attempt);
  struct stat environment {};
  auto const path = "/proc/" + std::to_string(status.runner_pid) + "/environ";
  ASSERT_EQ(::stat(path.c_str(), &environment), 0);
  EXPECT_EQ(environment.st_uid, 0u);  // the kernel gives a not dumpable process's files to root
  auto const core = read_file("/proc/" + std::to_string(status.runner_pid) + "/limits", 1 << 16);
  EXPECT_TRUE(!core || core->find("Max core file size        0 ") != std::string::npos);
}

TEST_F(ProcessRunnerTest, AProgramThatCannotRunIsAFailedStart) {
  auto spec = shell("");
  spec.command = {"/no/such/program"};
  auto const refused = runner_.start(spec, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            "cannot run the program /no/such/program: No such file or directory");
  auto const status = runner_.poll(spec.attempt);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, RunState::failed_to_start);
  EXPECT_EQ(status->reason, EndReason::start_failed);
  // The lock is free again.
  auto next = shell("true", "job", 2);
  EXPECT_EQ(run(next).exit_code, 0);
}

TEST_F(ProcessRunnerTest, AWorkingFolderThatIsMissingIsAFailedStart) {
  auto spec = shell("true");
  spec.working_dir = "/no/such/folder";
  auto const refused = runner_.start(spec, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("/no/such/folder"), std::string::npos);
}

TEST_F(ProcessRunnerTest, GrandchildrenInTheirOwnSessionEndWithTheTask) {
  auto const spec = shell(
      "setsid sh -c 'echo $$; exec sleep 1000' & "
      "while ! test -e $LEPTON_OUTPUT_DIR/go; do sleep 0.01; done; exit 0");
  start(spec);
  auto const grandchild = printed_process(spec.attempt);
  ASSERT_TRUE(lives(grandchild));
  std::ofstream(runner_.output_dir(spec.attempt) + "/go") << "";
  EXPECT_EQ(wait_for_end(spec.attempt).exit_code, 0);
  EXPECT_FALSE(lives(grandchild));
}

TEST_F(ProcessRunnerTest, ATaskKilledByASignalSaysWhich) {
  auto const end = run(shell("kill -SEGV $$"));
  EXPECT_EQ(end.reason, EndReason::killed);
  EXPECT_EQ(end.signal, SIGSEGV);
  EXPECT_EQ(end.exit_code, -1);
}

TEST_F(ProcessRunnerTest, TheLogKeepsItsHeadAndSaysSo) {
  auto spec = shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end >&2");
  spec.log_bytes_max = 100'000;
  auto const end = run(spec);
  EXPECT_EQ(end.exit_code, 0);
  auto const text = log(spec.attempt);
  EXPECT_EQ(text.substr(0, 100'000), std::string(100'000, 'x'));
  EXPECT_NE(text.find("the log is full at 100000 bytes"), text.npos);
  EXPECT_LT(text.size(), 100'200u);
  EXPECT_EQ(end.log_dropped_bytes, 300'000 + 1 + 4 - 100'000);
  EXPECT_EQ(end.log_bytes, static_cast<std::int64_t>(text.size()));
}

TEST_F(ProcessRunnerTest, OutputAndErrorsStandInTheOrderWritten) {
  auto const end = run(shell("echo one; echo two >&2; echo three"));
  EXPECT_EQ(log(end.attempt), "one\ntwo\nthree\n");
}

TEST_F(ProcessRunnerTest, WithoutControlGroupsTheStatusSaysSo) {
  auto bare = options();
  bare.mountinfo = "/dev/null";
  auto runner = *ProcessRunner::open(bare);
  auto spec = shell("exit 0");
  spec.memory_mib = 64;
  spec.cpu_milli = 500;
  ASSERT_TRUE(runner.start(spec, {}));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_TRUE(end.enforced.empty());
  ASSERT_EQ(end.not_enforced.size(), 2u);
  EXPECT_EQ(end.not_enforced[0].what, "cpu");
  EXPECT_EQ(end.not_enforced[1].why, "no cgroup file system is mounted on this machine");
}

TEST_F(ProcessRunnerTest, ControlGroupsThatCannotBeMadeAreNamed) {
  auto const mounts = folder_.path() + "/mountinfo";
  // /proc takes no folder, whoever asks.
  std::ofstream(mounts) << "1 0 0:1 / /proc ro - cgroup2 cgroup2 ro\n";
  auto bare = options();
  bare.mountinfo = mounts;
  auto runner = *ProcessRunner::open(bare);
  auto spec = shell("exit 0");
  spec.pids_max = 10;
  ASSERT_TRUE(runner.start(spec, {}));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.exit_code, 0);
  ASSERT_EQ(end.not_enforced.size(), 1u);
  EXPECT_NE(end.not_enforced[0].why.find("/proc/lepton"), std::string::npos);
}

TEST_F(ProcessRunnerTest, TooMuchMemoryIsAnOutOfMemoryEnd) {
  auto spec = shell("head -c 200000000 /dev/zero | tail -c 190000000 > /dev/null; exit $?");
  spec.memory_mib = 32;
  auto const end = run(spec);
  if (std::find(end.enforced.begin(), end.enforced.end(), "memory") == end.enforced.end())
    GTEST_SKIP() << "no memory limit on this machine: "
                 << (end.not_enforced.empty() ? "" : end.not_enforced[0].why);
  EXPECT_EQ(end.reason, EndReason::oom) << end.what;
  EXPECT_GE(end.oom_kills, 1);
  for (auto const& group : end.groups) EXPECT_FALSE(std::filesystem::exists(group)) << group;
}

// As after the death of who set them, before they were noted.
TEST_F(ProcessRunnerTest, LimitsThatAreNotNotedAreReplacedLikeOthers) {
  auto spec = shell("echo ready; exec sleep 1000");
  spec.cpu_milli = 500;
  start(spec);
  ASSERT_TRUE(wait_until([&] { return log(spec.attempt) == "ready\n"; }));
  auto const status = *runner_.poll(spec.attempt);
  if (std::find(status.enforced.begin(), status.enforced.end(), "cpu") == status.enforced.end())
    GTEST_SKIP() << "no CPU limit on this machine: " << status.not_enforced.at(0).why;
  auto const quotas = [&] {
    std::string text;
    for (auto const& group : status.groups)
      for (auto const* name : {"/cpu.max", "/cpu.cfs_quota_us"})
        if (auto const value = read_file(group + name, 100)) text += *value;
    return text;
  };
  auto const before = quotas();
  ASSERT_TRUE(change_limits(status.groups, {1'500, 0}));
  ASSERT_NE(quotas(), before);
  ASSERT_TRUE(runner_.resize(spec.attempt, {500, 0}));
  EXPECT_EQ(quotas(), before);
}

TEST_F(ProcessRunnerTest, TooManyProcessesAreRefusedByTheLimit) {
  auto spec = shell("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; echo all");
  spec.pids_max = 5;
  auto const end = run(spec);
  if (std::find(end.enforced.begin(), end.enforced.end(), "pids") == end.enforced.end())
    GTEST_SKIP() << "no process limit on this machine: "
                 << (end.not_enforced.empty() ? "" : end.not_enforced[0].why);
  EXPECT_NE(end.exit_code, 0);
  EXPECT_EQ(log(spec.attempt).find("all"), std::string::npos);
}

TEST_F(ProcessRunnerTest, AStopFileWithoutItsSignalIsSeenToo) {
  auto const spec = shell("exec sleep 1000");
  start(spec);
  AttemptFiles const files(options().state_dir, spec.attempt);
  ASSERT_TRUE(replace_file(files.stop, "why=the signal was lost\n"));
  auto const end = wait_for_end(spec.attempt);
  EXPECT_EQ(end.reason, EndReason::stopped);
  EXPECT_EQ(end.what, "the signal was lost");
}

TEST_F(ProcessRunnerTest, RemovingAnAttemptRemovesItsLockAndOutput) {
  auto const end = run(shell("echo data > $LEPTON_OUTPUT_DIR/model"));
  auto const lock = lock_path(options().state_dir, end.task);
  ASSERT_TRUE(wait_until([&] {
    auto const taken = TaskLock::try_take(lock);
    return taken && taken->has_value();
  }));
  ASSERT_TRUE(runner_.remove(end.attempt));
  EXPECT_FALSE(std::filesystem::exists(lock));
  EXPECT_FALSE(std::filesystem::exists(runner_.output_dir(end.attempt)));
}

struct Unmount {
  std::string path;
  ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
};

TEST_F(ProcessRunnerTest, ASmallDiskThatIsFullRefusesTheStartAndKeepsTheEnd) {
  NEEDS_ROOT();
  auto const disk = folder_.path() + "/disk";
  std::filesystem::create_directories(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=256k,mode=0711") != 0)
    GTEST_SKIP() << "this machine lets nobody mount a small disk";
  Unmount const at_the_end{disk};
  auto small = options();
  small.state_dir = disk + "/state";
  auto runner = *ProcessRunner::open(small);
  // Fills the disk with its own output, then ends: the end must still be told.
  auto const spec = shell("head -c 1000000 /dev/zero; exit 6");
  ASSERT_TRUE(runner.start(spec, {}));
  RunStatus end;
  EXPECT_TRUE(wait_until([&] {
    auto const status = runner.poll(spec.attempt);
    if (status) end = *status;
    return status && terminal(status->state);
  }));
  EXPECT_EQ(end.exit_code, 6);
  EXPECT_GT(end.log_dropped_bytes, 0);
  EXPECT_GT(end.log_bytes, 0);
  auto const refused = runner.start(shell("true", "next"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted) << refused.error().what;
  for (auto const& status : runner.scan())
    EXPECT_EQ(status.state,
              status.attempt == spec.attempt ? RunState::exited : RunState::failed_to_start);
}

TEST_F(ProcessRunnerTest, AMissingRunnerProgramIsSaidAtOnce) {
  auto wrong = options();
  wrong.runner_program = "/no/such/lepton-runner";
  auto const opened = ProcessRunner::open(wrong);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("/no/such/lepton-runner"), std::string::npos);
  wrong.state_dir = "relative";
  EXPECT_EQ(ProcessRunner::open(wrong).error().code, Code::invalid);
}

TEST_F(ProcessRunnerTest, ARunnerThatDiesAtOnceIsAFailedStart) {
  auto wrong = options();
  wrong.runner_program = "/bin/false";
  auto runner = *ProcessRunner::open(wrong);
  auto const spec = shell("true");
  EXPECT_FALSE(runner.start(spec, {}));
  EXPECT_EQ(runner.poll(spec.attempt)->state, RunState::failed_to_start);
}

}  // namespace
}  // namespace lepton::node
