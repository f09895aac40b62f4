#pragma once
// apply, plan, job list|show|logs|cancel: the requests of schemas/deployer.hpp for people. One
// thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands job_commands();

}  // namespace lepton::cli
