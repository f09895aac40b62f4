// Work that gives way: a job that does not fit may have work of lower priority stopped (core/
// preempt). Its places are held piece by piece as they become free (core/hold), so that nobody else
// gets what others were stopped for.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/base/text.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t heads_per_tick = 64;
constexpr std::size_t names_shown = 5;
constexpr std::size_t running_max = 20'000;  // that a plan looks at, the lowest priority first

bool is_over(Member const& m) {
  return m.state == AttemptState::unknown || is_final(m.state);
}

Running running_of(Job const& job) {
  auto const& spec = job.spec();
  Running r{job.id(), spec.priority, spec.preemptible, job.run.state == JobState::stopping};
  r.owner = job.row.owner;
  r.checkpoint_interval_ms = spec.checkpoint_interval_ms;
  r.min_runtime_ms = spec.min_runtime_ms;
  for (std::size_t i = 0; i < job.run.members.size() && i < job.allocations.size(); ++i) {
    auto const& m = job.run.members[i];
    if (is_over(m)) continue;
    r.held.push_back(job.allocations[i]);
    if (m.started_at_ms > 0 && (r.started_at_ms == 0 || m.started_at_ms < r.started_at_ms))
      r.started_at_ms = m.started_at_ms;
    // It cannot be told to stop, and nobody knows when its room comes back.
    if (m.silent_since_ms != 0) r.preemptible = r.stopping = false;
  }
  return r;
}

std::string minutes(std::int64_t ms) {
  return fmt::format("{:.1f} min", static_cast<double>(ms) / 60'000.0);
}

std::string names_of(std::vector<JobId> const& jobs) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < jobs.size() && i < names_shown; ++i) names.push_back(jobs[i].value);
  auto const more = jobs.size() - names.size();
  return text::join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

// By what right one gives way to the other.
std::string reason_for(Job const& job, Job const& victim) {
  auto const mine = job.spec().priority, its = victim.spec().priority;
  if (its < mine) return fmt::format("priority {}, its own is {}", mine, its);
  return fmt::format("{} takes back what {} had borrowed", job.row.owner, victim.row.owner);
}

}  // namespace

void Deployer::add_live(Job const& job) {
  if (live_.insert(job.id()).second && job.spec().max_duration_ms > 0) ++limited_[job.row.pool];
  if (job.spec().preemptible) preemptible_[job.row.pool][job.spec().priority].insert(job.id());
  if (job.run.state == JobState::stopping) stopping_.insert(job.id());
}

void Deployer::drop_live(Job const& job) {
  if (live_.erase(job.id()) > 0 && job.spec().max_duration_ms > 0) --limited_[job.row.pool];
  stopping_.erase(job.id());
  auto const pool = preemptible_.find(job.row.pool);
  if (pool == preemptible_.end()) return;
  auto const same = pool->second.find(job.spec().priority);
  if (same == pool->second.end()) return;
  same->second.erase(job.id());
  if (same->second.empty()) pool->second.erase(same);
}

std::size_t Deployer::preempting() const {
  return static_cast<std::size_t>(std::count_if(
      holding_.begin(), holding_.end(), [](auto const& waits) { return !waits.second.elder; }));
}

// Somebody's places are to be whole when this has ended.
bool Deployer::is_awaited(std::vector<Allocation> const& held) const {
  return std::any_of(held.begin(), held.end(), [&](Allocation const& a) {
    return slices_.planned().wants(a) ||
           std::any_of(holding_.begin(), holding_.end(),
                       [&](auto const& waits) { return waits.second.hold.wants_of(cluster_, a); });
  });
}

// Without what is somebody else's when it is given back.
std::vector<Limited> Deployer::unclaimed(std::vector<Limited> limited) const {
  std::erase_if(limited, [&](Limited const& l) { return is_awaited(l.held); });
  return limited;
}

// What is stopping where somebody waits for it already is nobody else's; nor is what runs where the
// first in line waits for its end.
std::vector<Running> Deployer::running_in(PoolId const& pool, std::int32_t priority) const {
  std::vector<Running> all;
  for (auto const& id : stopping_) {
    auto r = running_of(jobs_.at(id));
    if (jobs_.at(id).row.pool == pool && r.stopping && !is_awaited(r.held))
      all.push_back(std::move(r));
  }
  auto const* elder = elder_of(pool);
  auto const is_free = [&](Running const& r) {
    return std::none_of(r.held.begin(), r.held.end(), [&](auto const& a) {
      return slices_.planned().wants(a) ||
             (elder != nullptr && holding_.at(*elder).hold.wants_of(cluster_, a));
    });
  };
  auto const found = preemptible_.find(pool);
  if (found == preemptible_.end()) return all;
  for (auto const& [level, jobs] : found->second) {
    if (level >= priority) break;
    for (auto const& id : jobs) {
      if (all.size() >= running_max) return all;
      auto const& job = jobs_.at(id);
      if (job.run.state == JobState::stopping) continue;
      if (auto r = running_of(job); is_free(r)) all.push_back(std::move(r));
    }
  }
  return all;
}

// Cheap, and no for all who have equal priorities and no quotas.
bool Deployer::may_have_victims(Preemptor const& job) const {
  auto const pool = preemptible_.find(job.pool);
  if (pool == preemptible_.end() || pool->second.empty()) return false;
  return job.owed || pool->second.begin()->first < job.priority;
}

std::optional<PreemptionPlan> Deployer::plan_for(QueuedJob const& queued, std::string const& owner,
                                                 Context& c, DecisionInput* input) {
  auto const job = preemptor_of(queued, owner);
  auto const more = usage_of(queued.resources, queued.tasks);
  if (!may_have_victims(job) || ledger_.beyond_limit(queued.pool, owner, more)) return std::nullopt;
  auto const highest = job.quotas ? std::numeric_limits<std::int32_t>::max() : job.priority;
  auto running = running_in(queued.pool, highest);
  if (job.quotas) mark_borrowed(running, queued.pool);
  auto plan =
      plan_preemption(cluster_, job, running, instant(c).wall_ms, placer_.policy(queued.pool));
  if (plan && input != nullptr) {
    *input = input_of(DecisionKind::preempt, queued, c);
    input->priority = job.priority;
    input->owner = job.owner;
    input->quotas = job.quotas;
    input->owed = job.owed;
    input->running = std::move(running);
  }
  return plan;
}

// A few plans at each tick: the first of each lane that nothing can take, in the queue's order.
void Deployer::preempt(Context& c) {
  if (preemptible_.empty()) return;
  std::size_t plans = 0;
  for (auto const& head : queue_.blocked_heads(heads_per_tick)) {
    auto const queued = as_now(head);
    if (preempting() >= settings_.preempting_max || plans == settings_.preemption_plans_per_tick)
      return;
    auto const& owner = jobs_.at(queued.job).row.owner;
    if (!may_have_victims(preemptor_of(queued, owner))) continue;
    auto& again_at = plan_again_at_[queued.job];
    if (again_at > c.now()) continue;
    ++plans;
    again_at = c.now() + settings_.preemption_pause_ms;
    DecisionInput input;
    auto const plan = plan_for(queued, owner, c, &input);
    if (!plan || objection(jobs_.at(queued.job), plan->places, instant(c).wall_ms)) continue;
    jobs_.at(queued.job).decision =
        decisions_.decided(std::move(input), {plan->places, plan->victims, 0, ""}, {}, c);
    begin_hold(queued, *plan, c);
  }
}

// Out of the queue. What it will use counts for its owner from now on.
Holding& Deployer::hold_places(QueuedJob const& queued, std::vector<Allocation> const& places) {
  auto const& job = jobs_.at(queued.job);
  plan_again_at_.erase(queued.job);
  queue_.erase(queued.job);
  std::vector<AttemptId> attempts;
  for (std::uint32_t i = 0; i < places.size(); ++i)
    attempts.push_back(attempt_id(job.id(), i, job.run.round + 1));
  ledger_.add(job.row.pool, job.row.owner, usage_of(queued.resources, queued.tasks));
  return holding_.emplace(job.id(), Holding{.hold = Hold(std::move(attempts), places)})
      .first->second;
}

void Deployer::drop_hold(Job const& job) {
  auto const waits = holding_.find(job.id());
  waits->second.hold.release(cluster_);
  holding_.erase(waits);
  ledger_.subtract(job.row.pool, job.row.owner, usage_of(job.resources(), job.spec().nodes));
}

void Deployer::begin_hold(QueuedJob const& queued, PreemptionPlan const& plan, Context& c) {
  auto& job = jobs_.at(queued.job);
  TimeMs grace = 0;
  for (auto const& id : plan.victims) grace = std::max(grace, jobs_.at(id).spec().stop_grace_ms);
  auto& holding = hold_places(queued, plan.places);
  holding.until = c.now() + grace + settings_.preemption_margin_ms;
  holding.hold.top_up(cluster_);
  job.why = plan.victims.empty()
                ? std::string("starts when work that is stopping has ended")
                : fmt::format("starts when {} have stopped for it", names_of(plan.victims));
  audit_job(job, "deployer.job.preempting", AuditOutcome::done, c);
  save(job, c);
  for (auto const& id : plan.victims) {
    auto& victim = jobs_.at(id);
    auto const lost = lost_ms(running_of(victim), instant(c).wall_ms);
    apply_event(
        victim,
        Preempt{fmt::format(
            "preempted by job {} ({}), {} of work {}; it waits for its turn", job.id().value,
            reason_for(job, victim), minutes(lost),
            victim.spec().checkpoint_interval_ms > 0 ? "since its last checkpoint" : "lost")},
        c);
  }
  more_to_place_ = true;
}

// Before anything else is placed; what victims give back is their preemptors' first.
void Deployer::top_up_holds(Context& c) {
  slices_.planned().top_up();
  std::vector<JobId> whole, late, elders;
  for (auto& [id, waits] : holding_) {
    if (waits.elder)
      elders.push_back(id);
    else if (waits.hold.is_broken(cluster_) || c.now() >= waits.until)
      late.push_back(id);
    else if (waits.hold.top_up(cluster_))
      whole.push_back(id);
  }
  for (auto const& id : late)
    give_up(id, "the work that was to stop for it has not ended in time, or a node is not ready",
            c);
  for (auto const& id : elders) {
    auto& waits = holding_.at(id);
    if (has_lost_its_places(id, c.now()))
      give_up(id, "a node of its places takes no work any more; others are looked for", c);
    else if ((waits.hold.top_up(cluster_) && !waits.hold.is_broken(cluster_)) ||
             starts_elsewhere(id, c))
      whole.push_back(id);
  }
  for (auto const& id : whole) {
    auto& job = jobs_.at(id);
    if (auto why = objection(job, holding_.at(id).hold.places(), instant(c).wall_ms)) {
      give_up(id, *why, c);
      continue;
    }
    job.allocations = holding_.at(id).hold.places();
    holding_.erase(id);
    begin_round(job, c);
  }
}

// Back into the queue, where it is planned anew.
void Deployer::give_up(JobId const& id, std::string const& why, Context& c) {
  auto& job = jobs_.at(id);
  auto const elder = holding_.at(id).elder;
  drop_hold(job);
  job.why = why;
  audit_job(job, elder ? "deployer.job.places_lost" : "deployer.job.preemption_ended",
            AuditOutcome::failed, c);
  save(job, c);
  enqueue(job);
  plan_again_at_[id] = c.now() + settings_.preemption_pause_ms;
  more_to_place_ = true;
}

}  // namespace lepton::deployer
