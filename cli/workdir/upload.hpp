#pragma once
// Sends the working folder of a spec: what the deployer has already is not sent again, so that a
// broken upload goes on where it stood when the command is run again. One thread.

#include "cli/shell.hpp"
#include "schemas/values.hpp"

namespace lepton::cli {

// spec.workdir, a folder of this machine, becomes the identity under which the deployer keeps it.
// Nothing to do for a spec without one.
Status send_workdir(Shell& shell, std::string const& name, JobSpec& spec);

}  // namespace lepton::cli
