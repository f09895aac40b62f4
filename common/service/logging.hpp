#pragma once
// The log of a service: one line each on standard error, with time and level; spdlog is included in
// logging.cpp only.

#include <string>

#include "common/actor/ports.hpp"

namespace lepton::service {

actor::Log make_log(std::string const& level);

}  // namespace lepton::service
