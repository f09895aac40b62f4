#pragma once
// Balancer: the port through which requests reach the replicas of services. It has a fixed number
// of entrances, each a port; the deployer says which servers stand behind each. Level-triggered:
// every call brings the whole state to what is wanted and tells what it is now, so that a balancer
// that has forgotten everything (a restart) is set right by the next call. While no server can take
// it, a request is held: a bounded number of them, each for a bounded time, then refused; what is
// held counts as in flight, which is how the need of a first replica is seen. HaproxyBalancer
// drives HAProxy; FakeBalancer has the same manners. One contract test holds both.
//
// Calls may block for as long as their deadline says (seconds): from a worker thread. Errors:
// unavailable, timeout; invalid for a port that is no entrance.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::deployer {

struct BalancedServer {
  std::string name;  // letters, digits and '-'
  std::string host;  // numeric IPv4 address
  std::uint32_t port = 0;
  bool draining = false;  // open requests end, new ones go elsewhere

  bool operator==(BalancedServer const&) const = default;
};

struct Entrance {
  std::uint32_t port = 0;
  std::vector<BalancedServer> servers;
  std::int64_t hold_ms = 0;  // so long a request waits while no server can take it
};

inline std::string address_of(BalancedServer const& server) {
  return server.host + ":" + std::to_string(server.port);
}

struct ServerLoad {
  std::string name;
  std::string address;  // HOST:PORT
  std::uint64_t in_flight = 0;
  bool draining = false;
  bool operator==(ServerLoad const&) const = default;
};

struct EntranceLoad {
  std::uint32_t port = 0;
  std::uint64_t requests = 0;   // since the balancer started
  std::uint64_t in_flight = 0;  // open and waiting, also those that are held
  std::vector<ServerLoad> servers;
  bool holds = true;  // false: this balancer refuses at once what no server can take
};

class Balancer {
 public:
  virtual ~Balancer() = default;
  // Entrances that are not named get no servers. A server that is not wanted any more and still has
  // open requests takes no new ones, and goes with a later call.
  virtual Result<std::vector<EntranceLoad>> reconcile(std::vector<Entrance> const& wanted) = 0;
};

}  // namespace lepton::deployer
