#pragma once
// HaproxyBalancer: HAProxy 2.6 through its runtime API at a unix socket. Every call reads what is,
// sends what is missing, and reads again. Any thread, one call at a time. Times in ms.

#include <mutex>
#include <string>

#include "common/base/time.hpp"
#include "services/deployer/balancer/balancer.hpp"
#include "services/deployer/balancer/haproxy_page.hpp"

namespace lepton::deployer {

struct HaproxySettings {
  std::string socket;       // its admin socket
  TimeMs limit_ms = 3'000;  // of one exchange
};

class HaproxyBalancer final : public Balancer {
 public:
  explicit HaproxyBalancer(HaproxySettings settings) : settings_(std::move(settings)) {}
  Result<std::vector<EntranceLoad>> reconcile(std::vector<Entrance> const& wanted) override;

 private:
  Result<std::vector<HaproxyBackend>> look();
  Status bring(std::vector<HaproxyBackend> const& is, std::vector<Entrance> const& wanted,
               bool& changed);
  Status send(std::vector<std::string> const& commands);
  Result<std::string> exchange(std::string const& line);

  HaproxySettings settings_;
  std::mutex mutex_;
  bool holds_ = true;  // by the last look
};

// The configuration of an HAProxy with these entrances, for whoever starts it.
struct HaproxyPlan {
  std::string socket;
  std::string listen = "127.0.0.1";
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::string user;          // that it becomes after its start; empty: it stays who it is
  std::string hold_program;  // path of haproxy_hold_program()
};
// It wants three files: this one, the program, and an empty map that HAProxy reads at its start.
std::string haproxy_config(HaproxyPlan const& plan);
// The Lua action by which a request waits for a server (docs/decisions/0010-held-requests.md).
std::string haproxy_hold_program();
// Where the map of waiting times is: beside the socket.
std::string haproxy_hold_map(std::string const& socket);

}  // namespace lepton::deployer
