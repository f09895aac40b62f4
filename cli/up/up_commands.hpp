#pragma once
// up, down, backup, restore, node join, key rotate: the commands that start, stop and move a
// control plane.

#include "cli/command.hpp"

namespace lepton::cli {

Commands up_commands();

}  // namespace lepton::cli
