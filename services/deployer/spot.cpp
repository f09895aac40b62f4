// Who stays off spot nodes: an array or service may want so many of it on other nodes before any
// goes to one that its owner may take away (core/prices). Counted from what is placed now; nothing
// is stored. Replicas count beside those of their own template only, so that a rollout ends as the
// first start did.

#include <algorithm>

#include "services/deployer/core/prices.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {

// Empty for a job that may go where it wants to without a look at others, its owner, and the time.
std::string Deployer::kin_of(Job const& job) const {
  auto const base = kin_by_base(job);
  if (!slices_.is_restricted(job.row.pool)) return base;
  return base + "/" + job.row.owner + "/" + std::to_string(job.spec().max_duration_ms);
}

std::string Deployer::kin_by_base(Job const& job) const {
  if (job.spec().on_demand_base == 0) return "";
  if (!job.row.array_of.empty()) return "array/" + job.row.array_of.value;
  auto const replica = serving_.replicas.find(job.id());
  if (replica == serving_.replicas.end()) return "";
  auto const& [service, number] = replica->second;
  auto const& known = serving_.services.at(service).replicas.at(number);
  return "service/" + service + "/" + std::to_string(known.template_number);
}

std::vector<JobId> Deployer::kin_jobs(Job const& job) const {
  std::vector<JobId> all;
  if (auto const array = arrays_.find(job.row.array_of); array != arrays_.end())
    all.assign(array->second.active.begin(), array->second.active.end());
  auto const replica = serving_.replicas.find(job.id());
  if (replica == serving_.replicas.end()) return all;
  auto const& replicas = serving_.services.at(replica->second.first).replicas;
  auto const mine = replicas.at(replica->second.second).template_number;
  for (auto const& [number, other] : replicas)
    if (other.template_number == mine && other.drain_until_ms == 0) all.push_back(other.job);
  return all;
}

// All of its tasks are placed, none of them on a spot node, and it is not on its way out.
bool Deployer::is_on_demand(Job const& job) const {
  if (job.run.state == JobState::stopping || is_final(job.run.state)) return false;
  return !job.allocations.empty() &&
         std::none_of(job.allocations.begin(), job.allocations.end(), [&](Allocation const& a) {
           auto const* node = cluster_.find(a.node);
           return node == nullptr || node->spec.capacity.spot;
         });
}

std::uint32_t Deployer::standing_beside(Job const& job) const {
  auto const kin = kin_of(job);
  if (kin.empty()) return 0;
  if (auto const known = standing_.find(kin); known != standing_.end()) return known->second;
  std::uint32_t standing = 0;
  for (auto const& id : kin_jobs(job))
    if (id != job.id() && is_on_demand(jobs_.at(id)) && ++standing >= job.spec().on_demand_base)
      break;  // more of them change nothing
  return standing;
}

ResourceRequest Deployer::request_of(Job const& job) const {
  return sized(asked_now(job.spec(), standing_beside(job)), size_of(job.resources()));
}

QueuedJob Deployer::as_now(QueuedJob const& queued) const {
  auto now = queued;
  if (!queued.kin.empty()) now.resources = request_of(jobs_.at(queued.job));
  return now;
}

// It was placed in the present pass.
void Deployer::note_standing(Job const& job) {
  if (job.spec().on_demand_base == 0 || !is_on_demand(job)) return;
  auto const known = standing_.find(kin_of(job));
  if (known != standing_.end()) ++known->second;
}

}  // namespace lepton::deployer
