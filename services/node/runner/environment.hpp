#pragma once
// The environment of a task, built from nothing: whatever the node has in its own stays there.

#include <string>
#include <vector>

#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

struct TaskPlace {
  std::string user;
  std::string home;
  std::string output_dir;
};

// "NAME=value" lines. Without GPUs CUDA_VISIBLE_DEVICES is empty, so that CPU work sees none.
// The result holds the secrets in clear: wipe it after use.
std::vector<std::string> task_environment(RunSpec const& spec, Secrets const& secrets,
                                          TaskPlace const& place);

// The same for a task in a container, whose image knows its own PATH, HOME and language.
std::vector<std::string> container_environment(RunSpec const& spec, Secrets const& secrets,
                                               std::string const& output_dir);

}  // namespace lepton::node
