#pragma once
// The files of one attempt, and who writes them:
//   attempts/<attempt>/spec    the node, once
//                      status  first creation wins (runner, or the node that finds no runner);
//                      later
//                              replaced only by the holder of the task's lock
//                      lease   the node: CLOCK_BOOTTIME deadline in ms
//                      stop    the node: why the task shall end
//                      limits  the node: CPU and memory, when they are not those of the spec any
//                      more container  how the container ended: its watcher (container.hpp) exec a
//                      socket of the runner: commands beside the task (exec_channel.hpp) box/ the
//                      pipes of a container (docker/container_pipe.hpp) log     the runner: stdout
//                      and stderr of the task in the order written out/    the task:
//                      $LEPTON_OUTPUT_DIR work/   the task, where its spec has a folder; gone when
//                      it has ended
//   locks/<task>               see task_lock.hpp
// Folders are 0711 (the task's user must reach out/), files 0600.

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "services/node/core/run_status.hpp"
#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

struct AttemptFiles {
  AttemptFiles(std::string_view state_dir, std::string_view attempt);
  std::string state_dir, folder, spec, status, status_reserve, lease, stop, limits, log, out, work;
};

std::string lock_path(std::string_view state_dir, std::string_view task);

inline constexpr std::size_t status_size_max = 4096;

// At most status_size_max bytes: long texts and lists are cut.
std::string encode(RunStatus status);
Result<RunStatus> decode_run_status(std::string_view text);
Result<RunStatus> read_status(AttemptFiles const& files);
Result<RunSpec> read_spec(AttemptFiles const& files);

// What the attempt may use now: as its spec says, or as was said since.
RunLimits read_limits(AttemptFiles const& files, RunSpec const& spec);
Status write_limits(AttemptFiles const& files, RunLimits const& limits);

// `conflict` when the attempt has a status already. A failed start can be told on a full disk too.
Status write_first_status(AttemptFiles const& files, RunStatus const& status);

// Into the reserve when there is one (works on a full disk), else as a new file.
Status write_last_status(AttemptFiles const& files, RunStatus const& status);

}  // namespace lepton::node
