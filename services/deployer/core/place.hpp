#pragma once
// Placement: one task, or a gang all or nothing, on the nodes of one pool. Reads the cluster and
// changes nothing: the caller reserves what comes back. The same cluster and request give the same
// answer, whatever the spelling of node names and the order in which nodes were added.
// These functions look at every node; Placer gives the same answers and keeps what it saw.

#include <cstdint>
#include <map>
#include <variant>
#include <vector>

#include "services/deployer/core/explain.hpp"
#include "services/deployer/core/ranking.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

using Placement = std::variant<Allocation, Misfit>;
using GangPlacement = std::variant<std::vector<Allocation>, Misfit>;

inline constexpr std::uint32_t most_gang_tasks = 1024;

std::vector<NodeId> nodes_of(std::vector<Allocation> const& places);

// The request should have passed check_request; one that has not is a Misfit that never fits. Not
// ranked: the models that it names are equally welcome.
Placement place(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                Policy const& policy = best_fit(), bool ranked_models = true);

// `tasks` equal members (1..1024), several may share a node. Greedy is exact here: members are
// equal, so each node takes a fixed number of them, whichever come first.
GangPlacement place_gang(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                         std::uint32_t tasks, Policy const& policy = best_fit(),
                         bool ranked_models = true);

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

// Where tasks went that are not reserved yet; the cluster itself stays as it is.
class Draft {
 public:
  explicit Draft(Cluster const& cluster) : cluster_(cluster) {}
  Room const& room(Slot slot) const;
  // Takes the choice on this node, which must have room for it.
  Allocation const& take(Slot slot, Ask const& ask, GpuChoice const& choice);
  // As if what is held there had ended, or, after that, had not.
  void give(Slot slot, Allocation const& held);
  void take_back(Slot slot, Allocation const& held);
  std::vector<Allocation>& taken() { return taken_; }
  std::vector<Room const*> rooms(PoolId const& pool) const;

 private:
  Room& own_room(Slot slot) {
    return rooms_.try_emplace(slot, cluster_.at(slot).free).first->second;
  }

  Cluster const& cluster_;
  std::map<Slot, Room> rooms_;
  std::vector<Allocation> taken_;
};

// Adds members to the draft until it has `tasks`, where the draft has room; whether it has them.
bool fill(Draft& draft, Cluster const& cluster, Ask const& ask, Policy const& policy,
          std::uint32_t tasks);

// What could take one task more, for the heap functions of <algorithm>: the best is the largest.
struct Option {
  Rank rank;
  Slot slot = 0;
  GpuChoice gpus;
  bool operator<(Option const& o) const { return o.rank.better_than(rank); }
};
// Of these nodes, those that have room. The range of shelves grows by theirs.
std::vector<Option> options_on(std::vector<Slot> const& slots, Cluster const& cluster,
                               Draft const& draft, Ask const& ask, Policy const& policy,
                               ShelfRange& range);
// Gives a task to the best of the heap and judges its node anew; false: the heap is empty.
bool take_best(std::vector<Option>& heap, Draft& draft, Cluster const& cluster, Ask const& ask,
               Policy const& policy, ShelfRange range);
// As fill(), on these nodes alone.
bool fill_on(std::vector<Slot> const& slots, Draft& draft, Cluster const& cluster, Ask const& ask,
             Policy const& policy, std::uint32_t tasks);

// What a verdict is worth beside others.
Rank rank_of(Policy const& policy, Verdict const& v, Ask const& ask, Node const& node,
             ShelfRange range);
// The answer for a request that check_request refuses.
Misfit unreadable(Error const& e, std::uint32_t tasks);

}  // namespace lepton::deployer
