#pragma once
// `lepton stack ...`: a control plane whose parts something else keeps running, each in a container
// of its own (compose/compose.yaml). `prepare` makes its folder, on the machine; the others are
// what containers run: `database` (PostgreSQL with tables and logins), `tend` (the vault unsealed,
// tokens renewed) and `health`. One thread each.

#include "cli/command.hpp"
#include "cli/up/up.hpp"

namespace lepton::cli {

Commands stack_commands();

// What is not given stays as it was. Safe to repeat, also while the stack runs.
Result<int> prepare_stack(Shell& shell, UpOptions const& options);
// Until a signal asks for the end, or PostgreSQL has ended.
Result<int> run_database(Shell& shell, std::string const& folder);
// Until a signal asks for the end.
Result<int> tend_stack(Shell& shell, std::string const& folder);
// 0: it serves.
Result<int> part_health(Shell& shell, std::string const& folder, std::string const& part);

}  // namespace lepton::cli
