#pragma once
// The commands `lepton power cap|uncap|list`: what racks, rows or sites may draw. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Result<std::int64_t> parse_watts(std::string const& text);  // "12kW", "850W"

Commands power_commands();

}  // namespace lepton::cli
