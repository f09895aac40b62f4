#include "services/deployer/deployer.hpp"
#include "common/base/planted.hpp"

#include <algorithm>

namespace lepton::deployer {

Deployer::Deployer(Settings settings, std::shared_ptr<Balancer> balancer)
    : settings_(std::move(settings)),
      balancer_(std::move(balancer)),
      folders_(*this, settings_.folders),
      relay_(*this),
      execs_(*this),
      node_watch_([this](NodeId const& node, Context& c) {
        if (auto const found = nodes_.find(node); found != nodes_.end())
          note_health(found->second, c);
      }) {
  on<JobSubmit>(&Deployer::submit);
  on<JobShow>(&Deployer::show);
  on<JobList>(&Deployer::list);
  on<JobCancel>(&Deployer::cancel);
  on<JobResize>(&Deployer::resize_job);
  on<JobPlan>(&Deployer::plan);
  on<JobLogs>(&Deployer::logs);
  on<JobExplain>(&Deployer::explain_job);
  on<DecisionList>(&Deployer::list_decisions);
  on<DecisionReplay>(&Deployer::replay_decisions);
  on<NodeSync>(&Deployer::sync);
  on<NodeList>(&Deployer::list_nodes);
  on<NodeDrain>(&Deployer::drain);
  on<NodeMark>(&Deployer::mark);
  on<NodeDeclare>(&Deployer::declare);
  on<PoolRemove>(&Deployer::remove_pool);
  on<QuotaPut>(&Deployer::put_quota);
  on<QuotaRemove>(&Deployer::remove_quota);
  on<QuotaList>(&Deployer::list_quotas);
  on<ServiceApply>(&Deployer::apply_service);
  on<ServiceRevert>(&Deployer::revert_service);
  on<ServiceResize>(&Deployer::resize_service);
  on<ServiceRemove>(&Deployer::remove_service);
  on<ServiceShow>(&Deployer::show_service);
  on<ServiceList>(&Deployer::list_services);
  on<ServiceHistory>(&Deployer::service_history);
  on<SliceCreate>(slices_, &Slices::create);
  on<SliceResize>(slices_, &Slices::resize);
  on<SliceRelease>(slices_, &Slices::release);
  on<SliceList>(slices_, &Slices::list);
  on<PowerCapPut>(power_, &PowerCaps::put);
  on<PowerCapRemove>(power_, &PowerCaps::remove);
  on<PowerCapList>(power_, &PowerCaps::list);
  on<WorkdirMissing>(folders_, &Folders::missing);
  on<WorkdirStore>(folders_, &Folders::store);
  on<WorkdirCommit>(folders_, &Folders::commit);
  on<WorkdirFetch>(folders_, &Folders::fetch);
  on<JobOutputs>(relay_, &Relay::list);
  on<JobOutputRead>(relay_, &Relay::read);
  on<JobExec>(execs_, &Execs::open);
  on<ExecTalk>(execs_, &Execs::talk);
  on<ExecReport>(execs_, &Execs::report);
}

std::vector<store::Table const*> Deployer::tables() const {
  std::vector<store::Table const*> all{
      &store::table_of<JobRow>(),          &store::table_of<JobRunRow>(),
      &store::table_of<NodeRow>(),         &store::table_of<QuotaRow>(),
      &store::table_of<ServiceRow>(),      &store::table_of<RevisionRow>(),
      &store::table_of<ReplicaRow>(),      &store::table_of<VacatedPortRow>(),
      &store::table_of<PlannedSliceRow>(), &store::table_of<PowerCapRow>()};
  for (auto const* table : Folders::tables()) all.push_back(table);
  for (auto const* table : Execs::tables()) all.push_back(table);
  for (auto const* table : DecisionLog::tables()) all.push_back(table);
  return all;
}

void Deployer::restore(actor::Rows const& rows) {
  folders_.restore(rows);
  execs_.restore(rows);
  decisions_.restore(rows);
  for (auto& row : rows.of<JobRow>()) {
    next_order_ = std::max(next_order_, std::uint64_t(row.queue_order) + 1);
    auto const id = row.job;
    jobs_[id].row = std::move(row);
  }
  for (auto& row : rows.of<JobRunRow>()) {
    auto const found = jobs_.find(row.job);
    LEPTON_CHECK(found != jobs_.end(), "a stored run belongs to no job");
    auto& job = found->second;
    job.run = std::move(row.run);
    job.allocations = std::move(row.allocations);
    job.started_at_ms = row.started_at_ms;
    job.finished_at_ms = row.finished_at_ms;
    job.why = std::move(row.why);
    if (row.size) job.set_size(*row.size);
    job.resizing = std::move(row.resizing);
  }
  for (auto& row : rows.of<QuotaRow>()) {
    ledger_.set(row.pool, row.owner, {row.gpu_milli, row.cpu_milli, row.gpu_milli_max, row.weight});
    quotas_[{row.pool, row.owner}] = std::move(row);
  }
  for (auto& row : rows.of<ServiceRow>()) serving_.services[row.service].row = row;
  for (auto& row : rows.of<RevisionRow>())
    serving_.services.at(row.service).revisions.emplace(row.revision, row);
  for (auto& row : rows.of<ReplicaRow>()) {
    serving_.replicas[row.job] = {row.service, row.number};
    serving_.services.at(row.service).replicas.emplace(row.number, row);
  }
  vacated_.restore(rows);
  slices_.planned().restore(rows);
  power_.restore(rows);
  for (auto& row : rows.of<NodeRow>()) {
    next_order_ = std::max(next_order_, std::uint64_t(row.queue_order) + 1);
    auto& link = nodes_[row.node];
    link.row = std::move(row);
  }
}

Slices::Hooks Deployer::slice_hooks() {
  return {[this](Context& c) { return instant(c).wall_ms; },
          [this](PoolId const& pool, Context& c) { queue_anew(pool), pass(c); },
          [this](PoolId const& p, WallMs now) { return unclaimed(limited_in(p, now, false)); },
          [this](std::vector<Allocation> const& places) { return power_.objection(places); }};
}

// A link that has come back slower takes nothing from what holds more of it.
std::map<NodeId, std::int64_t> Deployer::bandwidth_held() const {
  std::map<NodeId, std::int64_t> held;
  for (auto const& [id, job] : jobs_)
    for (std::size_t i = 0; i < job.allocations.size() && !is_final(job.run.state); ++i)
      if (i >= job.run.members.size() || !is_final(job.run.members[i].state))
        held[job.allocations[i].node] += job.allocations[i].bandwidth_mbit;
  for (auto const& [id, link] : nodes_)
    if (link.row.slice) held[link.row.slice->machine] += link.row.slice->held.bandwidth_mbit;
  return held;
}

// What was placed is held again before anything new is placed. Every attempt counts as silent since
// now, until its node is heard.
void Deployer::start(Context& c) {
  wall_at_start_ = c.wall() - c.now();
  auto const held = bandwidth_held();
  for (auto& [id, link] : nodes_) {
    link.heard_at = c.now();
    auto spec = slices_.spec_of(link);
    if (auto const most = held.find(id); most != held.end())
      spec.capacity.bandwidth_mbit = std::max(spec.capacity.bandwidth_mbit, most->second);
    auto const added = cluster_.upsert_node(std::move(spec));
    LEPTON_CHECK(added.has_value(), "a stored node does not fit the cluster");
  }
  slices_.hold_all();
  std::vector<std::pair<std::int64_t, JobId>> by_age;
  for (auto& [id, job] : jobs_) by_age.emplace_back(job.row.queue_order, id);
  std::sort(by_age.begin(), by_age.end());
  std::vector<Job*> queued;
  for (auto const& [order, id] : by_age) {
    auto& job = jobs_.at(id);
    job.queued_at_ms = last_queued_at_ms_ =
        std::max<WallMs>(last_queued_at_ms_, job.row.submitted_at_ms);
    placer_.observe(job.resources(), job.spec().nodes);
    after_restart(job.run, instant(c));
    job.placed_at = c.now();
    if (planted("double_placement") && job.run.state == JobState::starting)
      job.run.state = JobState::queued;
    if (!job.row.worker_of) newest_[{job.row.owner, job.row.name}] = id;
    if (!job.row.array_of.empty()) note_array(job);
    note_worker(job);
    if (is_final(job.run.state)) {
      finished_.push_back(id);
    } else if (job.run.state == JobState::queued) {
      queued.push_back(&job);
    } else {
      add_live(job);
      if (!job.row.array_of.empty()) arrays_.at(job.row.array_of).active.insert(id);
      for (std::uint32_t i = 0; i < job.allocations.size(); ++i) {
        if (i < job.run.members.size() && is_final(job.run.members[i].state)) continue;
        hold_for(job, attempt_id(id, i, job.run.round), job.allocations[i]);
      }
      resume_simulated(job, c);
      if (job.resizing) tell_size(job, c);
      for (auto const& action : outstanding(id, job.run)) act(job, action, c);
    }
  }
  vacated_.start(balancer_ != nullptr, c);
  slices_.planned().top_up();
  for (auto& [name, service] : serving_.services) {
    after_restart(service, instant(c).wall_ms);
    touch(name, c);
  }
  folders_.start(c);
  execs_.start(c);
  decisions_.start(c);
  balance_soon(c);
  for (auto* job : queued) admit(*job, c);
  c.after(settings_.tick_ms, [this](Context& later) { tick(later); });
}

std::optional<FolderName> Deployer::folder_of(NodeId const& node, AttemptId const& attempt) const {
  auto const* member = member_of(attempt);
  if (member == nullptr || member->node != node || is_final(member->state)) return std::nullopt;
  auto const& job = jobs_.at(parse_attempt(attempt)->job);
  if (job.spec().workdir.empty()) return std::nullopt;
  return FolderName{job.row.owner, job.spec().workdir};
}

std::set<FolderName> Deployer::folders_in_use() const {
  std::set<FolderName> all;
  for (auto const& [id, job] : jobs_)
    if (!job.spec().workdir.empty() && !is_final(job.run.state))
      all.insert({job.row.owner, job.spec().workdir});
  for (auto const& [name, service] : serving_.services)
    for (auto const& [number, revision] : service.revisions)
      if (!revision.spec.task.workdir.empty())
        all.insert({revision.owner, revision.spec.task.workdir});
  return all;
}

Result<TaskPlace> Deployer::task_place(JobId const& job, std::uint32_t task, Verb verb,
                                       Context& c) {
  auto const found = find_job(job, c, verb);
  if (!found) return found.error();
  auto const& run = (*found)->run;
  if (task >= (*found)->spec().nodes)
    return Error{Code::invalid, "the job has " + std::to_string((*found)->spec().nodes) +
                                    " task(s), numbered from 0"};
  if (task >= run.members.size())
    return Error{Code::conflict, "task " + std::to_string(task) + " has not started yet"};
  auto const& member = run.members[task];
  auto const link = nodes_.find(member.node);
  if (link == nodes_.end())
    return Error{Code::not_found, "the node of the task is gone, and what was there with it"};
  if (link->second.is_simulated())
    return Error{Code::conflict, "the simulated engine runs nothing that could be asked"};
  if (link->second.silent)
    return Error{Code::unavailable, "node " + link->first.value + " is silent at the moment"};
  return TaskPlace{(*found)->id(), (*found)->path(), attempt_id((*found)->id(), task, run.round),
                   member.node, member.state};
}

std::map<std::string, std::int64_t> Deployer::counters() const {
  auto const totals = cluster_.totals();
  return {{"jobs", static_cast<std::int64_t>(jobs_.size())},
          {"jobs_queued", static_cast<std::int64_t>(queue_.size())},
          {"jobs_live", static_cast<std::int64_t>(live_.size())},
          {"jobs_preempting", static_cast<std::int64_t>(preempting())},
          {"jobs_first_in_line", static_cast<std::int64_t>(holding_.size() - preempting())},
          {"services", static_cast<std::int64_t>(serving_.services.size())},
          {"replicas", static_cast<std::int64_t>(serving_.replicas.size())},
          {"nodes", static_cast<std::int64_t>(totals.nodes)},
          {"nodes_ready", static_cast<std::int64_t>(totals.ready_nodes)},
          {"gpu_milli", totals.gpu_milli},
          {"gpu_milli_free", totals.gpu_milli_free},
          {"allocations", static_cast<std::int64_t>(cluster_.held_count())},
          {"folder_bytes", folders_.depot().bytes()},
          {"execs", execs_.running()}};
}

}  // namespace lepton::deployer
