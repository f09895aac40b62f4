#pragma once
// RunSpec: what one attempt runs and within which limits. It is written to the attempt's folder, so
// it never holds a secret: those travel beside it (see Runner::start).
// Units are in the names. 0 means "no limit" where a limit is optional.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "services/node/core/run_status.hpp"

namespace lepton::node {

using Secrets = std::map<std::string, Secret<>>;  // by environment variable name

struct RunSpec {
  std::string attempt;                     // also the name of its folder
  std::string task;                        // also the name of its lock
  std::string user;                        // empty: the node's task user
  std::vector<std::string> command;        // program and arguments, no shell
  std::string image;                       // empty: a process; else a container of this image
  std::string engine_socket;               // of Docker, for a container
  std::map<std::string, std::string> env;  // plain values only
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::int64_t pids_max = 0;
  std::string cpus;  // that it may run on, "0-15,32-47"; empty: all of the machine
  std::vector<std::string> gpu_uuids;
  std::vector<std::uint16_t> ports;       // $PORT is the first, then $PORT0, $PORT1 ...
  std::string listen;                     // $LEPTON_LISTEN, where there are ports
  std::string working_dir;                // empty: the attempt's own folder, else the output folder
  std::string folder;                     // built for it; becomes the attempt's own
  std::int64_t max_duration_ms = 0;       // from its start, on CLOCK_BOOTTIME
  std::int64_t stop_grace_ms = 10'000;    // between SIGTERM and SIGKILL
  std::int64_t lease_ms = 60'000;         // first lease, from its start
  std::int64_t lease_until_ms = 0;        // its end on CLOCK_BOOTTIME, however late the start; 0:
                                          // as lease_ms says
  bool autonomous = false;                // runs on when the lease expires
  std::int64_t log_bytes_max = 64 << 20;  // the head is kept

  bool operator==(RunSpec const&) const = default;
};

// Refuses what could not start or could break out of its folder: bad names, reserved environment
// variables, negative limits, an empty command. Secrets obey the same rules as `env`.
Status validate(RunSpec const& spec, Secrets const& secrets);
// Whether an attempt may get these limits while it runs.
Status check_resize(RunSpec const& spec, RunLimits const& limits);

// 1 to 128 of letters, digits, '.', '_' and '-', and no leading '.' or '-': safe as a file name.
bool is_safe_name(std::string_view name);

std::string encode(RunSpec const& spec);
Result<RunSpec> decode_run_spec(std::string_view text);

}  // namespace lepton::node
