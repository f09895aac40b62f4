#pragma once
// Ports that replicas have left. The balancer is told later than the port is free, or not at all
// while it cannot be reached: given to other work at once, the port would bring requests of one
// service to another. So it is held in the cluster, over restarts too, until the balancer has been
// seen to send nothing new there. The deployer's thread.

#include <map>
#include <vector>

#include "common/actor/actor.hpp"
#include "services/deployer/balancer/balancer.hpp"
#include "services/deployer/core/cluster.hpp"
#include "services/deployer/service_rows.hpp"

namespace lepton::deployer {

class VacatedPorts {
 public:
  using Context = actor::Context;

  explicit VacatedPorts(Cluster& cluster) : cluster_(cluster) {}

  void restore(actor::Rows const& rows);
  // In a new life. Without a balancer, or without the node, there is nothing left to wait for.
  void start(bool has_balancer, Context& c);
  // The attempt has given back the port at which the balancer found it.
  void add(AttemptId const& attempt, NodeId const& node, BalancedServer const& server, Context& c);
  // Of those that were there before the balancer was told; true when one is free again.
  bool free(std::vector<AttemptId> const& before, std::vector<EntranceLoad> const& seen,
            Context& c);

  std::vector<AttemptId> holders() const;
  std::size_t size() const { return rows_.size(); }

 private:
  Cluster& cluster_;
  std::map<AttemptId, VacatedPortRow> rows_;  // by who holds the port: no attempt of a job
};

}  // namespace lepton::deployer
