#pragma once
// The commands `lepton quota set|list|remove`. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands quota_commands();

}  // namespace lepton::cli
