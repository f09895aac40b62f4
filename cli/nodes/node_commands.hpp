#pragma once
// node list|drain|undrain and status: machines and services for people. `node join` lives with
// `up`, because it starts a service. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands node_commands();

}  // namespace lepton::cli
