// Elastic jobs: while all tasks of one run, workers join them, up to its `nodes_max`. Each worker
// is a job of one task with less priority, which takes only what is free: it stops nobody, nobody
// waits behind it, and it gives way before its job does. It ends with the round that it joined.

#include "services/deployer/core/elastic.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {

bool Deployer::is_worker(JobId const& id) const {
  return jobs_.at(id).row.worker_of.has_value();
}

void Deployer::tick_elastic(Context& c) {
  std::vector<JobId> bases;
  for (auto const& id : live_)
    if (auto const& job = jobs_.at(id); !job.row.worker_of && takes_workers(job.spec(), job.run))
      bases.push_back(id);
  for (auto const& id : bases) add_workers(jobs_.at(id), c);
  auto const before = workers_;
  for (auto const& [base, workers] : before) {
    for (auto const& id : workers) end_worker(base, id, c);
    if (workers_.at(base).empty()) workers_.erase(base);
  }
}

// Those that have ended in this round stay ended.
void Deployer::add_workers(Job const& base, Context& c) {
  auto const spec = worker_spec(base.spec());
  for (std::uint32_t i = 0; i < base.spec().nodes_max - base.spec().nodes; ++i) {
    auto const id = worker_id(base.id(), i, base.run.round);
    if (jobs_.contains(id)) continue;
    if (queue_.size() + live_.size() >= settings_.jobs_max) return;
    JobRow common;
    common.owner = base.row.owner;
    common.policies = base.row.policies;
    common.token = base.row.token;
    common.worker_of = WorkerOf{base.id(), base.spec().nodes + i, base.run.round};
    auto& worker = take_in(id, spec, common, c);
    workers_[base.id()].insert(id);
    audit_job(worker, "deployer.job.worker_added", AuditOutcome::done, c);
    admit(worker, c);
    more_to_place_ = true;
  }
}

// Where its job has left the round that it joined.
void Deployer::end_worker(JobId const& base, JobId const& id, Context& c) {
  auto const worker = jobs_.find(id);
  if (worker == jobs_.end() || is_final(worker->second.run.state)) {
    workers_.at(base).erase(id);
    return;
  }
  auto const found = jobs_.find(base);
  auto const round = worker->second.row.worker_of->round;
  if (found != jobs_.end() && found->second.run.round == round &&
      found->second.run.state == JobState::running)
    return;
  if (worker->second.run.state == JobState::stopping) return;
  apply_event(worker->second, Cancel{"the job that it worked for runs no more"}, c);
}

void Deployer::note_worker(Job const& job) {
  if (job.row.worker_of && !is_final(job.run.state))
    workers_[job.row.worker_of->base].insert(job.id());
}

std::uint32_t Deployer::workers_running(JobId const& base) const {
  auto const found = workers_.find(base);
  if (found == workers_.end()) return 0;
  return static_cast<std::uint32_t>(
      std::count_if(found->second.begin(), found->second.end(),
                    [&](JobId const& id) { return jobs_.at(id).run.state == JobState::running; }));
}

// Workers find the first tasks of their job, and are numbered after them.
Seat Deployer::seat_of(Job const& job, std::uint32_t index) const {
  auto const& of = job.row.worker_of;
  auto const base = of ? jobs_.find(of->base) : jobs_.end();
  if (base == jobs_.end()) return {index, job.spec().nodes, gang_of(job)};
  return {of->index, base->second.spec().nodes, gang_of(base->second)};
}

}  // namespace lepton::deployer
