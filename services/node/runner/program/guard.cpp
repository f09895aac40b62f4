#include "services/node/runner/program/guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "services/node/core/cpu_list.hpp"
#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/launch_channel.hpp"
#include "services/node/runner/leftovers.hpp"
#include "services/node/runner/process_table.hpp"
#include "services/node/runner/program/reap.hpp"
#include "services/node/runner/program/supervisor.hpp"
#include "services/node/runner/record.hpp"
#include "services/node/runner/runner.hpp"

namespace lepton::node {
namespace {

constexpr int lock_tries_max = 250, lock_pause_ms = 20;
constexpr std::int64_t predecessor_patience_ms = 8'000, end_patience_ms = 600'000;
constexpr std::int64_t engine_patience_ms = 60'000;
constexpr int engine_pause_ms = 1'000;

Error lock_held(RunSpec const& spec, std::string const& by) {
  return {Code::conflict,
          fmt::format("task {} still runs here as attempt {}; wait until that has ended", spec.task,
                      by.empty() ? "(unnamed)" : by)};
}

// A holder without a name is about to write one, or only looks whether a runner lives: wait for it.
Result<TaskLock> take_lock(std::string const& path, RunSpec const& spec) {
  for (int i = 0; i < lock_tries_max; ++i) {
    auto lock = TaskLock::try_take(path);
    if (!lock) return lock.error();
    if (*lock) return std::move(**lock);
    auto const holder = TaskLock::holder(path);
    if (!holder.empty()) return lock_held(spec, holder);
    ::poll(nullptr, 0, lock_pause_ms);
  }
  return lock_held(spec, "");
}

// The last holder died without a word: its processes must be gone before this attempt begins.
Status settle_predecessor(std::string const& state_dir, std::string const& path, TaskLock& lock) {
  auto const name = TaskLock::holder(path);
  if (name.empty()) return ok();
  auto const settled =
      settle_dead(AttemptFiles(state_dir, name), lock, own_folder(), predecessor_patience_ms);
  if (settled || settled.error().code == Code::not_found) return ok();
  return Error{Code::conflict, "the attempt before this one is not ended: " + settled.error().what};
}

// Whatever the attempt starts inherits it. A container's engine does this itself.
void bind_cpus(RunSpec const& spec, RunStatus& status) {
  if (spec.cpus.empty() || !spec.image.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (auto cpu : parse_cpu_list(spec.cpus).value_or(std::vector<int>{}))
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) == 0)
    status.enforced.push_back("cpus");
  else
    status.not_enforced.push_back(
        {"cpus", fmt::format("cannot bind to CPUs {}: {}", spec.cpus, std::strerror(errno))});
}

RunStatus first_status(RunSpec const& spec, std::string const& mountinfo) {
  RunStatus status;
  status.attempt = spec.attempt;
  status.task = spec.task;
  status.state = RunState::starting;
  status.boot_id = boot_id();
  auto const me = read_process(::getpid());
  status.runner_pid = ::getpid();
  status.runner_start_ticks = me ? me->start_ticks : 0;
  auto const mounts = read_file(mountinfo, Record::size_max);
  auto const own = read_file("/proc/self/cgroup", Record::size_max);
  auto made = make_cgroup(mounts ? *mounts : "", own ? *own : "", spec.attempt,
                          {spec.cpu_milli, spec.memory_mib, spec.pids_max});
  status.groups = std::move(made.groups);
  status.enforced = std::move(made.enforced);
  status.not_enforced = std::move(made.not_enforced);
  bind_cpus(spec, status);
  return status;
}

int refuse(AttemptFiles const& files, RunSpec const& spec, int socket, Error const& error) {
  RunStatus status;
  status.attempt = spec.attempt;
  status.task = spec.task;
  status.state = RunState::failed_to_start;
  status.reason = reason_of(error.code);
  status.what = error.what;
  status.ended_wall_ms = SystemClock().wall_ms();
  (void)write_first_status(files, status);
  (void)send_report(socket, error);
  return 0;
}

int stay(pid_t runner, AttemptFiles const& files, TaskLock& lock) {
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
  int status = 0;
  while (::waitpid(runner, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  if (!end_descendants(end_patience_ms)) return 1;
  return settle_dead(files, lock, own_folder(), end_patience_ms) ? 0 : 1;
}

template <class F>
int fork_runner(AttemptFiles const& files, TaskLock& lock, Fd& socket, F const& run) {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return 1;
  auto const runner = ::fork();
  if (runner != 0) {
    socket.reset();
    return runner < 0 ? 1 : stay(runner, files, lock);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  return run();
}

// An earlier version noted the wall clock only.
TimeMs started_ms(RunStatus const& status) {
  SystemClock const clock;
  auto const ran_ms = std::max<TimeMs>(0, clock.wall_ms() - status.started_wall_ms);
  return status.started_ms > 0 ? status.started_ms : clock.now_ms() - ran_ms;
}

// While the engine does not answer, the lock says that somebody is at it.
Result<Container> ask_for_container(AttemptFiles const& files, RunSpec const& spec) {
  SystemClock const clock;
  for (auto const until = clock.now_ms() + engine_patience_ms;;) {
    auto const found = what_became_of(own_folder(), files.state_dir, spec);
    if (found || clock.now_ms() >= until) return found;
    ::poll(nullptr, 0, engine_pause_ms);
  }
}

// The processes that watched the container are gone first. What cannot be settled now is left to
// the next look of the node.
int adopt(GuardArguments const& arguments, Fd socket) {
  AttemptFiles const files(arguments.state_dir, arguments.attempt);
  auto const spec = read_spec(files);
  auto lock = spec ? TaskLock::try_take(lock_path(arguments.state_dir, spec->task))
                   : Result<std::optional<TaskLock>>(std::nullopt);
  if (!spec || !lock || !*lock) return 1;
  auto const before = read_status(files);
  if (!before || terminal(before->state)) return 1;
  if (!end_leftovers(files, *before, predecessor_patience_ms)) return 1;
  auto const found = ask_for_container(files, *spec);
  if (!found) return 1;
  if (*found == Container::none)
    return settle_dead(files, **lock, own_folder(), predecessor_patience_ms) ? 0 : 1;
  auto const path = lock_path(arguments.state_dir, spec->task);
  if (TaskLock::holder(path) != spec->attempt && !(*lock)->set_holder(spec->attempt)) return 1;
  auto status = first_status(*spec, arguments.mountinfo);
  status.started_wall_ms = before->started_wall_ms;
  status.started_ms = started_ms(*before);
  return fork_runner(files, **lock, socket,
                     [&] { return Supervisor(files, *spec, status, **lock).run_on(*found); });
}

}  // namespace

int guard_main(GuardArguments const& arguments, Fd socket) {
  if (arguments.adopts) return adopt(arguments, std::move(socket));
  AttemptFiles const files(arguments.state_dir, arguments.attempt);
  auto const spec = read_spec(files);
  if (!spec) {
    (void)send_report(socket.get(), spec.error());
    return 1;
  }
  auto const path = lock_path(arguments.state_dir, spec->task);
  auto lock = take_lock(path, *spec);
  if (!lock) return refuse(files, *spec, socket.get(), lock.error());
  if (auto ended = settle_predecessor(arguments.state_dir, path, *lock); !ended)
    return refuse(files, *spec, socket.get(), ended.error());
  if (auto named = lock->set_holder(spec->attempt); !named)
    return refuse(files, *spec, socket.get(), named.error());
  auto const status = first_status(*spec, arguments.mountinfo);
  if (auto first = write_first_status(files, status); !first) {
    remove_groups(status.groups);
    (void)lock->set_holder("");
    return refuse(files, *spec, socket.get(), first.error());
  }
  return fork_runner(files, *lock, socket, [&] {
    return Supervisor(files, *spec, status, *lock).run(std::move(socket));
  });
}

}  // namespace lepton::node
