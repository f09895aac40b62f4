// What events do: the core decides, the step is stored, then its actions follow.

#include <algorithm>

#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

std::vector<std::vector<Allocation>> held_by(std::vector<Hold*> const& holds,
                                             Cluster const& cluster) {
  std::vector<std::vector<Allocation>> all;
  for (auto const* hold : holds) all.push_back(hold->has(cluster));
  return all;
}

Misfit not_for_room(std::string what) {
  Misfit misfit;
  misfit.what = std::move(what);
  misfit.for_room = false;
  return misfit;
}

}  // namespace

// Waits and limits are counted on a wall clock that is read once in a life and then runs
// monotonically: a step of the machine's clock neither ends a job early nor holds a retry back.
Instant Deployer::instant(Context& c) const {
  return {wall_at_start_ + c.now(), c.now()};
}

Job* Deployer::job_of(AttemptId const& attempt) {
  auto const ref = parse_attempt(attempt);
  if (!ref) return nullptr;
  auto const found = jobs_.find(ref->job);
  return found == jobs_.end() ? nullptr : &found->second;
}

// Nothing for an attempt of another round, or one that is reserved and whose job is placed in this
// very pass.
Member const* Deployer::member_of(AttemptId const& attempt) const {
  auto const ref = parse_attempt(attempt);
  if (!ref) return nullptr;
  auto const found = jobs_.find(ref->job);
  if (found == jobs_.end()) return nullptr;
  auto const& run = found->second.run;
  return ref->round == run.round && ref->index < run.members.size() ? &run.members[ref->index]
                                                                    : nullptr;
}

std::vector<JobId> Deployer::jobs_on(NodeId const& node) const {
  std::vector<JobId> jobs;
  for (auto const& attempt : cluster_.holders_on_machine(node))
    if (auto const ref = parse_attempt(attempt)) jobs.push_back(ref->job);
  jobs.erase(std::unique(jobs.begin(), jobs.end()), jobs.end());
  return jobs;
}

void Deployer::save(Job const& job, Context& c) {
  c.upsert(job.run_row());
}

AuditEvent Deployer::job_event(Job const& job, std::string action) const {
  auto event = own_event(job.path(), std::move(action), AuditOutcome::done, job.why);
  event.detail["job"] = job.id().value;
  if (job.run.round > 0) event.detail["round"] = std::to_string(job.run.round);
  if (job.decision > 0) event.detail["decision"] = std::to_string(job.decision);
  if (!job.allocations.empty()) event.detail["node"] = job.allocations.front().node.value;
  return event;
}

void Deployer::audit_job(Job const& job, std::string action, AuditOutcome outcome, Context& c) {
  auto event = job_event(job, std::move(action));
  event.outcome = outcome;
  c.audit(std::move(event));
}

void Deployer::apply_event(Job& job, Event const& event, Context& c) {
  auto const before = job.run;
  auto const actions = apply(job.id(), job.spec(), job.run, event, instant(c));
  if (job.run != before) {
    if (job.run.state != JobState::starting && job.run.state != JobState::running)
      job.why = job.run.ending.reason;
    if (is_final(job.run.state) && !is_final(before.state)) job.finished_at_ms = c.wall();
    if (job.run.state == JobState::stopping) stopping_.insert(job.id());
    save(job, c);
  }
  for (auto const& action : actions) act(job, action, c);
}

void Deployer::act(Job& job, Action const& action, Context& c) {
  switch (action.kind) {
    case ActionKind::start: {
      auto const ref = parse_attempt(action.attempt);
      LEPTON_CHECK(ref.has_value(), "the core named an attempt that cannot be read");
      return launch(job, ref->index, c);
    }
    case ActionKind::stop: {
      auto const node = nodes_.find(action.node);
      if (node == nodes_.end()) return;
      if (!node->second.is_simulated()) return wake_node(action.node, c);
      c.after(1, [this, attempt = action.attempt, at = action.node](Context& later) {
        simulated_report(attempt, at, AttemptState::exited, 143, later);
      });
      return;
    }
    case ActionKind::release:
      release(action.attempt, c);
      secrets_.erase(action.attempt);
      more_to_place_ = true;
      return;
    case ActionKind::requeue:
      audit_job(job,
                job.run.ending.cause == Cause::preemption ? "deployer.job.preempted"
                                                          : "deployer.job.retried",
                AuditOutcome::failed, c);
      job.allocations.clear();
      end_resizing(job, c);
      drop_live(job);
      save(job, c);
      enqueue(job);
      more_to_place_ = true;
      return;
    case ActionKind::finish:
      return finish(job, c);
    case ActionKind::unknown:
      return;
  }
}

void Deployer::finish(Job& job, Context& c) {
  drop_live(job);
  if (job.resizing) {
    end_resizing(job, c);
    save(job, c);
  }
  queue_.erase(job.id());
  plan_again_at_.erase(job.id());
  if (holding_.contains(job.id())) {
    drop_hold(job);
    more_to_place_ = true;
  }
  auto const good = job.run.state == JobState::succeeded;
  audit_job(job, "deployer.job." + std::string(schema::name_of(job.run.state)),
            good ? AuditOutcome::done : AuditOutcome::failed, c);
  replica_ended(job, c);
  finished_.push_back(job.id());
  auto const reserved = reserved_.find(job.row.pool);
  if (reserved != reserved_.end() && reserved->second.job == job.id()) more_to_place_ = true;
  if (job.row.array_of.empty() && !dependents_.contains(job.id())) return;
  ended_.push_back(job.id());
  more_to_place_ = true;
}

void Deployer::enqueue(Job const& job) {
  auto const pushed =
      queue_.push({job.id(), job.row.pool, job.resources(), job.spec().nodes, job.spec().priority,
                   std::uint64_t(job.row.queue_order), job.run.not_before_ms, job.queued_at_ms,
                   ledger_.has_quotas(job.row.pool) ? job.row.owner : std::string(),
                   limit_class_of(job.spec().max_duration_ms), job.waits_since_ms(), kin_of(job),
                   job.row.worker_of.has_value()});
  LEPTON_CHECK(pushed.has_value(), "a job was queued twice");
}

// Where it finds no room, who is first in line, and slices that begin later, may lend what they
// hold.
std::optional<Misfit> Deployer::try_place(QueuedJob const& waiting, std::vector<Job*>& placed,
                                          WallMs now, Context& c) {
  std::optional<QueuedJob> kept_off;
  if (!waiting.kin.empty()) {
    standing_.try_emplace(waiting.kin, standing_beside(jobs_.at(waiting.job)));
    kept_off = as_now(waiting);
  }
  auto const& queued = kept_off ? *kept_off : waiting;
  auto misfit = place_now(queued, placed, now, false, c);
  auto const lenders = misfit && misfit->for_room ? lenders_for(queued, now) : std::vector<Hold*>();
  if (!lenders.empty()) {
    auto const mark = decisions_.mark();
    auto const before = held_by(lenders, cluster_);
    for (auto* lender : lenders) lender->step_aside(cluster_);
    if (!place_now(queued, placed, now, true, c)) misfit.reset();
    for (auto* lender : lenders) lender->top_up(cluster_);
    if (misfit && held_by(lenders, cluster_) == before) decisions_.forget_since(mark);
  }
  if (misfit) note_waits(jobs_.at(queued.job), queued, *misfit, c);
  return misfit;
}

std::optional<Misfit> Deployer::place_now(QueuedJob const& waiting, std::vector<Job*>& placed,
                                          WallMs now, bool lent, Context& c) {
  auto& job = jobs_.at(waiting.job);
  if (auto beyond = beyond_limit(job)) return not_for_room(std::move(*beyond));
  std::optional<QueuedJob> sparing;  // of power
  if (!power_.empty()) sparing = waiting;
  auto result = sparing ? power_.place_gang(sparing->resources, sparing->pool, sparing->tasks)
                        : placer_.place_gang(waiting.resources, waiting.pool, waiting.tasks);
  auto const& queued = sparing ? *sparing : waiting;
  if (auto* misfit = std::get_if<Misfit>(&result)) {
    if (!queued.spare && misfit->for_room) note_head(waiting);
    return std::move(*misfit);
  }
  auto& places = std::get<std::vector<Allocation>>(result);
  Beside beside;
  if (!lent)
    if (auto held_back = respect_head(queued, places, now, beside)) return held_back;
  if (auto why = objection(job, places, now)) {
    power_.note_short(queued.pool);
    return not_for_room(std::move(*why));
  }
  job.allocations = std::move(places);
  note_placed(job, queued, job.allocations, beside, c);
  placer_.placed(job.allocations);
  for (std::uint32_t i = 0; i < job.allocations.size(); ++i)
    hold_for(job, attempt_id(job.id(), i, job.run.round + 1), job.allocations[i]);
  note_standing(job);
  placed.push_back(&job);
  return std::nullopt;
}

void Deployer::pass(Context& c) {
  settle_ended(c);
  top_up_holds(c);
  drop_reservations();
  std::vector<Job*> placed;
  std::map<PoolId, Totals> totals;  // of pools with quotas; adding them up takes a while
  auto const turn = [&](PoolId const& pool, std::string const& owner) {
    auto known = totals.find(pool);
    if (known == totals.end()) known = totals.emplace(pool, cluster_.totals(pool)).first;
    return ledger_.turn(pool, owner, known->second);
  };
  auto const now = instant(c).wall_ms;
  auto const result = queue_.pass(
      cluster_, now, settings_.tries_per_pass,
      [&](QueuedJob const& queued) { return try_place(queued, placed, now, c); }, turn);
  more_to_place_ = result.more;
  standing_.clear();
  for (auto* job : placed) begin_round(*job, c);
  // Those who were held back for one that has started are tried again.
  for (auto const& [pool, r] : reserved_)
    more_to_place_ = more_to_place_ || (r.held_back && !queue_.contains(r.job));
}

// Every task has its place, reserved under the attempts of the round.
void Deployer::begin_round(Job& job, Context& c) {
  job.started_at_ms = c.wall();
  job.placed_at = c.now();
  job.why.clear();
  add_live(job);
  auto machines = nodes_of(job.allocations);
  for (auto& node : machines) node = cluster_.machine_of(node);
  apply_event(job, Placed{std::move(machines)}, c);
  audit_job(job, "deployer.job.placed", AuditOutcome::done, c);
}

void Deployer::launch(Job& job, std::uint32_t index, Context& c) {
  auto const& node = job.run.members.at(index).node;
  auto const attempt = attempt_id(job.id(), index, job.run.round);
  auto const link = nodes_.find(node);
  if (link == nodes_.end()) return;
  if (link->second.is_simulated()) return simulate(attempt, node, c);
  if (has_secrets(job.spec()) && !secrets_.contains(attempt)) return resolve_secrets(job, index, c);
  wake_node(node, c);
}

// The simulated engine: starts at once, ends after the duration that the spec's environment names,
// if any.
void Deployer::simulate(AttemptId const& attempt, NodeId const& node, Context& c) {
  c.after(0, [this, attempt, node](Context& later) {
    simulated_report(attempt, node, AttemptState::running, 0, later);
    if (auto const* job = job_of(attempt))
      simulate_end(*job, parse_attempt(attempt)->index, 0, later);
  });
}

void Deployer::simulate_end(Job const& job, std::uint32_t index, TimeMs ran_ms, Context& c) {
  auto const& env = job.spec().env;
  auto const duration = env.find("LEPTON_SIMULATED_MS");
  if (duration == env.end()) return;
  auto const exit = env.find("LEPTON_SIMULATED_EXIT");
  auto const code = exit == env.end() ? 0 : text::parse_int(exit->second).value_or(1);
  auto const left = std::max<TimeMs>(0, text::parse_int(duration->second).value_or(0) - ran_ms);
  c.after(left, [this, attempt = attempt_id(job.id(), index, job.run.round),
                 node = job.run.members.at(index).node, code](Context& end) {
    simulated_report(attempt, node, AttemptState::exited, static_cast<std::int32_t>(code), end);
  });
}

// Simulated work lives in this process only: after a restart its time goes on where it stood.
void Deployer::resume_simulated(Job& job, Context& c) {
  for (std::uint32_t i = 0; i < job.run.members.size(); ++i) {
    auto& member = job.run.members[i];
    auto const link = nodes_.find(member.node);
    if (link == nodes_.end() || !link->second.is_simulated() || is_final(member.state)) continue;
    member.silent_since_ms = 0;
    if (member.state == AttemptState::running)
      simulate_end(job, i, instant(c).wall_ms - member.started_at_ms, c);
  }
}

void Deployer::simulated_report(AttemptId const& attempt, NodeId const& node, AttemptState state,
                                std::int32_t exit_code, Context& c) {
  auto* job = job_of(attempt);
  if (job == nullptr) return;
  apply_event(*job, Report{node, attempt, state, exit_code, 0, ""}, c);
  if (state == AttemptState::running) replica_reported(attempt, Readiness::yes, c);
  if (more_to_place_) pass(c);
}

// Values for this attempt on this node only, with the rights of the person who submitted.
void Deployer::resolve_secrets(Job const& job, std::uint32_t index, Context& c) {
  auto const attempt = attempt_id(job.id(), index, job.run.round);
  auto const node = job.run.members.at(index).node;
  if (!resolving_.insert(attempt).second) return;
  SecretResolve ask;
  ask.who = {job.row.owner, job.row.policies, job.row.token};
  ask.attempt = attempt.value;
  ask.node = node.value;
  ask.secrets = secrets_of(job.spec());
  c.ask("vault", ask, 10'000, [this, attempt, node](Result<SecretsResolved> got, Context& later) {
    resolving_.erase(attempt);
    auto* owner = job_of(attempt);
    if (owner == nullptr || cluster_.held(attempt) == nullptr) return;
    if (got) {
      secrets_[attempt] = std::move(got->values);
      return wake_node(node, later);
    }
    auto const code = got.error().code;
    if (code == Code::denied || code == Code::not_found || code == Code::invalid)
      return apply_event(
          *owner, Report{node, attempt, AttemptState::failed, 0, 0, got.error().what}, later);
    owner->why = "waits for its secrets: " + got.error().what;
    later.after(2'000, [this, attempt](Context& again) {
      auto* job_again = job_of(attempt);
      auto const ref = parse_attempt(attempt);
      if (job_again != nullptr && cluster_.held(attempt) != nullptr &&
          job_again->run.round == ref->round)
        launch(*job_again, ref->index, again);
    });
  });
}

// Power may be free again in a rack whose nodes are of another pool.
void Deployer::retry_for_power() {
  for (auto const& pool : power_.take_short()) {
    queue_.reopen(pool);
    more_to_place_ = true;
  }
}

void Deployer::tick(Context& c) {
  tick_nodes(c);
  tick_jobs(c);
  tick_services(c);
  tick_elastic(c);
  slices_.tick(c);
  retry_for_power();
  lapse_reservations(instant(c).wall_ms);
  auto const due = queue_.next_due_ms();
  if (more_to_place_ || !holding_.empty() || (due && *due <= instant(c).wall_ms)) pass(c);
  preempt(c);
  keep_places(c);
  decisions_.tick(c);
  while (finished_.size() > settings_.finished_kept_max) {
    auto const& job = jobs_.at(finished_.front());
    auto const& row = job.row;
    auto const named = newest_.find({row.owner, row.name});
    if (named != newest_.end() && named->second == row.job) newest_.erase(named);
    forget_finished(job);
    jobs_.erase(finished_.front());
    finished_.pop_front();
  }
  c.after(settings_.tick_ms, [this](Context& later) { tick(later); });
}

void Deployer::tick_jobs(Context& c) {
  auto const live = live_;  // events change the set
  for (auto const& id : live) {
    auto& job = jobs_.at(id);
    auto const wait = next_wake_in_ms(job.spec(), job.run, instant(c));
    if (wait && *wait <= 0) apply_event(job, Tick{}, c);
  }
}

}  // namespace lepton::deployer
