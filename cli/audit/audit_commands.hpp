#pragma once
// audit tail|prove|checkpoint|verify|sql: the log of all changes for people. What is trusted of the
// log from one time to the next lies in audit-trust.yaml in the client folder. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands audit_commands();
Command tail_command();
Command sql_command();

}  // namespace lepton::cli
