// Elastic jobs: while all tasks of one run, workers join them, up to its `nodes_max`. Each worker
// is a job of one task with less priority, which takes only what is free: it stops nobody, nobody
// waits behind it, and it gives way before its job does. It ends with the round that it joined.

#include "services/deployer/core/elastic.hpp"
#include "common/base/planted.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {

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

// A few wait at one time. Each is made once in a round: one that has ended stays ended.
void Deployer::add_workers(Job& base, Context& c) {
  auto& run = base.run;
  if (std::exchange(run.workers_round, run.round) != run.round) run.workers_made = 0;
  auto const most = base.spec().nodes_max - base.spec().nodes;
  auto waiting = workers_in(base.id(), JobState::queued);
  auto const before = run.workers_made;
  for (; run.workers_made < most && waiting < workers_waiting_max; ++run.workers_made, ++waiting) {
    if (queue_.size() + live_.size() >= settings_.jobs_max / 4 * 3) break;  // the rest is people's
    if (!jobs_.contains(worker_id(base.id(), run.workers_made, run.round)))
      add_worker(base, run.workers_made, c);
  }
  if (run.workers_made != before) save(base, c);
}

void Deployer::add_worker(Job const& base, std::uint32_t number, Context& c) {
  auto spec = worker_spec(base.spec());
  spec.resources = sized(spec.resources, size_of(base.resources()));
  JobRow common;
  common.owner = base.row.owner;
  common.policies = base.row.policies;
  common.token = base.row.token;
  common.worker_of = WorkerOf{base.id(), base.spec().nodes + number, base.run.round};
  auto& worker = take_in(worker_id(base.id(), number, base.run.round), spec, common, c);
  workers_[base.id()].insert(worker.id());
  audit_job(worker, "deployer.job.worker_added", AuditOutcome::done, c);
  admit(worker, c);
  save(worker, c);
  more_to_place_ = true;
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
  if (planted("worker_of_old_round")) return;
  if (worker->second.run.state == JobState::stopping) return;
  apply_event(worker->second, Cancel{"the job that it worked for runs no more"}, c);
}

void Deployer::note_worker(Job const& job) {
  if (job.row.worker_of && !is_final(job.run.state))
    workers_[job.row.worker_of->base].insert(job.id());
}

std::uint32_t Deployer::workers_in(JobId const& base, JobState state) const {
  auto const found = workers_.find(base);
  if (found == workers_.end()) return 0;
  auto const is_in = [&](JobId const& id) { return jobs_.at(id).run.state == state; };
  return static_cast<std::uint32_t>(
      std::count_if(found->second.begin(), found->second.end(), is_in));
}

// Workers find the first tasks of their job, and are numbered after them.
Seat Deployer::seat_of(Job const& job, std::uint32_t index) const {
  auto const& of = job.row.worker_of;
  auto const base = of ? jobs_.find(of->base) : jobs_.end();
  if (base == jobs_.end()) return {index, job.spec().nodes, gang_of(job)};
  return {of->index, base->second.spec().nodes, gang_of(base->second)};
}

}  // namespace lepton::deployer
