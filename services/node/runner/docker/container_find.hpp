#pragma once
// The main process of an attempt's container, for whoever measures it. Blocking, a few seconds at
// most; any thread. Errors: unavailable.

#include <sys/types.h>

#include <optional>

#include "services/node/runner/docker/docker_api.hpp"

namespace lepton::node {

// From what the engine says of a container; 0 while it does not run.
Result<pid_t> container_pid(std::string const& inspected);

// Nothing: the attempt is no container. 0: it does not run (yet).
Result<std::optional<pid_t>> find_container(DockerApi const& docker, std::string const& state_dir,
                                            std::string const& attempt);

}  // namespace lepton::node
