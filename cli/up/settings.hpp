#pragma once
// The settings that `lepton up` keeps between starts, and the check that their ports are free.
// One thread. Errors: invalid (file), conflict (port), as cli/context.hpp else.

#include "cli/up/plan.hpp"

namespace lepton::cli {

struct UpOptions;

// Nothing when there are none yet.
Result<std::optional<StackSettings>> read_settings(Layout const& layout);
Status write_settings(Layout const& layout, StackSettings const& settings);

// As they are kept, changed by what was asked for now; checked.
Result<StackSettings> wanted_settings(Layout const& layout, UpOptions const& options);

// Before anything starts: every port can be listened on.
Status check_ports(StackSettings const& settings);
Status check_entrances(StackSettings const& settings);

// The short name of this machine, in the grammar of names.
std::string this_node_name();

}  // namespace lepton::cli
