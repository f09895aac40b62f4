#include "services/deployer/core/feasible.hpp"

#include <algorithm>

#include "schemas/mig.hpp"
#include "services/deployer/core/islands.hpp"

namespace lepton::deployer {

namespace {

Status check_mig(ResourceRequest const& r) {
  auto const bad = [](std::string why) { return Error{Code::invalid, std::move(why)}; };
  if (r.mig_profile.empty()) return ok();
  if (!is_mig_profile(r.mig_profile))
    return bad("resources: mig: '" + r.mig_profile.substr(0, 64) +
               "' is no profile of a MIG instance; write for example 1g.10gb");
  if (r.gpus == 0) return bad("resources: mig names a profile, but gpu asks for none");
  if (r.gpu_milli != whole_gpu) return bad("resources: mig: an instance is not shared");
  if (r.where.one_island) return bad("resources: mig: instances have no fast link to each other");
  return ok();
}

}  // namespace

Status check_request(ResourceRequest const& r) {
  auto const bad = [](char const* why) { return Error{Code::invalid, why}; };
  if (r.cpu_milli < 0 || r.memory_mib < 0 || r.disk_mib < 0 || r.gpu_memory_mib < 0 ||
      r.bandwidth_mbit < 0)
    return bad("resources: an amount is negative");
  if (r.gpus > 0 && (r.gpu_milli < 1 || r.gpu_milli > whole_gpu))
    return bad("resources: gpu_milli must be 1 to 1000");
  if (r.gpus > 1 && r.gpu_milli != whole_gpu)
    return bad("resources: a share of a GPU (gpu_milli below 1000) is given with gpus: 1 only");
  if (r.where.one_island && r.gpus < 2)
    return bad("resources: gpu_island is for tasks of two GPUs and more");
  if (r.where.one_numa && r.gpus == 0) return bad("resources: gpu_numa is for tasks with GPUs");
  return check_mig(r);
}

Ask::Ask(Cluster const& cluster, ResourceRequest const& r, PoolId const& p, bool ranked)
    : request(r), pool(p), by_profile(!r.mig_profile.empty() || cluster.has_instances()) {
  any_gpu = r.gpu_models.empty() && !by_profile;
  if (any_gpu) return;
  auto const& wanted = r.gpu_models;
  for (auto const& kind : cluster.gpu_kinds()) {
    auto const fits = kind.mig_profile == r.mig_profile;
    if (by_profile) of_profile.push_back(fits);
    auto const at = std::find(wanted.begin(), wanted.end(), kind.model) - wanted.begin();
    auto const place = static_cast<std::uint32_t>(ranked ? at : 0);
    auto const named = wanted.empty() || static_cast<std::size_t>(at) < wanted.size();
    preferences.push_back(fits && named ? place : refused);
  }
}

// Devices of one model may report slightly different memory.
GroupRoom room_in_mixed_group(Room const& room, Group const& g, Ask const& ask) {
  GroupRoom found;
  for (auto const& d : room.devices()) {
    if (d.model != g.model || d.memory_mib < ask.request.gpu_memory_mib) continue;
    found.whole_free += d.free_milli == whole_gpu ? 1 : 0;
    found.best_share = std::max(found.best_share, d.free_milli);
  }
  return found;
}

GroupRoom room_together(Room const& room, Group const& g, Ask const& ask) {
  return {most_together(room, g.model, ask), 0};
}

std::array<RuleInfo, rule_count> const& rules() {
  static auto const table = []<class... R>(std::tuple<R...> const*) {
    return std::array<RuleInfo, sizeof...(R)>{
        RuleInfo{R::name, R::phrase, R::unit, &R::wants, &R::has}...};
  }(static_cast<HardRules const*>(nullptr));
  return table;
}

}  // namespace lepton::deployer
