#pragma once
// `lepton replay`. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands replay_commands();

}  // namespace lepton::cli
