// What replicas use: asked of the monitor for services that are scaled by it.

#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

SeriesKey cpu_key(NodeId const& machine, AttemptId const& attempt) {
  return {machine, Series::task_cpu_cores, attempt.value};
}

std::vector<SeriesKey> gpu_keys(NodeId const& machine, Allocation const& given,
                                NodeCapacity const& capacity) {
  std::vector<SeriesKey> keys;
  for (auto const& gpu : given.gpus)
    if (gpu.index < capacity.gpus.size())
      keys.push_back({machine, Series::gpu_use, capacity.gpus[gpu.index].uuid});
  return keys;
}

}  // namespace

void Deployer::watch_use(Context& c) {
  std::set<SeriesKey> wanted;
  for (auto const& [name, s] : serving_.services) {
    if (!s.is_scaled_by_use()) continue;
    for (auto const& [number, replica] : s.replicas) {
      auto const& job = jobs_.at(replica.job);
      if (replica_state(replica) != ReplicaState::ready || job.allocations.empty()) continue;
      auto const& given = job.allocations[0];
      auto const node = nodes_.find(given.node);
      auto const& machine = cluster_.machine_of(given.node);
      if (s.spec().scale->signal == ScaleSignal::cpu)
        wanted.insert(cpu_key(machine, attempt_id(replica.job, 0, job.run.round)));
      else if (node != nodes_.end())
        for (auto& key : gpu_keys(machine, given, node->second.row.capacity))
          wanted.insert(std::move(key));
    }
  }
  use_watch_.ask(wanted, c);
}

// Of the replicas that a report calls ready.
std::vector<MeasuredUse> Deployer::measured(ServiceState const& s, TimeMs now) const {
  std::vector<MeasuredUse> all;
  for (auto const& r : replicas_of(s)) {
    if (r.state != ReplicaState::ready || r.silent) continue;
    auto const& replica = s.replicas.at(r.number);
    auto const& job = jobs_.at(replica.job);
    auto const& given = job.allocations.at(0);
    auto const& machine = cluster_.machine_of(given.node);
    MeasuredUse use{&given, {}, {}};
    use.cpu_cores =
        use_watch_.value(cpu_key(machine, attempt_id(replica.job, 0, job.run.round)), now);
    if (auto const node = nodes_.find(given.node); node != nodes_.end())
      for (auto const& key : gpu_keys(machine, given, node->second.row.capacity))
        use.gpus.push_back(use_watch_.value(key, now));
    all.push_back(std::move(use));
  }
  return all;
}

}  // namespace lepton::deployer
