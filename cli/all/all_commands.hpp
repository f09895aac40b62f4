#pragma once
// Every command of `lepton`, from every folder. In one place, so that what tests the command line
// tests all of it. Pure.

#include "cli/command.hpp"

namespace lepton::cli {

Commands all_commands();

}  // namespace lepton::cli
