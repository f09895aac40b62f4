#pragma once
// The step from the runner to the task: fork, give up everything that the task must not have, exec.

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "services/node/runner/files.hpp"
#include "services/node/runner/run_spec.hpp"
#include "services/node/runner/users.hpp"

namespace lepton::node {

struct LaunchPlan {
  std::vector<std::string> command;
  std::optional<User> switch_to;    // nothing: stay who we are
  std::vector<std::string> groups;  // control groups to join
  std::string working_dir;
  std::vector<std::string> environment;  // NAME=value; wiped by the caller
  // Of a command beside the task: its streams, and a process whose environment it gets (0: the one
  // above); then a keeper stands above it (keeper.hpp).
  std::optional<std::array<int, 3>> streams = {};
  pid_t beside = 0;
};

struct Launched {
  pid_t pid = 0;
  Fd output;  // nonblocking; stdout and stderr of the task and all its descendants; none of a
              // command with streams of its own
};

// Ok means that the task's program runs: exec has succeeded. The error says which step failed.
Result<Launched> launch_task(LaunchPlan const& plan);

}  // namespace lepton::node
