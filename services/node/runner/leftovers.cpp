#include "services/node/runner/leftovers.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include "common/base/time.hpp"
#include "services/node/runner/cgroup.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/process_table.hpp"

namespace lepton::node {
namespace {

constexpr int pause_ms = 5;

// The task may fork while the list is read, so one empty look proves nothing.
constexpr int empty_looks_needed = 2;

std::vector<ProcessEntry> living(AttemptFiles const& files, RunStatus const& status) {
  return members(list_processes(), files.out, status.pid, status.pid_start_ticks);
}

RunStatus lost(RunStatus status) {
  auto const rebooted = status.boot_id != boot_id();
  status.state = RunState::lost;
  status.reason = EndReason::runner_died;
  status.what = rebooted ? "the machine restarted while the task ran"
                         : "the runner was killed; its task was ended, how far it came is unknown";
  status.ended_wall_ms = SystemClock().wall_ms();
  return status;
}

}  // namespace

Status end_leftovers(AttemptFiles const& files, RunStatus const& status, std::int64_t patience_ms) {
  if (status.boot_id != boot_id()) return ok();  // nothing survives a restart of the machine
  SystemClock const clock;
  auto const give_up_ms = clock.now_ms() + patience_ms;
  for (int empty_looks = 0;;) {
    auto const groups_empty = kill_groups(status.groups);
    auto const left = living(files, status);
    for (auto const& process : left) signal_exactly(process, SIGKILL);
    empty_looks = groups_empty && left.empty() ? empty_looks + 1 : 0;
    if (empty_looks >= empty_looks_needed) break;
    if (clock.now_ms() >= give_up_ms)
      return Error{Code::unavailable,
                   fmt::format("{} processes of attempt {} outlive SIGKILL; a driver or a network "
                               "file system may hang, see dmesg",
                               left.size(), status.attempt)};
    ::poll(nullptr, 0, pause_ms);
  }
  remove_groups(status.groups);
  return ok();
}

Result<RunStatus> settle_dead(AttemptFiles const& files, TaskLock& lock,
                              std::string const& programs, std::int64_t patience_ms) {
  auto status = read_status(files);
  if (!status) return status;
  if (!terminal(status->state)) {
    if (auto ended = end_leftovers(files, *status, patience_ms); !ended) return ended.error();
    auto const spec = read_spec(files);
    if (!spec) return spec.error();
    if (auto ended = end_container(programs, files.state_dir, *spec); !ended) return ended.error();
  }
  // Nothing of it lives; who sees the final status may start the next attempt at once.
  if (auto cleared = lock.clear_holder(status->attempt); !cleared) return cleared.error();
  if (terminal(status->state)) return status;
  status = lost(*status);
  if (auto written = write_last_status(files, *status); !written) return written.error();
  return status;
}

}  // namespace lepton::node
