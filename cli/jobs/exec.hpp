#pragma once
// `lepton exec`: a command beside a running task, its streams passed between here and there, and
// its exit status returned. One thread.

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace lepton::cli {

Command exec_command();

}  // namespace lepton::cli
