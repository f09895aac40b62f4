#pragma once
// The guard: a second process above the runner that only waits. When the runner is killed, the
// task's descendants come back to the guard, which ends them and writes that the attempt is lost;
// the task's lock is free only after that. The guard never sees a secret. The runner goes on
// without a guard.

#include <string>

#include "services/node/runner/files.hpp"

namespace lepton::node {

struct GuardArguments {
  std::string state_dir;
  std::string attempt;
  std::string mountinfo;
  bool adopts = false;  // a container that outlived runner and guard is watched on
};

// Takes the lock, writes the first status, starts the runner and stays. The process's exit status.
// One that adopts leaves the first status alone, and writes that the attempt is lost where it finds
// no container.
int guard_main(GuardArguments const& arguments, Fd socket);

}  // namespace lepton::node
