#pragma once
// The settings that `lepton up` keeps between starts, and the check that their ports are free.
// One thread. Errors: invalid (file), conflict (port), as cli/context.hpp else.

#include "cli/up/plan.hpp"

namespace lepton::cli {

// Nothing when there are none yet.
Result<std::optional<StackSettings>> read_settings(Layout const& layout);
Status write_settings(Layout const& layout, StackSettings const& settings);

// Before anything starts: every port can be listened on.
Status check_ports(StackSettings const& settings);
Status check_entrances(StackSettings const& settings);

// The short name of this machine, in the grammar of names.
std::string this_node_name();

}  // namespace lepton::cli
