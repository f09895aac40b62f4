#pragma once
// The command line: words to a command, options to its targets, mistakes to a sentence with the
// nearest valid word. One thread, once per process.

#include "cli/command.hpp"

namespace lepton::cli {

// Runs the command that the words name and returns the exit status of the process.
int run_command_line(Commands const& commands, Shell& shell, int argc, char const* const* argv);

}  // namespace lepton::cli
