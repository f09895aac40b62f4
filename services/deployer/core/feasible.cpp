#include "services/deployer/core/feasible.hpp"

#include <algorithm>

#include "services/deployer/core/islands.hpp"

namespace lepton::deployer {

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
  return ok();
}

Ask::Ask(Cluster const& cluster, ResourceRequest const& r, PoolId const& p, bool ranked)
    : request(r), pool(p), any_model(r.gpu_models.empty()) {
  if (any_model) return;
  auto const& models = cluster.models();
  preferences.assign(models.size(), refused);
  for (std::size_t i = r.gpu_models.size(); i-- > 0;) {
    auto const at = std::find(models.begin(), models.end(), r.gpu_models[i]) - models.begin();
    if (static_cast<std::size_t>(at) < models.size())
      preferences[static_cast<std::size_t>(at)] = ranked ? static_cast<std::uint32_t>(i) : 0;
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

GroupRoom room_in_island(Room const& room, Group const& g, Ask const& ask) {
  return {most_in_island(room, g.model, ask), 0};
}

std::array<RuleInfo, rule_count> const& rules() {
  static auto const table = []<class... R>(std::tuple<R...> const*) {
    return std::array<RuleInfo, sizeof...(R)>{
        RuleInfo{R::name, R::phrase, R::unit, &R::wants, &R::has}...};
  }(static_cast<HardRules const*>(nullptr));
  return table;
}

}  // namespace lepton::deployer
