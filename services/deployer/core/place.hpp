#pragma once
// Placement: one task, or a gang all or nothing, on the nodes of one pool. Reads the cluster and
// changes nothing: the caller reserves what comes back. The same cluster and request give the same
// answer, whatever the spelling of node names and the order in which nodes were added.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/deployer/core/explain.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

using Placement = std::variant<Allocation, Misfit>;
using GangPlacement = std::variant<std::vector<Allocation>, Misfit>;

// The request should have passed check_request; one that has not is a Misfit that never fits.
Placement place(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                Policy const& policy = best_fit());

// `tasks` equal members (1..1024), several may share a node. Greedy is exact here: members are
// equal, so each node takes a fixed number of them, whichever come first.
GangPlacement place_gang(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                         std::uint32_t tasks, Policy const& policy = best_fit());

// Where a task could go, best first, with its score: for `lepton plan` and for tests. At most
// `limit`.
struct Candidate {
  NodeId node;
  std::uint32_t preference = 0;
  std::int64_t score = 0;
};
std::vector<Candidate> candidates(Cluster const& cluster, ResourceRequest const& request,
                                  PoolId const& pool, std::size_t limit,
                                  Policy const& policy = best_fit());

}  // namespace lepton::deployer
