// Replicas: what is planned is done, what they report is noted, what has ended is replaced. Each
// step is rows in the transaction of its cause, so that a restart goes on where it stood.

#include <algorithm>

#include "common/crypto/encode.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

AuditEvent replica_event(ReplicaRow const& replica, std::string action, AuditOutcome outcome,
                         std::string why) {
  auto event = own_event("service/" + replica.service, std::move(action), outcome, std::move(why));
  event.detail["job"] = replica.job.value;
  event.detail["replica"] = std::to_string(replica.number);
  event.detail["template"] = std::to_string(replica.template_number);
  return event;
}

std::string end_in_words(JobRun const& run) {
  if (!run.ending.reason.empty()) return run.ending.reason;
  if (run.ending.signal != 0) return "ended by signal " + std::to_string(run.ending.signal);
  return "exit code " + std::to_string(run.ending.exit_code);
}

}  // namespace

void Deployer::touch(std::string const& service, Context& c) {
  if (!serving_.touched.insert(service).second || serving_.touched.size() > 1) return;
  c.after(0, [this](Context& later) { serve_touched(later); });
}

void Deployer::serve_touched(Context& c) {
  for (auto const& name : std::exchange(serving_.touched, {}))
    if (auto const found = serving_.services.find(name); found != serving_.services.end())
      serve(found->second, c);
  if (more_to_place_) pass(c);
}

void Deployer::tick_services(Context& c) {
  auto const now = instant(c).wall_ms;
  watch_use(c);
  for (auto& [name, s] : serving_.services) {
    // Not only after events: a node that is heard again may have held a rollout up, and a template
    // is proven by time alone.
    auto const settled = s.row.failures == 0 && !s.row.removing &&
                         s.row.proven == s.row.template_number &&
                         is_rolled_out(s.target(now), replicas_of(s));
    if (!settled) touch(name, c);
    tell_scaler(s, c);
  }
  // A request may wait at an idle entrance: that is looked at with each tick.
  auto const idle = std::any_of(serving_.services.begin(), serving_.services.end(),
                                [](auto const& s) { return s.second.is_idle(); });
  if (idle || c.now() - serving_.balanced_at >= settings_.balance_every_ms) balance_soon(c);
}

ReplicaState Deployer::replica_state(ReplicaRow const& replica) const {
  auto const& run = jobs_.at(replica.job).run;
  auto const gives_way = run.ending.cause == Cause::preemption;
  if (is_final(run.state) || (run.state == JobState::stopping && !gives_way))
    return ReplicaState::stopping;
  if (replica.drain_until_ms > 0) return ReplicaState::draining;
  auto const runs = run.state == JobState::starting || run.state == JobState::running;
  if (!runs || replica.round != run.round || replica.ready_at_ms == 0)
    return ReplicaState::starting;
  return replica.ready ? ReplicaState::ready : ReplicaState::unready;
}

std::vector<Replica> Deployer::replicas_of(ServiceState const& s) const {
  std::vector<Replica> all;
  for (auto const& [number, replica] : s.replicas) {
    auto const& run = jobs_.at(replica.job).run;
    auto const silent = std::any_of(run.members.begin(), run.members.end(), [](Member const& m) {
      return m.silent_since_ms != 0 && !is_final(m.state);
    });
    all.push_back({number, replica.template_number, replica_state(replica), silent});
  }
  return all;
}

// Does what is due now; asked again after each change.
void Deployer::serve(ServiceState& s, Context& c) {
  if (s.row.removing && s.replicas.empty()) return forget_service(s, c);
  auto const before = s.row;
  end_drains(s, c);
  end_slow(s, c);
  auto const now = instant(c).wall_ms;
  auto const replicas = replicas_of(s);
  // What does not run proves nothing.
  if (s.row.wanted > 0 && is_rolled_out(s.target(now), replicas)) note_rolled_out(s, c);
  for (auto const& step : plan_rollout(s.target(now), replicas)) {
    if (step.kind == StepKind::start) {
      start_replica(s, step.template_number, c);
    } else if (step.kind == StepKind::drain) {
      drain_replica(s.replicas.at(step.number), s.spec().drain_ms, c);
    } else {
      stop_replica(s.replicas.at(step.number), "not needed any more", c);
    }
  }
  if (s.row != before) c.upsert(s.row);
}

// A template is proven, and its failures are forgiven, when all replicas have been ready for a
// while: one that is ready for a moment only must stall.
void Deployer::note_rolled_out(ServiceState& s, Context& c) {
  auto const now = instant(c).wall_ms;
  auto const stable = std::all_of(s.replicas.begin(), s.replicas.end(), [&](auto const& x) {
    return now - x.second.ready_at_ms >= replica_stable_after_ms;
  });
  if (!stable || s.replicas.empty()) return;
  s.row.failures = 0, s.row.not_before_ms = 0;
  if (std::exchange(s.row.proven, s.row.template_number) == s.row.template_number) return;
  auto event =
      own_event("service/" + s.row.service, "deployer.service.rolled_out", AuditOutcome::done);
  event.detail = {{"revision", std::to_string(s.row.revision)},
                  {"replicas", std::to_string(s.row.wanted)}};
  c.audit(std::move(event));
}

void Deployer::start_replica(ServiceState& s, std::uint32_t template_number, Context& c) {
  auto const* revision = revision_with(s, template_number);
  LEPTON_CHECK(revision != nullptr, "a template that is needed was forgotten");
  if (queue_.size() + live_.size() >= settings_.jobs_max) return;
  auto task = revision->spec.task;
  auto const number = ++s.row.replicas_made;
  task.name = s.row.service + "-" + std::to_string(number);
  JobId const id{crypto::uuid7(c.entropy(), c.wall())};
  JobRow common;
  common.owner = revision->owner;
  common.policies = revision->policies;
  common.token = revision->token;
  arrived(task.resources, task.nodes);
  auto& job = take_in(id, task, common, c);
  serving_.replicas[id] = {s.row.service, number};  // read when it is queued
  ReplicaRow const replica{id, s.row.service, number, template_number};
  c.upsert(replica);
  c.audit(replica_event(replica, "deployer.replica.started", AuditOutcome::done, ""));
  s.replicas.emplace(number, replica);
  admit(job, c);
  more_to_place_ = true;
}

// New requests go elsewhere from now on; what is open may end.
void Deployer::drain_replica(ReplicaRow& replica, std::int64_t drain_ms, Context& c) {
  replica.drain_until_ms = instant(c).wall_ms + drain_ms + 1;
  c.upsert(replica);
  balance_soon(c);
}

// One that is queued again (it was preempted) ends at once, and its row with it: so the numbers are
// collected first.
void Deployer::end_drains(ServiceState& s, Context& c) {
  auto const now = instant(c).wall_ms;
  std::vector<std::pair<std::uint64_t, std::string>> over;
  for (auto& [number, replica] : s.replicas) {
    if (replica_state(replica) != ReplicaState::draining) continue;
    auto const idle = serving_.drained.contains(replica.job);
    // A wall clock that was stepped back must not hold it for ever.
    auto const longest = now + s.spec().drain_ms + 1;
    if (replica.drain_until_ms > longest) replica.drain_until_ms = longest, c.upsert(replica);
    if (idle || now >= replica.drain_until_ms)
      over.emplace_back(number, idle ? "drained" : "its time to drain is over");
  }
  for (auto const& [number, why] : over) stop_replica(s.replicas.at(number), why, c);
}

// Placed long ago and still not ready.
void Deployer::end_slow(ServiceState& s, Context& c) {
  auto const limit = s.spec().progress_ms;
  for (auto& [number, replica] : s.replicas) {
    auto const& job = jobs_.at(replica.job);
    auto const state = replica_state(replica);
    auto const slow = state == ReplicaState::starting ||
                      (state == ReplicaState::unready && s.row.proven != replica.template_number);
    auto const runs = job.run.state == JobState::starting || job.run.state == JobState::running;
    if (!slow || !runs || c.now() - job.placed_at < limit) continue;
    auto const why = "not ready " + std::to_string(limit) + " ms after its start";
    count_failure(s, replica, why, c);
    stop_replica(replica, why, c);
  }
}

void Deployer::stop_replica(ReplicaRow const& replica, std::string const& why, Context& c) {
  auto& job = jobs_.at(replica.job);
  if (job.run.state == JobState::queued) queue_.erase(job.id());
  apply_event(job, Cancel{why}, c);
}

void Deployer::count_failure(ServiceState& s, ReplicaRow const& replica, std::string const& why,
                             Context& c) {
  if (replica.template_number != s.row.template_number || s.row.removing) return;
  auto const proven = s.row.proven == s.row.template_number;
  auto const was_stalled = !s.row.stalled.empty();
  auto const trial = after_failure({s.row.failures, s.row.not_before_ms, s.row.stalled}, proven,
                                   instant(c).wall_ms, why);
  s.row.failures = trial.failures;
  s.row.not_before_ms = trial.not_before_ms;
  s.row.stalled = trial.stalled;
  if (!was_stalled && !trial.stalled.empty())
    c.audit(
        replica_event(replica, "deployer.service.stalled", AuditOutcome::failed, trial.stalled));
}

// From finish(): the job of a replica has ended, for whatever reason.
void Deployer::replica_ended(Job const& job, Context& c) {
  auto const found = serving_.replicas.find(job.id());
  if (found == serving_.replicas.end()) return;
  auto& s = serving_.services.at(found->second.first);
  auto const replica = s.replicas.at(found->second.second);
  auto const before = s.row;
  auto const& run = job.run;
  auto const by_itself = run.state == JobState::succeeded || run.ending.cause == Cause::error ||
                         run.ending.cause == Cause::time_limit;
  auto const stable = replica.ready_at_ms > 0 &&
                      instant(c).wall_ms - replica.ready_at_ms >= replica_stable_after_ms;
  if (by_itself && !stable && replica.drain_until_ms == 0)
    count_failure(s, replica, end_in_words(run), c);
  c.audit(replica_event(replica, "deployer.replica.ended",
                        by_itself ? AuditOutcome::failed : AuditOutcome::done, end_in_words(run)));
  c.erase(replica);
  s.replicas.erase(replica.number);
  serving_.replicas.erase(found);
  serving_.drained.erase(job.id());
  if (s.row != before) c.upsert(s.row);
  touch(s.row.service, c);
  balance_soon(c);
}

// What a node says of an attempt: is it ready? Without probes it is as soon as it runs.
void Deployer::replica_reported(AttemptId const& attempt, Readiness readiness, Context& c) {
  auto const ref = parse_attempt(attempt);
  auto const found = ref ? serving_.replicas.find(ref->job) : serving_.replicas.end();
  if (found == serving_.replicas.end()) return;
  auto& s = serving_.services.at(found->second.first);
  auto& replica = s.replicas.at(found->second.second);
  auto const& job = jobs_.at(ref->job);
  auto const* member = member_of(attempt);
  if (member == nullptr || member->state != AttemptState::running) return;
  auto const probed = job.spec().probes.any();
  if (probed && (readiness == Readiness::unknown || readiness == Readiness::pending)) return;
  auto const ready = !probed || readiness == Readiness::yes;
  if (replica.round == job.run.round && replica.ready == ready) return;
  if (std::exchange(replica.round, job.run.round) != job.run.round) replica.ready_at_ms = 0;
  replica.ready = ready;
  if (ready && replica.ready_at_ms == 0) replica.ready_at_ms = instant(c).wall_ms;
  c.upsert(replica);
  touch(s.row.service, c);
  balance_soon(c);
}

// For what runs there and has no probes yet: sent again until the node says that it has them.
void Deployer::order_probes(NodeLink const& link, NodeOrders& orders) const {
  for (auto const& attempt : link.unprobed) {
    auto const* member = member_of(attempt);
    if (member == nullptr || member->state != AttemptState::running) continue;
    auto const ref = parse_attempt(attempt);
    auto const& job = jobs_.at(ref->job);
    auto const& ports = job.allocations.at(ref->index).ports;
    orders.probes.push_back({attempt, task_id(ref->job, ref->index),
                             ports.empty() ? 0 : ports.front(), job.spec().user,
                             job.spec().probes});
  }
}

}  // namespace lepton::deployer
