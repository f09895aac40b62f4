#include "services/deployer/core/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace lepton::deployer {
namespace {

using Domains = std::map<std::string, std::vector<Slot>>;

Domains domains_of(Cluster const& cluster, Ask const& ask, bool unlabelled_too) {
  Domains domains;
  for (auto slot : cluster.pool(ask.pool)) {
    auto const& labels = cluster.at(slot).spec.labels;
    auto const label = labels.find(ask.request.where.topology_label);
    if (label != labels.end())
      domains[label->second].push_back(slot);
    else if (unlabelled_too)
      domains[""].push_back(slot);
  }
  return domains;
}

// How many tasks a domain takes now, and if all was ready and empty.
struct Takes {
  std::uint64_t now = 0, ever = 0;
  std::uint64_t tie = ~std::uint64_t{0};  // of its first node; does not depend on names
  Slot first = 0;
};

Takes takes_of(std::vector<Slot> const& slots, Cluster const& cluster, Draft const& draft,
               Ask const& ask) {
  Takes takes;
  for (auto slot : slots) {
    auto const& node = cluster.at(slot);
    takes.now += members_in(with_room(node, draft.room(slot)), ask);
    takes.ever += members_in(empty(node), ask);
    if (node.tie < takes.tie) takes.tie = node.tie, takes.first = slot;
  }
  return takes;
}

std::string too_small(Ask const& ask, std::uint32_t tasks, std::uint64_t ever) {
  return fmt::format(
      "the gang is larger than every {} of pool '{}': {} tasks wanted, {} would fit if all was "
      "empty",
      ask.request.where.topology_label, ask.pool.value, tasks, ever);
}

// Nodes may have room, but no domain has enough of it.
Misfit no_domain(Cluster const& cluster, Draft const& draft, Ask const& ask, Domains const& domains,
                 std::uint32_t tasks) {
  auto const& label = ask.request.where.topology_label;
  Misfit m;
  m.tasks = tasks;
  m.pool_nodes = static_cast<std::uint32_t>(cluster.pool(ask.pool).size());
  m.rejected = {{"topology", m.pool_nodes}};
  std::string roomiest;
  Takes best = takes_of(cluster.pool(ask.pool), cluster, draft, ask);
  best.now = best.ever = 0;
  std::uint64_t ever = 0;
  for (auto const& [name, slots] : domains) {
    auto const takes = takes_of(slots, cluster, draft, ask);
    ever = std::max(ever, takes.ever);
    if (roomiest.empty() || takes.now > best.now || (takes.now == best.now && takes.tie < best.tie))
      roomiest = name, best = takes;
  }
  m.nearest = cluster.at(best.first).spec.id;
  m.fit_now = static_cast<std::uint32_t>(std::min<std::uint64_t>(best.now, tasks));
  m.never = ever < tasks;
  if (domains.empty())
    m.what = fmt::format("no node of pool '{}' has a label '{}', which topology packs by",
                         ask.pool.value, label);
  else
    m.what = m.never ? too_small(ask, tasks, ever)
                     : fmt::format(
                           "no {} has room for all {} tasks; the roomiest, {}={}, takes {} "
                           "now",
                           label, tasks, label, roomiest, best.now);
  return m;
}

// Where no node takes any task the rules that reject are the reason.
Misfit why_not_packed(Cluster const& cluster, Draft const& draft, Ask const& ask,
                      Domains const& domains, std::uint32_t tasks) {
  auto const& slots = cluster.pool(ask.pool);
  if (slots.empty()) return explain(cluster, ask, {}, tasks, 0);
  auto const none = std::none_of(slots.begin(), slots.end(), [&](Slot slot) {
    return admits(with_room(cluster.at(slot), draft.room(slot)), ask);
  });
  auto packed = no_domain(cluster, draft, ask, domains, tasks);
  if (!none || packed.never) return packed;
  return explain(cluster, ask, draft.rooms(ask.pool), tasks, 0);
}

GangPlacement pack(Draft& draft, Cluster const& cluster, Ask const& ask, Policy const& policy,
                   std::uint32_t tasks) {
  auto const domains = domains_of(cluster, ask, false);
  std::vector<Slot> const* tightest = nullptr;
  Takes least;
  for (auto const& [name, slots] : domains) {
    auto const takes = takes_of(slots, cluster, draft, ask);
    if (takes.now < tasks) continue;
    if (tightest != nullptr && std::pair(takes.now, takes.tie) > std::pair(least.now, least.tie))
      continue;
    tightest = &slots;
    least = takes;
  }
  if (tightest == nullptr) return why_not_packed(cluster, draft, ask, domains, tasks);
  auto const whole = fill_on(*tightest, draft, cluster, ask, policy, tasks);
  LEPTON_CHECK(whole, "a domain does not take the tasks that were counted");
  return std::move(draft.taken());
}

struct Domain {
  std::vector<Option> heap;
  std::uint32_t tasks = 0;
};

// The domain with the fewest tasks; of several the one whose best node is best.
Domain* next_of(std::vector<Domain>& domains) {
  Domain* best = nullptr;
  for (auto& d : domains) {
    if (d.heap.empty()) continue;
    if (best == nullptr || d.tasks < best->tasks ||
        (d.tasks == best->tasks && best->heap.front() < d.heap.front()))
      best = &d;
  }
  return best;
}

GangPlacement spread(Draft& draft, Cluster const& cluster, Ask const& ask, Policy const& policy,
                     std::uint32_t tasks) {
  std::vector<Domain> domains;
  ShelfRange range;
  for (auto const& [name, slots] : domains_of(cluster, ask, true)) {
    domains.push_back({options_on(slots, cluster, draft, ask, policy, range), 0});
    std::make_heap(domains.back().heap.begin(), domains.back().heap.end());
  }
  while (draft.taken().size() < tasks) {
    auto* domain = next_of(domains);
    if (domain == nullptr) break;
    take_best(domain->heap, draft, cluster, ask, policy, range);
    ++domain->tasks;
  }
  if (draft.taken().size() == tasks) return std::move(draft.taken());
  auto const fit = static_cast<std::uint32_t>(draft.taken().size());
  return explain(cluster, ask, draft.rooms(ask.pool), tasks, fit);
}

}  // namespace

GangPlacement place_by_topology(Draft& draft, Cluster const& cluster, Ask const& ask,
                                Policy const& policy, std::uint32_t tasks) {
  auto const packs = ask.request.where.topology == TopologyMode::pack;
  return packs ? pack(draft, cluster, ask, policy, tasks)
               : spread(draft, cluster, ask, policy, tasks);
}

}  // namespace lepton::deployer
