#pragma once
// A command that a person runs in an attempt's container (`lepton exec`): created and started by
// the engine, its streams passed between this process's own and the engine's, until it ends. Runs
// in lepton-container as a child of the attempt's runner; input is framed (exec_channel.hpp) and
// read by lepton-init inside. One thread.

#include <string>
#include <vector>

#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

// The command's exit code; 125 and a line on standard error where the engine did not play along.
int run_in_container(RunSpec const& spec, std::vector<std::string> const& command);

}  // namespace lepton::node
