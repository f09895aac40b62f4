#include <algorithm>

#include "services/deployer/serving.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t revisions_kept = 20;

}  // namespace

RolloutTarget ServiceState::target(WallMs now) const {
  auto const& s = spec();
  RolloutTarget t{row.template_number, row.proven, row.wanted, s.max_surge, s.max_unavailable};
  t.stalled = !row.stalled.empty();
  // A wall clock that was stepped back must not hold it longer than any pause.
  auto const pauses = now < row.not_before_ms && row.not_before_ms - now <= trial_backoff_max_ms;
  t.may_start = !row.removing && (t.stalled || !pauses);
  if (row.removing) t.replicas = 0;
  return t;
}

void after_restart(ServiceState& service, WallMs now) {
  for (auto& [number, replica] : service.replicas)
    replica.ready_at_ms = std::min(replica.ready_at_ms, now);
}

RevisionRow const* revision_with(ServiceState const& service, std::uint32_t template_number) {
  for (auto it = service.revisions.rbegin(); it != service.revisions.rend(); ++it)
    if (it->second.template_number == template_number) return &it->second;
  return nullptr;
}

std::vector<std::uint32_t> outlived_revisions(ServiceState const& service) {
  std::set<std::uint32_t> used{service.row.template_number, service.row.proven};
  for (auto const& [number, replica] : service.replicas) used.insert(replica.template_number);
  std::vector<std::uint32_t> outlived;
  auto left = service.revisions.size();
  for (auto const& [number, revision] : service.revisions) {
    if (left <= revisions_kept) break;
    if (used.contains(revision.template_number)) continue;
    outlived.push_back(number);
    --left;
  }
  return outlived;
}

std::uint32_t revert_target(ServiceState const& service, std::uint32_t wanted) {
  if (wanted != 0) return service.revisions.contains(wanted) ? wanted : 0;
  for (auto it = service.revisions.rbegin(); it != service.revisions.rend(); ++it)
    if (!(it->second.spec.task == service.spec().task)) return it->first;
  return 0;
}

}  // namespace lepton::deployer
