#pragma once
// What HAProxy 2.6 shows of itself (`show stat`, a page of comma-separated values; management
// guide, section 9.1), and the commands that bring one entrance to what is wanted (section 9.3).
// Pure.
//
// An entrance at port P is the frontend fP and the backend bP of its configuration. Traps: a server
// that is added inherits nothing from default-server; it needs its health checks and itself enabled
// apart, in this order; it can be deleted in maintenance only, and not while a connection hangs on
// it; all of it is gone after a restart.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/deployer/balancer/balancer.hpp"

namespace lepton::deployer {

enum class HaproxyState : std::uint8_t { unknown, active, draining, maintenance };

struct HaproxyServer {
  std::string name;
  std::string address;  // HOST:PORT
  HaproxyState state = HaproxyState::active;
  std::uint64_t in_flight = 0;
};

struct HaproxyBackend {
  std::uint32_t port = 0;
  std::uint64_t requests = 0;
  std::uint64_t in_flight = 0;
  std::vector<HaproxyServer> servers;
  std::optional<std::int64_t> hold_ms;  // by the map; nothing: it is not there yet
};

// Backends that are no entrances are left out. Errors: invalid.
Result<std::vector<HaproxyBackend>> parse_haproxy_page(std::string_view page);

// `show map`: how long requests are held at each port, ms. Errors: not_found when HAProxy knows no
// such map: its configuration is not ours, and it holds nothing.
Result<std::map<std::uint32_t, std::int64_t>> parse_haproxy_holds(std::string_view text);

// Nothing: it is so already. Errors: none.
std::optional<std::string> haproxy_hold_command(HaproxyBackend const& is, std::int64_t hold_ms,
                                                std::string const& map);

// Nothing: all is as wanted.
std::vector<std::string> haproxy_commands(HaproxyBackend const& is,
                                          std::vector<BalancedServer> const& wanted);

// Refuses what could break out of a command.
Status check_server(BalancedServer const& server);

}  // namespace lepton::deployer
