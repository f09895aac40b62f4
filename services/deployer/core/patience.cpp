#include "services/deployer/core/patience.hpp"
#include "common/base/planted.hpp"

namespace lepton::deployer {

std::vector<QueuedJob> Patience::candidates(Queue const& queue, PoolId const& pool, WallMs now_ms) {
  if (planted("patience_forgotten")) return {};
  auto const since = now_ms - patience_ms_;
  auto const last = looked_at_.find(pool);
  auto const after = last == looked_at_.end() ? std::nullopt : std::optional(last->second);
  auto jobs = queue.waiting_since(pool, since, looks_per_check, after);
  if (jobs.empty() && after) jobs = queue.waiting_since(pool, since, looks_per_check);
  if (jobs.empty())
    looked_at_.erase(pool);
  else
    looked_at_[pool] = {jobs.back().waits_since_ms, jobs.back().order};
  return jobs;
}

}  // namespace lepton::deployer
