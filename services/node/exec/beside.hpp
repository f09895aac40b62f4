#pragma once
// Runs one command beside a task, as probes do, and waits for its end; what it prints is dropped.
// Through the task's runner (runner/exec_channel.hpp), so that it has the task's user, folder,
// variables and limits, in the task's container where it has one. Blocks for the timeout at most,
// and a second more to end the command. Any thread.

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace lepton::node {

// Its exit code. `timeout`: it was ended; `unavailable`: it did not run, or was ended by others.
Result<int> run_beside(std::string const& state_dir, std::string const& attempt,
                       std::vector<std::string> const& command, TimeMs timeout_ms);

}  // namespace lepton::node
