#pragma once
// RunStatus: what is known about one attempt on this machine. A plain value, shared by the runner
// port, its adapters and the attempt's state machine. Times are CLOCK_BOOTTIME or wall-clock
// milliseconds, as the name says; 0 means "not yet".

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lepton::node {

// `ending`: nobody watches the task any more, and its last process is not yet confirmed dead.
// `lost`: it was confirmed dead, but how it ended is unknown.
enum class RunState : std::uint8_t {
  unknown,
  starting,
  running,
  ending,
  exited,
  failed_to_start,
  lost
};

consteval auto enumerators(RunState) {
  return std::to_array<std::string_view>(
      {"unknown", "starting", "running", "ending", "exited", "failed_to_start", "lost"});
}

enum class EndReason : std::uint8_t {
  unknown,
  exited,
  killed,
  time_limit,
  lease_expired,
  stopped,
  oom,
  start_failed,
  lock_held,
  runner_died,
  launch_lost  // this machine could not: who was to start it was killed, its disk is full
};

consteval auto enumerators(EndReason) {
  return std::to_array<std::string_view>({"unknown", "exited", "killed", "time_limit",
                                          "lease_expired", "stopped", "oom", "start_failed",
                                          "lock_held", "runner_died", "launch_lost"});
}

// Terminal means: no process of the attempt lives, and none will be started.
constexpr bool terminal(RunState state) {
  return state == RunState::exited || state == RunState::failed_to_start || state == RunState::lost;
}

struct NotEnforced {
  std::string what;  // cpu, memory, pids, cpus
  std::string why;   // for people
  auto operator<=>(NotEnforced const&) const = default;
};

// What an attempt may use of what can be changed while it runs. 0: no limit.
struct RunLimits {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;

  bool operator==(RunLimits const&) const = default;
};
// Whether that limit of memory, if there is one, would take what is in use.
constexpr bool takes_memory(RunLimits const& limits, std::int64_t used_mib) {
  return limits.memory_mib > 0 && used_mib > limits.memory_mib;
}

struct RunStatus {
  std::string attempt;
  std::string task;
  RunState state = RunState::unknown;
  EndReason reason = EndReason::unknown;  // set in terminal states
  std::string what;                       // for people: why it failed or ended
  int exit_code = -1;                     // of the task; -1 when it did not exit by itself
  int signal = 0;                         // that ended the task; 0 when none did
  std::int64_t pid = 0;                   // the task's first process
  std::int64_t pid_start_ticks = 0;       // of that process; tells a reused pid apart
  std::int64_t runner_pid = 0;
  std::int64_t runner_start_ticks = 0;
  std::string boot_id;  // of the machine's life in which the pids are valid
  std::int64_t started_wall_ms = 0;
  std::int64_t started_ms = 0;  // CLOCK_BOOTTIME: wall clocks jump
  std::int64_t ended_wall_ms = 0;
  std::int64_t log_bytes = 0;          // kept
  std::int64_t log_dropped_bytes = 0;  // over the limit, or the disk was full
  std::int64_t oom_kills = 0;          // processes of the attempt ended for want of memory
  std::vector<std::string> enforced;   // cpu, memory, pids, cpus
  std::vector<NotEnforced> not_enforced;
  std::vector<std::string> groups;  // cgroup folders of the attempt

  bool operator==(RunStatus const&) const = default;
};

}  // namespace lepton::node
