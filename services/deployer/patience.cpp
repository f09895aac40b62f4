// Who has waited for longer than the patience (core/patience) leaves the queue and gets its places
// piece by piece, as they become free; until they are whole, what others may use of them is lent
// to work that ends in time. In memory only: after a restart its places are chosen anew.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/base/planted.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

std::string hours(std::int64_t ms) {
  return fmt::format("{:.1f} h", static_cast<double>(ms) / 3'600'000.0);
}

DecisionWait waits_for(Reservation const& plan, WallMs now) {
  DecisionWait waits;
  if (is_known(plan, now)) waits.starts_by_ms = plan.starts_by_ms;
  waits.starts_after = plan.last;
  return waits;
}

}  // namespace

JobId const* Deployer::elder_of(PoolId const& pool) const {
  for (auto const& [id, waits] : holding_)
    if (waits.elder && jobs_.at(id).row.pool == pool) return &id;
  return nullptr;
}

// A few plans at a time, and only where somebody has waited for so long. Who is first in line is
// asked to let go only where somebody else waits.
void Deployer::keep_places(Context& c) {
  if (c.now() < patience_check_at_) return;
  patience_check_at_ = c.now() + settings_.patience_check_ms;
  auto const now = instant(c).wall_ms;
  for (auto const& pool : queue_.pools()) {
    if (auto const* elder = elder_of(pool)) {
      let_go_in_vain(JobId(*elder), c);
      continue;
    }
    auto const candidates = patience_.candidates(queue_, pool, now);
    if (candidates.empty()) continue;
    auto const running = limited_in(pool, now, true);
    for (auto const& candidate : candidates) {
      auto const queued = as_now(candidate);
      if (beyond_limit(jobs_.at(queued.job))) continue;
      auto const plan = reserve(cluster_, queued.job, queued.resources, pool, queued.tasks, running,
                                now, placer_.policy(pool));
      if (!plan) continue;
      auto const begins = is_known(*plan, now) ? plan->starts_by_ms : now;
      if (objection(jobs_.at(queued.job), plan->places, begins)) continue;
      auto input = input_of(DecisionKind::keep, queued, c);
      input.limited = running;
      jobs_.at(queued.job).decision =
          decisions_.decided(std::move(input), {plan->places, {}, plan->starts_by_ms, ""},
                             {{}, waits_for(*plan, now)}, c);
      begin_keeping(queued, *plan, c);
      patience_.found(pool);
      break;
    }
  }
}

void Deployer::begin_keeping(QueuedJob const& queued, Reservation const& plan, Context& c) {
  auto& job = jobs_.at(queued.job);
  auto const now = instant(c).wall_ms;
  auto& waits = hold_places(queued, plan.places);
  waits.elder = true;
  if (is_known(plan, now)) waits.starts_by_ms = plan.starts_by_ms;
  waits.hold.top_up(cluster_);
  job.why =
      fmt::format("has waited for {} and is first in line: its places are kept as they become free",
                  hours(now - queued.waits_since_ms));
  audit_job(job, "deployer.job.places_kept", AuditOutcome::done, c);
  save(job, c);
  more_to_place_ = true;
}

// A node that is only doubted may come back within a while; one that stays doubted would keep all
// of its places, and everybody who waits behind it.
bool Deployer::has_lost_its_places(JobId const& id, TimeMs now) {
  auto& waits = holding_.at(id);
  if (waits.hold.is_lost(cluster_, jobs_.at(id).row.pool)) return true;
  if (!waits.hold.is_broken(cluster_)) {
    waits.doubted_since = 0;
    return false;
  }
  if (waits.doubted_since == 0) waits.doubted_since = now;
  return now - waits.doubted_since > settings_.doubt_max_ms;
}

// Replicas run until somebody ends them. A job without a time limit is trusted to end within a
// while of its start, and one with a limit so long after it.
bool Deployer::lasts(Job const& job, WallMs now) const {
  if (planted("services_awaited")) return false;
  if (serving_.replicas.contains(job.id())) return true;
  WallMs started = 0;
  for (auto const& member : job.run.members) started = std::max(started, member.started_at_ms);
  auto const limit = job.spec().max_duration_ms > 0 ? longest_ms(job.spec()) : 0;
  return started > 0 && now > started + limit + settings_.trust_ms;
}

// What goes on at its places may go on for ever, and so would the wait of everybody behind it.
void Deployer::let_go_in_vain(JobId const& id, Context& c) {
  auto const now = instant(c).wall_ms;
  Stays const stays = [&](AttemptId const& attempt) {
    auto const ref = parse_attempt(attempt);
    auto const job = ref ? jobs_.find(ref->job) : jobs_.end();
    return job == jobs_.end() || lasts(job->second, now);  // a slice's, or the port of a replica
  };
  if (holding_.at(id).hold.can_be_whole(cluster_, stays)) return;
  auto const& job = jobs_.at(id);
  patience_.passed_over(job.row.pool, {job.waits_since_ms(), std::uint64_t(job.row.queue_order)});
  give_up(id, "what runs at its places goes on and on; the next one has its turn before", c);
}

// Whether all of it fits somewhere by now, with what it holds; then it holds that.
bool Deployer::starts_elsewhere(JobId const& id, Context& c) {
  auto& waits = holding_.at(id);
  auto& job = jobs_.at(id);
  auto const now = c.now();
  auto const freed = cluster_.freed(job.row.pool);
  if (waits.freed == freed || now - waits.looked_at < settings_.reservation_pause_ms) return false;
  waits.freed = freed;
  waits.looked_at = now;
  waits.hold.step_aside(cluster_);
  auto const request = request_of(job);
  auto places = placer_.find(request, job.row.pool, job.spec().nodes);
  if (!places || objection(job, *places, instant(c).wall_ms))
    return waits.hold.top_up(cluster_), false;
  note_placed(job, {id, job.row.pool, request, job.spec().nodes}, *places, {}, c);
  waits.hold.move(cluster_, std::move(*places));
  return true;
}

// The holds of the first in line and of slices, for work that ends before those can start; and
// before the next one in line can, which has a reservation (backfill.cpp).
std::vector<Hold*> Deployer::lenders_for(QueuedJob const& queued, WallMs now) {
  auto const& spec = jobs_.at(queued.job).spec();
  if (spec.max_duration_ms == 0) return {};
  auto const ends_by = now + longest_ms(spec);
  auto holds = slices_.planned().lenders(queued.pool, ends_by);
  if (auto const* elder = holding_.empty() ? nullptr : elder_of(queued.pool))
    if (auto& waits = holding_.at(*elder); ends_by <= waits.starts_by_ms)
      holds.push_back(&waits.hold);
  if (holds.empty()) return holds;
  auto const* head = head_before(queued);
  auto const* next = head == nullptr ? nullptr : reservation_for(*head, now);
  if (next != nullptr && ends_by > next->starts_by_ms) holds.clear();
  return holds;
}

}  // namespace lepton::deployer
