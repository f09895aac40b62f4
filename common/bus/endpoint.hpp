#pragma once
// Grammar of endpoints: "tcp://HOST:PORT" and "ipc:///ABSOLUTE/PATH". To listen, HOST is a numeric
// IPv4 address:
// '*' and names of interfaces are refused, so that nobody listens wider than was meant. Any thread.

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace lepton::bus {

Status check_listen(std::string_view endpoint);  // also: that no living process has this ipc path
Status check_connect(std::string_view endpoint);
Error in_use(std::string_view endpoint);

}  // namespace lepton::bus
