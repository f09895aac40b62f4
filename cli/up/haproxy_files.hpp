#pragma once
// The files that HAProxy reads when it starts: its settings, the action by which requests wait, and
// the empty map that the deployer fills while it runs. The caller's thread; errors name the file.

#include <string>

#include "cli/up/plan.hpp"

namespace lepton::cli {

// `listen`: the address of all entrances. `user`: whom it becomes; empty: it stays who it is.
Status write_haproxy_files(StackPlan const& plan, std::string const& listen,
                           std::string const& user);

}  // namespace lepton::cli
