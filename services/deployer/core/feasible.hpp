#pragma once
// The hard rules: what a node must have for a task to run there. Each rule is a small object that
// says what is wanted and what the node has, in one unit, so that the same code decides and
// explains. Pure; a View lives no longer than the room it shows.

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/states.hpp"
#include "schemas/values.hpp"
#include "services/deployer/core/affinity.hpp"
#include "services/deployer/core/cluster.hpp"
#include "services/deployer/core/prices.hpp"
#include "services/deployer/core/reach.hpp"

namespace lepton::deployer {

// Refuses a request that no cluster could read a meaning into, such as a share of several GPUs.
Status check_request(ResourceRequest const& r);

// A request made ready for many comparisons: models (and MIG profiles) as numbers. Valid for the
// cluster it was made with, until a node is added; refers to the request.
struct Ask {
  // Not ranked: the models named are equally welcome.
  Ask(Cluster const& cluster, ResourceRequest const& r, PoolId const& p, bool ranked = true);

  static constexpr std::uint32_t refused = 0xffffffff;
  // 0 for the most wanted model; refused for one that is not accepted.
  std::uint32_t preference(ModelIndex model) const {
    return any_gpu ? 0 : model < preferences.size() ? preferences[model] : refused;
  }
  bool profile_fits(ModelIndex model) const {
    return !by_profile || (model < of_profile.size() && of_profile[model]);
  }
  // Its devices must be near each other.
  bool together() const {
    return request.where.one_island || (request.where.one_numa && request.gpus > 1);
  }
  bool fraction() const { return request.gpus == 1 && request.gpu_milli < whole_gpu; }
  std::uint32_t gpu_milli() const { return request.gpus * request.gpu_milli; }

  ResourceRequest const& request;
  PoolId const& pool;
  bool any_gpu;  // whatever GPUs this cluster has
  std::vector<std::uint32_t> preferences;
  bool by_profile;               // it asks for instances, or the cluster has some
  std::vector<bool> of_profile;  // of each model; empty unless by_profile
};

// One node as a rule sees it: as it is now, or as if it were ready and empty.
struct View {
  NodeSpec const& spec;
  NodeState state;
  Room const& room;
};
inline View now(Node const& n) {
  return {n.spec, n.spec.state, n.free};
}
inline View with_room(Node const& n, Room const& room) {
  return {n.spec, n.spec.state, room};
}
inline View empty(Node const& n) {
  return {n.spec, NodeState::ready, n.full};
}

// What the devices of a group can give to this ask; nothing when the model is not accepted.
struct GroupRoom {
  std::uint32_t whole_free = 0;
  std::uint32_t best_share = 0;
};
GroupRoom room_in_mixed_group(Room const& room, Group const& g, Ask const& ask);
GroupRoom room_together(Room const& room, Group const& g, Ask const& ask);
inline GroupRoom room_in(Room const& room, Group const& g, Ask const& ask) {
  if (ask.preference(g.model) == Ask::refused) return {};
  if (ask.together()) return room_together(room, g, ask);
  auto const least = ask.request.gpu_memory_mib;
  if (least <= g.memory_min_mib) return {g.whole_free, g.best_share};
  if (least > g.memory_max_mib) return {};
  return room_in_mixed_group(room, g, ask);
}

// The most whole GPUs that one group of the node can give to this ask.
inline std::int64_t most_whole_free(View const& v, Ask const& a) {
  std::int64_t most = 0;
  for (auto const& g : v.room.groups())
    most = std::max<std::int64_t>(most, room_in(v.room, g, a).whole_free);
  return most;
}

// A rule admits a node when has() >= wants(). `name` is for machines, `phrase` and `unit` for
// people.
namespace rule {

struct Pool {
  static constexpr std::string_view name = "pool", phrase = "pool differs", unit = "";
  static std::int64_t wants(Ask const&) { return 1; }
  static std::int64_t has(View const& v, Ask const& a) { return v.spec.pool == a.pool ? 1 : 0; }
};
struct State {
  static constexpr std::string_view name = "state", phrase = "not ready", unit = "";
  static std::int64_t wants(Ask const&) { return 1; }
  static std::int64_t has(View const& v, Ask const&) { return v.state == NodeState::ready ? 1 : 0; }
};
struct Untainted {
  static constexpr std::string_view name = "taint", phrase = "taint not tolerated",
                                    unit = "toleration of its taint";
  static std::int64_t wants(Ask const&) { return 1; }
  static std::int64_t has(View const& v, Ask const& a) {
    if (v.spec.taints.empty()) return 1;
    return hard_taints(a.request.where, v.spec.taints) == 0 ? 1 : 0;
  }
};
struct Region {
  static constexpr std::string_view name = "region", phrase = "region not allowed",
                                    unit = "an allowed region";
  static std::int64_t wants(Ask const& a) { return a.request.where.regions.empty() ? 0 : 1; }
  static std::int64_t has(View const& v, Ask const& a) {
    return in_region(a.request.where, v.spec.labels) ? 1 : 0;
  }
};
struct LabelsPass {
  static constexpr std::string_view name = "labels", phrase = "labels differ",
                                    unit = "of the required labels";
  static std::int64_t wants(Ask const& a) {
    return static_cast<std::int64_t>(a.request.where.requirements.size());
  }
  static std::int64_t has(View const& v, Ask const& a) {
    return requirements_met(a.request.where, v.spec.labels);
  }
};
struct Limits {
  static constexpr std::string_view name = "limits", phrase = "over a limit", unit = "";
  static std::int64_t wants(Ask const& a) {
    return static_cast<std::int64_t>(a.request.where.limits.size());
  }
  static std::int64_t has(View const& v, Ask const& a) {
    return limits_met(a.request.where, v.spec.labels);
  }
};
struct Data {
  static constexpr std::string_view name = "data", phrase = "data too far away", unit = "";
  static std::int64_t wants(Ask const& a) { return a.request.where.data.within_ms > 0 ? 1 : 0; }
  static std::int64_t has(View const& v, Ask const& a) {
    auto const network = v.spec.capacity.bandwidth_mbit;
    return arrives_in_time(a.request.where.data, v.spec.labels, network) ? 1 : 0;
  }
};
struct Exposure {
  static constexpr std::string_view name = "exposure", phrase = "too exposed", unit = "";
  static std::int64_t wants(Ask const& a) {
    return a.request.where.exposure.weights.empty() ? 0 : 1;
  }
  static std::int64_t has(View const& v, Ask const& a) {
    return exposed_too_much(a.request.where.exposure, v.spec.labels) ? 0 : 1;
  }
};
struct Price {
  static constexpr std::string_view name = "price", phrase = "price too high", unit = "";
  static std::int64_t wants(Ask const& a) {
    return a.request.where.max_price_per_hour_micro > 0 ? 1 : 0;
  }
  static std::int64_t has(View const& v, Ask const& a) {
    return within_price(a.request.where, v.spec.capacity) ? 1 : 0;
  }
};
struct Spot {
  static constexpr std::string_view name = "spot", phrase = "spot not as asked", unit = "";
  static std::int64_t wants(Ask const& a) {
    auto const spot = a.request.where.spot;
    return spot == SpotUse::never || spot == SpotUse::only ? 1 : 0;
  }
  static std::int64_t has(View const& v, Ask const& a) {
    return may_use(a.request.where, v.spec.capacity) ? 1 : 0;
  }
};
// Whole GPUs, or instances of one profile: neither is taken for the other.
struct Mig {
  static constexpr std::string_view name = "mig", phrase = "mig profile differs", unit = "";
  static std::int64_t wants(Ask const& a) { return a.request.gpus > 0 && a.by_profile ? 1 : 0; }
  static std::int64_t has(View const& v, Ask const& a) {
    auto const& groups = v.room.groups();
    auto const fits = [&](Group const& g) { return a.profile_fits(g.model); };
    if (groups.empty()) return a.request.mig_profile.empty() ? 1 : 0;  // it lacks GPUs, not a kind
    return std::any_of(groups.begin(), groups.end(), fits) ? 1 : 0;
  }
};
struct GpuModel {
  static constexpr std::string_view name = "gpu_model", phrase = "gpu model differs", unit = "";
  static std::int64_t wants(Ask const& a) {
    return a.request.gpus > 0 && !a.request.gpu_models.empty() ? 1 : 0;
  }
  static std::int64_t has(View const& v, Ask const& a) {
    for (auto const& g : v.room.groups())
      if (a.preference(g.model) != Ask::refused) return 1;
    return 0;
  }
};
struct GpuMemory {
  static constexpr std::string_view name = "gpu_memory", phrase = "gpu memory too small",
                                    unit = "MiB of memory on each GPU";
  static std::int64_t wants(Ask const& a) {
    return a.request.gpus > 0 ? a.request.gpu_memory_mib : 0;
  }
  static std::int64_t has(View const& v, Ask const& a) {
    std::int64_t most = 0;
    for (auto const& g : v.room.groups())
      if (a.preference(g.model) != Ask::refused && g.memory_max_mib > most) most = g.memory_max_mib;
    return most;
  }
};
struct Island {
  static constexpr std::string_view name = "gpu_island", phrase = "gpus of one island short",
                                    unit = "GPUs of one island";
  static std::int64_t wants(Ask const& a) {
    return a.request.where.one_island && !a.request.where.one_numa ? a.request.gpus : 0;
  }
  static std::int64_t has(View const& v, Ask const& a) { return most_whole_free(v, a); }
};
struct Numa {
  static constexpr std::string_view name = "gpu_numa", phrase = "gpus of one numa node short",
                                    unit = "GPUs of one NUMA node";
  static std::int64_t wants(Ask const& a) {
    return a.together() && a.request.where.one_numa ? a.request.gpus : 0;
  }
  static std::int64_t has(View const& v, Ask const& a) { return most_whole_free(v, a); }
};
struct Gpus {
  static constexpr std::string_view name = "gpus", phrase = "gpus short",
                                    unit = "GPUs of one model";
  static std::int64_t wants(Ask const& a) {
    return a.fraction() || a.together() ? 0 : a.request.gpus;
  }
  static std::int64_t has(View const& v, Ask const& a) { return most_whole_free(v, a); }
};
struct GpuShare {
  static constexpr std::string_view name = "gpu_share", phrase = "gpu share short",
                                    unit = "thousandths of one GPU";
  static std::int64_t wants(Ask const& a) { return a.fraction() ? a.request.gpu_milli : 0; }
  static std::int64_t has(View const& v, Ask const& a) {
    std::int64_t most = 0;
    for (auto const& g : v.room.groups())
      most = std::max<std::int64_t>(most, room_in(v.room, g, a).best_share);
    return most;
  }
};
struct Cpu {
  static constexpr std::string_view name = "cpu", phrase = "cpu short",
                                    unit = "thousandths of a core";
  static std::int64_t wants(Ask const& a) { return a.request.cpu_milli; }
  static std::int64_t has(View const& v, Ask const&) { return v.room.cpu_milli(); }
};
struct Memory {
  static constexpr std::string_view name = "memory", phrase = "memory short",
                                    unit = "MiB of memory";
  static std::int64_t wants(Ask const& a) { return a.request.memory_mib; }
  static std::int64_t has(View const& v, Ask const&) { return v.room.memory_mib(); }
};
struct Disk {
  static constexpr std::string_view name = "disk", phrase = "disk short", unit = "MiB of disk";
  static std::int64_t wants(Ask const& a) { return a.request.disk_mib; }
  static std::int64_t has(View const& v, Ask const&) { return v.room.disk_mib(); }
};
struct Bandwidth {
  static constexpr std::string_view name = "bandwidth", phrase = "bandwidth short",
                                    unit = "Mbit/s of network";
  static std::int64_t wants(Ask const& a) { return a.request.bandwidth_mbit; }
  static std::int64_t has(View const& v, Ask const&) { return v.room.bandwidth_mbit(); }
};
struct PortCount {
  static constexpr std::string_view name = "ports", phrase = "ports short", unit = "ports";
  static std::int64_t wants(Ask const& a) { return a.request.ports; }
  static std::int64_t has(View const& v, Ask const&) { return v.room.ports().free(); }
};

}  // namespace rule

// The order decides which rule a rejection is counted under: the one least likely to change first.
using HardRules = std::tuple<rule::Pool, rule::State, rule::Untainted, rule::Region,
                             rule::LabelsPass, rule::Limits, rule::Data, rule::Exposure,
                             rule::Price, rule::Spot, rule::Mig, rule::GpuModel, rule::GpuMemory,
                             rule::Island, rule::Numa, rule::Gpus, rule::GpuShare, rule::Cpu,
                             rule::Memory, rule::Disk, rule::Bandwidth, rule::PortCount>;
inline constexpr std::size_t rule_count = std::tuple_size_v<HardRules>;

// Index of the first rule that rejects, or rule_count.
inline std::size_t first_rejection(View const& v, Ask const& a) {
  return []<class... R>(View const& view, Ask const& ask, std::tuple<R...> const*) {
    std::size_t i = 0;
    (void)((R::wants(ask) <= 0 || R::has(view, ask) >= R::wants(ask) ? (++i, true) : false) && ...);
    return i;
  }(v, a, static_cast<HardRules const*>(nullptr));
}
inline bool admits(View const& v, Ask const& a) {
  return first_rejection(v, a) == rule_count;
}

// The same rules as a table, for explanations.
struct RuleInfo {
  std::string_view name, phrase, unit;
  std::int64_t (*wants)(Ask const&);
  std::int64_t (*has)(View const&, Ask const&);
};
std::array<RuleInfo, rule_count> const& rules();

}  // namespace lepton::deployer
