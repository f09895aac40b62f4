#include "services/deployer/core/backfill.hpp"

#include <algorithm>
#include <set>

#include "common/base/planted.hpp"
#include "services/deployer/core/hold.hpp"
#include "services/deployer/core/topology.hpp"

namespace lepton::deployer {
namespace {

std::int64_t less(std::int64_t a, std::int64_t b) {
  return std::max<std::int64_t>(0, a - b);
}

// The sum of two parts of one node.
void add_to(Allocation& sum, Allocation const& a) {
  sum.cpu_milli += a.cpu_milli;
  sum.memory_mib += a.memory_mib;
  sum.disk_mib += a.disk_mib;
  sum.bandwidth_mbit += a.bandwidth_mbit;
  for (auto const& share : a.gpus) {
    auto const same = std::find_if(sum.gpus.begin(), sum.gpus.end(),
                                   [&](GpuShare const& s) { return s.index == share.index; });
    if (same == sum.gpus.end())
      sum.gpus.push_back(share);
    else
      same->milli += share.milli;
  }
  sum.ports.insert(sum.ports.end(), a.ports.begin(), a.ports.end());
}

void subtract(Allocation& sum, Allocation const& a) {
  sum.cpu_milli = less(sum.cpu_milli, a.cpu_milli);
  sum.memory_mib = less(sum.memory_mib, a.memory_mib);
  sum.disk_mib = less(sum.disk_mib, a.disk_mib);
  sum.bandwidth_mbit = less(sum.bandwidth_mbit, a.bandwidth_mbit);
  for (auto& share : sum.gpus)
    for (auto const& other : a.gpus)
      if (share.index == other.index)
        share.milli = static_cast<std::uint32_t>(less(share.milli, other.milli));
  std::erase_if(sum.gpus, [](GpuShare const& s) { return s.milli == 0; });
  std::erase_if(sum.ports, [&](std::uint32_t port) {
    return std::find(a.ports.begin(), a.ports.end(), port) != a.ports.end();
  });
}

// Whether the room takes both.
bool takes(Room room, Allocation const& first, Allocation const& second) {
  return room.take(first).has_value() && room.take(second).has_value();
}

// Gives back, limit by limit, and counts the tasks that fit.
class Forecast {
 public:
  Forecast(Cluster const& cluster, Ask const& ask, Draft& draft)
      : cluster_(cluster), ask_(ask), draft_(draft) {
    for (auto slot : cluster.pool(ask.pool)) total_ += members_[slot] = members_on(slot);
  }

  void give(Allocation const& held) {
    auto const* node = cluster_.find(held.node);
    if (node == nullptr) return;
    draft_.give(node->slot, held);
    auto const found = members_.find(node->slot);
    if (found == members_.end()) return;  // another pool
    total_ -= found->second;
    total_ += found->second = members_on(node->slot);
  }
  std::uint64_t tasks() const { return total_; }

 private:
  std::uint64_t members_on(Slot slot) const {
    return members_in(with_room(cluster_.at(slot), draft_.room(slot)), ask_);
  }

  Cluster const& cluster_;
  Ask const& ask_;
  Draft& draft_;
  std::map<Slot, std::uint64_t> members_;
  std::uint64_t total_ = 0;
};

bool fill_any(Draft& draft, Cluster const& cluster, Ask const& ask, Policy const& policy,
              std::uint32_t tasks) {
  if (ask.request.where.topology == TopologyMode::none)
    return fill(draft, cluster, ask, policy, tasks);
  auto laid = place_by_topology(draft, cluster, ask, policy, tasks);
  auto* places = std::get_if<std::vector<Allocation>>(&laid);
  if (places == nullptr) return false;
  draft.taken() = std::move(*places);
  return true;
}

}  // namespace

std::optional<Reservation> reserve(Cluster const& cluster, JobId const& job,
                                   ResourceRequest const& request, PoolId const& pool,
                                   std::uint32_t tasks, std::vector<Limited> limited, WallMs now_ms,
                                   Policy const& policy) {
  if (!check_request(request) || tasks < 1 || tasks > most_gang_tasks) return std::nullopt;
  std::sort(limited.begin(), limited.end(), [](Limited const& a, Limited const& b) {
    return a.ends_by_ms != b.ends_by_ms ? a.ends_by_ms < b.ends_by_ms : a.job < b.job;
  });
  Ask const ask(cluster, request, pool);
  Draft draft(cluster);
  Forecast forecast(cluster, ask, draft);
  Reservation r{job, now_ms, {}, {}};
  for (std::size_t i = 0;; ++i) {
    if (forecast.tasks() >= tasks && fill_any(draft, cluster, ask, policy, tasks)) break;
    if (i == limited.size()) return std::nullopt;
    r.last = limited[i].job;
    r.starts_by_ms = std::max(now_ms, limited[i].ends_by_ms);
    for (auto const& held : limited[i].held) forecast.give(held);
  }
  r.places = std::move(draft.taken());
  return r;
}

Allocation kept_on(Cluster const& cluster, NodeId const& node, Reservation const& reservation,
                   EndsBy const& ends_by) {
  Allocation kept;
  kept.node = node;
  for (auto const& place : reservation.places)
    if (place.node == node) add_to(kept, place);
  for (auto const& attempt : cluster.holders(node)) {
    auto const ends = ends_by(attempt);
    if (ends && *ends <= reservation.starts_by_ms) subtract(kept, *cluster.held(attempt));
  }
  return kept;
}

bool leaves_whole(Cluster const& cluster, Reservation const& reservation, EndsBy const& ends_by,
                  std::vector<Allocation> const& start, std::optional<WallMs> start_ends_by_ms) {
  if (start_ends_by_ms && *start_ends_by_ms <= reservation.starts_by_ms) return true;
  if (planted("head_delayed")) return true;
  std::map<NodeId, Allocation> by_node;
  for (auto const& a : start) {
    auto& sum = by_node[a.node];
    sum.node = a.node;
    add_to(sum, a);
  }
  return std::all_of(by_node.begin(), by_node.end(), [&](auto const& entry) {
    auto const& [node, sum] = entry;
    auto const& room = cluster.find(node)->free;
    return takes(room, part_of(room, kept_on(cluster, node, reservation, ends_by)), sum);
  });
}

std::optional<std::vector<Allocation>> place_beside(
    Cluster const& cluster, ResourceRequest const& request, PoolId const& pool, std::uint32_t tasks,
    Policy const& policy, Reservation const& reservation, EndsBy const& ends_by) {
  Ask const ask(cluster, request, pool);
  Draft draft(cluster);
  std::set<NodeId> nodes;
  for (auto const& place : reservation.places) nodes.insert(place.node);
  for (auto const& id : nodes) {
    auto const* node = cluster.find(id);
    if (node == nullptr) continue;
    draft.take_back(node->slot, part_of(node->free, kept_on(cluster, id, reservation, ends_by)));
  }
  if (!fill_any(draft, cluster, ask, policy, tasks)) return std::nullopt;
  return std::move(draft.taken());
}

}  // namespace lepton::deployer
