#include "services/deployer/core/place.hpp"

#include <algorithm>

#include "services/deployer/core/islands.hpp"
#include "services/deployer/core/topology.hpp"

namespace lepton::deployer {

namespace {

std::vector<GpuShare> shares(Room const& room, Ask const& ask, GpuChoice const& choice) {
  std::vector<GpuShare> out;
  if (ask.request.gpus == 0) return out;
  if (ask.fraction()) return {{choice.device, ask.request.gpu_milli}};
  auto const model = room.groups()[choice.group].model;
  for (auto i : choose_devices(room, model, ask)) out.push_back({i, whole_gpu});
  return out;
}

}  // namespace

std::vector<NodeId> nodes_of(std::vector<Allocation> const& places) {
  std::vector<NodeId> nodes;
  nodes.reserve(places.size());
  for (auto const& place : places) nodes.push_back(place.node);
  return nodes;
}

Rank rank_of(Policy const& policy, Verdict const& v, Ask const& ask, Node const& node,
             ShelfRange range) {
  return {v.gpus.preference,  wishes_missed(ask, node),
          cost_of(ask, node), v.score - policy.price(v.shelf, ask, range),
          node.tie,           node.spec.order};
}

Misfit unreadable(Error const& e, std::uint32_t tasks) {
  Misfit m;
  m.tasks = tasks;
  m.never = true;
  m.what = e.what;
  return m;
}

Room const& Draft::room(Slot slot) const {
  auto const touched = rooms_.find(slot);
  return touched == rooms_.end() ? cluster_.at(slot).free : touched->second;
}

Allocation const& Draft::take(Slot slot, Ask const& ask, GpuChoice const& choice) {
  auto const& r = ask.request;
  auto const& before = room(slot);
  taken_.push_back({cluster_.at(slot).spec.id, r.cpu_milli, r.memory_mib, r.disk_mib,
                    shares(before, ask, choice), before.ports().lowest_free(r.ports),
                    r.bandwidth_mbit});
  take_back(slot, taken_.back());
  return taken_.back();
}

void Draft::give(Slot slot, Allocation const& held) {
  own_room(slot).give(held);
}

void Draft::take_back(Slot slot, Allocation const& held) {
  LEPTON_CHECK(own_room(slot).take(held).has_value(), "a node admitted what it has no room for");
}

std::vector<Room const*> Draft::rooms(PoolId const& pool) const {
  std::vector<Room const*> all;
  for (auto slot : cluster_.pool(pool)) all.push_back(&room(slot));
  return all;
}

std::vector<Option> options_on(std::vector<Slot> const& slots, Cluster const& cluster,
                               Draft const& draft, Ask const& ask, Policy const& policy,
                               ShelfRange& range) {
  std::vector<Slot> fitting;
  std::vector<Verdict> verdicts;
  for (auto slot : slots) {
    auto const& node = cluster.at(slot);
    auto const& room = draft.room(slot);
    if (!admits(with_room(node, room), ask)) continue;
    fitting.push_back(slot);
    verdicts.push_back(policy.judge(node, room, ask));
  }
  for (auto const& v : verdicts) range.include(v.shelf);
  std::vector<Option> options;
  options.reserve(fitting.size());
  for (std::size_t i = 0; i < fitting.size(); ++i)
    options.push_back({rank_of(policy, verdicts[i], ask, cluster.at(fitting[i]), range), fitting[i],
                       verdicts[i].gpus});
  return options;
}

bool take_best(std::vector<Option>& heap, Draft& draft, Cluster const& cluster, Ask const& ask,
               Policy const& policy, ShelfRange range) {
  if (heap.empty()) return false;
  std::pop_heap(heap.begin(), heap.end());
  auto& best = heap.back();
  draft.take(best.slot, ask, best.gpus);
  auto const& node = cluster.at(best.slot);
  auto const& room = draft.room(best.slot);
  if (admits(with_room(node, room), ask)) {
    auto const v = policy.judge(node, room, ask);
    best = {rank_of(policy, v, ask, node, range), best.slot, v.gpus};
    std::push_heap(heap.begin(), heap.end());
  } else {
    heap.pop_back();
  }
  return true;
}

// Takes the best option again and again; only the node that was taken is judged anew.
bool fill_on(std::vector<Slot> const& slots, Draft& draft, Cluster const& cluster, Ask const& ask,
             Policy const& policy, std::uint32_t tasks) {
  ShelfRange range;
  auto options = options_on(slots, cluster, draft, ask, policy, range);
  std::make_heap(options.begin(), options.end());
  while (draft.taken().size() < tasks && take_best(options, draft, cluster, ask, policy, range)) {
  }
  return draft.taken().size() == tasks;
}

bool fill(Draft& draft, Cluster const& cluster, Ask const& ask, Policy const& policy,
          std::uint32_t tasks) {
  return fill_on(cluster.pool(ask.pool), draft, cluster, ask, policy, tasks);
}

Placement place(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                Policy const& policy, bool ranked_models) {
  auto gang = place_gang(cluster, request, pool, 1, policy, ranked_models);
  if (auto* misfit = std::get_if<Misfit>(&gang)) return std::move(*misfit);
  return std::move(std::get<std::vector<Allocation>>(gang).front());
}

GangPlacement place_gang(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                         std::uint32_t tasks, Policy const& policy, bool ranked_models) {
  if (auto good = check_request(request); !good) return unreadable(good.error(), tasks);
  if (tasks < 1 || tasks > most_gang_tasks)
    return unreadable({Code::invalid, "a gang has 1 to 1024 tasks"}, tasks);
  Ask const ask(cluster, request, pool, ranked_models);
  Draft draft(cluster);
  if (request.where.topology != TopologyMode::none)
    return place_by_topology(draft, cluster, ask, policy, tasks);
  if (fill(draft, cluster, ask, policy, tasks)) return std::move(draft.taken());
  auto const fit = static_cast<std::uint32_t>(draft.taken().size());
  return explain(cluster, ask, draft.rooms(pool), tasks, fit);
}

std::vector<Candidate> candidates(Cluster const& cluster, ResourceRequest const& request,
                                  PoolId const& pool, std::size_t limit, Policy const& policy) {
  std::vector<Candidate> out;
  if (!check_request(request)) return out;
  Ask const ask(cluster, request, pool);
  ShelfRange range;
  auto options = options_on(cluster.pool(pool), cluster, Draft(cluster), ask, policy, range);
  std::sort(options.rbegin(), options.rend());
  for (auto const& o : options) {
    if (out.size() == limit) break;
    out.push_back({cluster.at(o.slot).spec.id, o.rank.preference, o.rank.score});
  }
  return out;
}

}  // namespace lepton::deployer
