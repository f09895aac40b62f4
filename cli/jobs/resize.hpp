#pragma once
// lepton job resize: another size for a job, whether it waits or runs.

#include "cli/command.hpp"
#include "schemas/resize.hpp"

namespace lepton::cli {

Command resize_command();

// As people write them; an empty text leaves that as it is. Pure.
Result<TaskSize> read_size(std::string const& cpu, std::string const& memory);

}  // namespace lepton::cli
