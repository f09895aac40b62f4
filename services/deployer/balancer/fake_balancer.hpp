#pragma once
// FakeBalancer: a balancer in memory with HAProxy's manners: it forgets all at a restart, and a
// server with open requests does not go. For tests and the simulation. One thread.

#include <map>
#include <set>

#include "services/deployer/balancer/balancer.hpp"

namespace lepton::deployer {

class FakeBalancer final : public Balancer {
 public:
  FakeBalancer(std::uint32_t first, std::uint32_t count) : first_(first), count_(count) {}

  Result<std::vector<EntranceLoad>> reconcile(std::vector<Entrance> const& wanted) override;

  // What happens to it.
  void restart();
  void go_away(bool away) { away_ = away; }
  void set_in_flight(std::string const& server, std::uint64_t open) { in_flight_[server] = open; }
  void serve(std::uint32_t port, std::uint64_t requests) { requests_[port] += requests; }
  // So many requests wait there for a first server.
  void hold(std::uint32_t port, std::uint64_t requests) { held_[port] = requests; }

  std::uint64_t held(std::uint32_t port) const {
    auto const found = held_.find(port);
    return found == held_.end() ? 0 : found->second;
  }
  void end_requests() { in_flight_.clear(); }

  // What stands behind the entrance now.
  std::vector<BalancedServer> servers(std::uint32_t port) const;
  std::int64_t hold_ms(std::uint32_t port) const {
    auto const found = hold_ms_.find(port);
    return found == hold_ms_.end() ? 0 : found->second;
  }

 private:
  std::uint64_t open_at(std::string const& server) const;
  void bring(std::uint32_t port, std::vector<BalancedServer> const& wanted);
  std::uint64_t held_at(std::uint32_t port);

  std::uint32_t first_, count_;
  bool away_ = false;
  std::map<std::uint32_t, std::map<std::string, BalancedServer>> entrances_;
  std::map<std::uint32_t, std::uint64_t> requests_;
  std::map<std::string, std::uint64_t> in_flight_;
  std::map<std::uint32_t, std::uint64_t> held_;
  std::map<std::uint32_t, std::int64_t> hold_ms_;
};

}  // namespace lepton::deployer
