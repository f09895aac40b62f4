#pragma once
// The machine's processes as /proc shows them: who descends from whom, who belongs to an attempt,
// and signals that cannot hit a process that got a reused pid (pidfd plus start time). Blocking;
// any thread. Source: proc(5), pidfd_open(2).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lepton::node {

struct ProcessEntry {
  std::int64_t pid = 0;
  std::int64_t parent = 0;
  std::int64_t session = 0;
  std::int64_t start_ticks = 0;  // since boot; pid and start_ticks together name one process
  char state = '?';              // Z and X: dead, only not yet reaped

  bool dead() const { return state == 'Z' || state == 'X'; }
};

// One line of /proc/<pid>/stat. The name in it may hold spaces and parentheses.
std::optional<ProcessEntry> parse_stat(std::string_view line);

std::optional<ProcessEntry> read_process(std::int64_t pid);
std::vector<ProcessEntry> list_processes();

// Children, their children and so on; dead ones are left out.
std::vector<ProcessEntry> descendants(std::vector<ProcessEntry> const& all, std::int64_t root);

// Processes of an attempt whose runner is gone: those born with that output folder in their
// environment, and those of the session that its first process led. Dead ones are left out.
std::vector<ProcessEntry> members(std::vector<ProcessEntry> const& all, std::string_view output_dir,
                                  std::int64_t leader_pid, std::int64_t leader_start_ticks);

// Does nothing when that very process is gone. True when the signal was sent.
bool signal_exactly(ProcessEntry const& process, int signal);

}  // namespace lepton::node
