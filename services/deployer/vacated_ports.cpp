#include "services/deployer/vacated_ports.hpp"

#include "common/base/check.hpp"
#include "common/base/planted.hpp"

namespace lepton::deployer {
namespace {

Allocation held_by(VacatedPortRow const& row) {
  Allocation port;
  port.node = row.node;
  port.ports = {row.port};
  return port;
}

bool leads_to(std::vector<EntranceLoad> const& seen, std::string const& address) {
  for (auto const& entrance : seen)
    for (auto const& server : entrance.servers)
      if (server.address == address && !server.draining) return true;
  return false;
}

}  // namespace

void VacatedPorts::restore(actor::Rows const& rows) {
  for (auto& row : rows.of<VacatedPortRow>()) rows_[row.attempt] = row;
}

void VacatedPorts::start(bool has_balancer, Context& c) {
  std::erase_if(rows_, [&](auto const& one) {
    if (has_balancer && cluster_.reserve(one.first, held_by(one.second))) return false;
    c.erase(one.second);
    return true;
  });
}

void VacatedPorts::add(AttemptId const& attempt, NodeId const& node, BalancedServer const& server,
                       Context& c) {
  if (planted("port_given_at_once")) return;
  // No attempt of a job can be called so.
  AttemptId const holder{attempt.value + "-port"};
  VacatedPortRow const row{holder, node, server.port, address_of(server)};
  auto const held = cluster_.reserve(holder, held_by(row));
  LEPTON_CHECK(held.has_value(), "a port that was given back is not free");
  c.upsert(row);
  rows_[holder] = row;
}

bool VacatedPorts::free(std::vector<AttemptId> const& before, std::vector<EntranceLoad> const& seen,
                        Context& c) {
  bool freed = false;
  for (auto const& holder : before) {
    auto const found = rows_.find(holder);
    if (found == rows_.end() || leads_to(seen, found->second.address)) continue;
    freed |= cluster_.release(holder);
    c.erase(found->second);
    rows_.erase(found);
  }
  return freed;
}

std::vector<AttemptId> VacatedPorts::holders() const {
  std::vector<AttemptId> all;
  for (auto const& [holder, row] : rows_) all.push_back(holder);
  return all;
}

}  // namespace lepton::deployer
