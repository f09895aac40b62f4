#include "services/deployer/balancer/fake_balancer.hpp"

#include <algorithm>

namespace lepton::deployer {

std::uint64_t FakeBalancer::open_at(std::string const& server) const {
  auto const found = in_flight_.find(server);
  return found == in_flight_.end() ? 0 : found->second;
}

void FakeBalancer::bring(std::uint32_t port, std::vector<BalancedServer> const& wanted) {
  std::map<std::string, BalancedServer> next;
  for (auto const& server : wanted) next[server.name] = server;
  for (auto const& [name, server] : entrances_[port])
    if (!next.contains(name) && open_at(name) > 0) {
      auto leaving = server;
      leaving.draining = true;
      next[name] = leaving;
    }
  entrances_[port] = std::move(next);
}

Result<std::vector<EntranceLoad>> FakeBalancer::reconcile(std::vector<Entrance> const& wanted) {
  if (away_) return Error{Code::unavailable, "the balancer is away"};
  for (auto const& entrance : wanted)
    if (entrance.port < first_ || entrance.port >= first_ + count_)
      return Error{Code::invalid, "port " + std::to_string(entrance.port) + " is no entrance"};
  std::map<std::uint32_t, std::vector<BalancedServer>> by_port;
  hold_ms_.clear();
  for (auto const& entrance : wanted) {
    by_port[entrance.port] = entrance.servers;
    hold_ms_[entrance.port] = entrance.hold_ms;
  }
  std::vector<EntranceLoad> seen;
  for (auto port = first_; port < first_ + count_; ++port) {
    bring(port, by_port[port]);
    EntranceLoad load{port, requests_[port], 0, {}};
    for (auto const& [name, server] : entrances_[port]) {
      load.servers.push_back({name, address_of(server), open_at(name), server.draining});
      load.in_flight += open_at(name);
    }
    load.in_flight += held_at(port);
    seen.push_back(std::move(load));
  }
  return seen;
}

// They are answered as soon as a server takes new requests, and refused where none may wait.
std::uint64_t FakeBalancer::held_at(std::uint32_t port) {
  auto const open = std::any_of(entrances_[port].begin(), entrances_[port].end(),
                                [](auto const& server) { return !server.second.draining; });
  if (open) requests_[port] += held_[port];
  if (open || hold_ms(port) == 0) held_[port] = 0;
  return held_[port];
}

void FakeBalancer::restart() {
  entrances_.clear();
  held_.clear();
  requests_.clear();
  in_flight_.clear();
}

std::vector<BalancedServer> FakeBalancer::servers(std::uint32_t port) const {
  std::vector<BalancedServer> all;
  if (auto const found = entrances_.find(port); found != entrances_.end())
    for (auto const& [name, server] : found->second) all.push_back(server);
  return all;
}

}  // namespace lepton::deployer
