#include "services/deployer/core/place.hpp"

#include <algorithm>
#include <tuple>

namespace lepton::deployer {

namespace {

struct Option {
  Slot slot = 0;
  GpuChoice gpus;
  std::int64_t score = 0;
  std::uint64_t tie = 0;
  std::uint64_t order = 0;

  bool better_than(Option const& o) const {
    return std::tie(gpus.preference, o.score, tie, order) <
           std::tie(o.gpus.preference, score, o.tie, o.order);
  }
};

Option option(Node const& node, Slot slot, Room const& room, Ask const& ask, Policy const& policy) {
  auto const gpus = policy.choose_gpus(room, ask);
  return {slot, gpus, policy.score(node, room, ask, gpus), node.tie, node.spec.order};
}

std::optional<Option> best_option(Cluster const& cluster, Ask const& ask, Policy const& policy) {
  std::optional<Option> best;
  for (auto slot : cluster.pool(ask.pool)) {
    auto const& node = cluster.at(slot);
    if (!admits(now(node), ask)) continue;
    auto const o = option(node, slot, node.free, ask, policy);
    if (!best || o.better_than(*best)) best = o;
  }
  return best;
}

std::vector<GpuShare> shares(Room const& room, Ask const& ask, GpuChoice const& choice) {
  std::vector<GpuShare> out;
  if (ask.request.gpus == 0) return out;
  if (ask.fraction()) return {{choice.device, ask.request.gpu_milli}};
  auto const model = room.groups()[choice.group].model;
  for (std::uint32_t i = 0; i < room.devices().size() && out.size() < ask.request.gpus; ++i) {
    auto const& d = room.devices()[i];
    if (d.model == model && d.free_milli == whole_gpu && d.memory_mib >= ask.request.gpu_memory_mib)
      out.push_back({i, whole_gpu});
  }
  return out;
}

Allocation grant(Node const& node, Room const& room, Ask const& ask, GpuChoice const& choice) {
  auto const& r = ask.request;
  return {node.spec.id,
          r.cpu_milli,
          r.memory_mib,
          r.disk_mib,
          shares(room, ask, choice),
          room.ports().lowest_free(r.ports)};
}

Misfit unreadable(Error const& e, std::uint32_t tasks) {
  Misfit m;
  m.tasks = tasks;
  m.never = true;
  m.what = e.what;
  return m;
}

// The rooms that a gang has touched so far; the cluster itself stays as it is.
class Draft {
 public:
  explicit Draft(Cluster const& cluster) : cluster_(cluster) {}
  Room const& room(Slot slot) const {
    auto const touched = rooms_.find(slot);
    return touched == rooms_.end() ? cluster_.at(slot).free : touched->second;
  }
  void take(Slot slot, Allocation const& a) {
    auto& room = rooms_.try_emplace(slot, cluster_.at(slot).free).first->second;
    LEPTON_CHECK(room.take(a).has_value(), "a node admitted what it has no room for");
  }
  std::vector<Room const*> rooms(PoolId const& pool) const {
    std::vector<Room const*> all;
    for (auto slot : cluster_.pool(pool)) all.push_back(&room(slot));
    return all;
  }

 private:
  Cluster const& cluster_;
  std::map<Slot, Room> rooms_;
};

std::vector<Option> all_options(Cluster const& cluster, Ask const& ask, Policy const& policy) {
  std::vector<Option> options;
  for (auto slot : cluster.pool(ask.pool)) {
    auto const& node = cluster.at(slot);
    if (admits(now(node), ask)) options.push_back(option(node, slot, node.free, ask, policy));
  }
  return options;
}

}  // namespace

Placement place(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                Policy const& policy) {
  if (auto good = check_request(request); !good) return unreadable(good.error(), 1);
  Ask const ask(cluster, request, pool);
  auto const best = best_option(cluster, ask, policy);
  if (!best) return explain(cluster, ask, Draft(cluster).rooms(pool), 1, 0);
  auto const& node = cluster.at(best->slot);
  return grant(node, node.free, ask, best->gpus);
}

GangPlacement place_gang(Cluster const& cluster, ResourceRequest const& request, PoolId const& pool,
                         std::uint32_t tasks, Policy const& policy) {
  if (auto good = check_request(request); !good) return unreadable(good.error(), tasks);
  if (tasks < 1 || tasks > 1024)
    return unreadable({Code::invalid, "a gang has 1 to 1024 tasks"}, tasks);
  Ask const ask(cluster, request, pool);
  Draft draft(cluster);
  std::vector<Allocation> members;
  auto options = all_options(cluster, ask, policy);
  while (members.size() < tasks && !options.empty()) {
    auto const best =
        std::min_element(options.begin(), options.end(),
                         [](Option const& a, Option const& b) { return a.better_than(b); });
    auto const slot = best->slot;
    auto const& node = cluster.at(slot);
    members.push_back(grant(node, draft.room(slot), ask, best->gpus));
    draft.take(slot, members.back());
    auto const& room = draft.room(slot);
    if (admits(with_room(node, room), ask)) {
      *best = option(node, slot, room, ask, policy);
    } else {
      *best = options.back();
      options.pop_back();
    }
  }
  if (members.size() == tasks) return members;
  auto const fit = static_cast<std::uint32_t>(members.size());
  return explain(cluster, ask, draft.rooms(pool), tasks, fit);
}

std::vector<Candidate> candidates(Cluster const& cluster, ResourceRequest const& request,
                                  PoolId const& pool, std::size_t limit, Policy const& policy) {
  std::vector<Candidate> out;
  if (!check_request(request)) return out;
  Ask const ask(cluster, request, pool);
  auto options = all_options(cluster, ask, policy);
  std::sort(options.begin(), options.end(),
            [](Option const& a, Option const& b) { return a.better_than(b); });
  for (auto const& o : options) {
    if (out.size() == limit) break;
    out.push_back({cluster.at(o.slot).spec.id, o.gpus.preference, o.score});
  }
  return out;
}

}  // namespace lepton::deployer
