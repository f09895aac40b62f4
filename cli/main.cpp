// `lepton`, for people at a terminal and their scripts.

#include <csignal>

#include "cli/all/all_commands.hpp"
#include "cli/parser.hpp"

int main(int argc, char** argv) {
  using namespace lepton::cli;
  std::signal(SIGPIPE, SIG_DFL);
  Shell shell;
  look_around(shell);
  return run_command_line(all_commands(), shell, argc, argv);
}
