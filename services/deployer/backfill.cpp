// The first job of each pool that finds no room keeps its place in time (core/backfill): what comes
// after it may start before it only where that does not delay it. Costs nothing where no running
// work has a time limit. In memory only; worked out anew whenever it is asked for.

#include <fmt/format.h>

#include <algorithm>

#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

std::string clock_words(WallMs at_ms, WallMs now_ms) {
  return fmt::format("in {:.1f} min",
                     static_cast<double>(std::max<WallMs>(0, at_ms - now_ms)) / 60'000.0);
}

}  // namespace

bool Deployer::has_limits(PoolId const& pool) const {
  auto const found = limited_.find(pool);
  return found != limited_.end() && found->second > 0;
}

bool Deployer::is_ahead(QueuedJob const& a, QueuedJob const& b) const {
  if (a.group != b.group) {
    auto const totals = cluster_.totals(a.pool);
    auto const first = ledger_.turn(a.pool, a.group, totals);
    auto const second = ledger_.turn(b.pool, b.group, totals);
    if (first != second) return first < second;
  }
  return Queue::goes_before(a, b);
}

void Deployer::note_head(QueuedJob const& job) {
  auto const known = heads_.find(job.pool);
  if (known == heads_.end()) return;
  if (!known->second || is_ahead(job, *known->second)) known->second = job;
}

// The first job of the pool that did not fit, if it stands before this one.
QueuedJob const* Deployer::head_before(QueuedJob const& job) {
  auto known = heads_.find(job.pool);
  if (known == heads_.end()) {
    std::optional<QueuedJob> head;
    for (auto const& shut : queue_.shut_heads(cluster_, job.pool))
      if (!head || is_ahead(shut, *head)) head = as_now(shut);
    known = heads_.emplace(job.pool, std::move(head)).first;
  }
  auto const& head = known->second;
  return head && head->job != job.job && is_ahead(*head, job) ? &*head : nullptr;
}

std::optional<WallMs> Deployer::ends_by(AttemptId const& attempt, WallMs now) const {
  auto const* member = member_of(attempt);
  if (member == nullptr || is_final(member->state)) return std::nullopt;
  auto const& job = jobs_.at(parse_attempt(attempt)->job);
  // Work that nobody hears of may hold its place for long.
  if (job.spec().max_duration_ms == 0 || member->silent_since_ms != 0) return std::nullopt;
  auto const started = member->started_at_ms > 0 ? member->started_at_ms : now;
  auto const ends = started + longest_ms(job.spec());
  // It should have ended, and nobody knows when it will.
  if (now > ends + settings_.overrun_max_ms) return std::nullopt;
  return std::max(now, ends);
}

// With `all` also jobs without a limit, the oldest first, as if they ended after all that have one;
// but neither what lasts nor what is stopping for somebody.
std::vector<Limited> Deployer::limited_in(PoolId const& pool, WallMs now, bool all) const {
  std::vector<Limited> found;
  for (auto const& id : live_) {
    auto const& job = jobs_.at(id);
    if (job.row.pool != pool || (job.spec().max_duration_ms == 0 && !all)) continue;
    if (lasts(job, now)) continue;
    Limited l{id, now, {}};
    for (std::uint32_t i = 0; i < job.allocations.size(); ++i) {
      auto const attempt = attempt_id(id, i, job.run.round);
      if (cluster_.held(attempt) == nullptr) continue;
      auto const ends = ends_by(attempt, now);
      if ((!ends && !all) || slices_.planned().wants(job.allocations[i])) continue;
      l.ends_by_ms = std::max(l.ends_by_ms, ends.value_or(job.started_at_ms + unlimited_ms));
      l.held.push_back(job.allocations[i]);
    }
    if (l.held.empty() || (all && stopping_.contains(id) && is_awaited(l.held))) continue;
    found.push_back(std::move(l));
  }
  return found;
}

std::optional<Reservation> Deployer::plan_reservation(QueuedJob const& job, WallMs now) {
  return reserve(cluster_, job.job, job.resources, job.pool, job.tasks,
                 limited_in(job.pool, now, false), now, placer_.policy(job.pool));
}

// Planned anew when it is another's, when its instant has come, or after a while when room was
// freed: it could be earlier now, and what was planned holds until then.
Reservation const* Deployer::reservation_for(QueuedJob const& head, WallMs now) {
  auto& r = reserved_[head.pool];
  auto const ready = [&](Allocation const& place) {
    auto const* node = cluster_.find(place.node);
    return node != nullptr && node->spec.state == NodeState::ready;
  };
  auto const holds = r.plan && r.plan->starts_by_ms > now &&
                     std::all_of(r.plan->places.begin(), r.plan->places.end(), ready);
  auto const rested = now - r.planned_at >= settings_.reservation_pause_ms;
  auto const news = r.freed != cluster_.freed(head.pool);
  if (r.job != head.job || (rested && (news || !holds))) {
    if (r.job != head.job && r.held_back) queue_.reopen(head.pool);
    r = {head.job, plan_reservation(head, now), cluster_.freed(head.pool), now,
         r.job == head.job && r.held_back};
  }
  return r.plan ? &*r.plan : nullptr;
}

// Other places, or the reason to wait, where the start would delay the first in line.
std::optional<Misfit> Deployer::respect_head(QueuedJob const& queued,
                                             std::vector<Allocation>& places, WallMs now,
                                             Beside& beside) {
  if (!has_limits(queued.pool)) return std::nullopt;
  auto const* head = head_before(queued);
  auto const* reservation = head == nullptr ? nullptr : reservation_for(*head, now);
  if (reservation == nullptr) return std::nullopt;
  auto const& spec = jobs_.at(queued.job).spec();
  auto const until =
      spec.max_duration_ms > 0 ? std::optional<WallMs>(now + longest_ms(spec)) : std::nullopt;
  EndsBy const ends = [&](AttemptId const& attempt) { return ends_by(attempt, now); };
  if (leaves_whole(cluster_, *reservation, ends, places, until)) return std::nullopt;
  if (auto others =
          place_beside(cluster_, queued.resources, queued.pool, queued.tasks,
                       placer_.policy(queued.pool), *reservation, noting(ends, beside.ends))) {
    places = std::move(*others);
    beside.reserved = *reservation;
    return std::nullopt;
  }
  reserved_.at(queued.pool).held_back = true;
  Misfit m;
  m.tasks = queued.tasks;
  m.for_room = false;
  m.what = fmt::format("would delay job {}, whose room is reserved {} at the latest",
                       head->job.value, clock_words(reservation->starts_by_ms, now));
  return m;
}

// What was to end in time for the first in line has not: who was held back for it is tried again.
void Deployer::lapse_reservations(WallMs now) {
  std::erase_if(reserved_, [&](auto const& entry) {
    auto const& [pool, r] = entry;
    auto const stands = r.plan && now <= r.plan->starts_by_ms + settings_.overrun_max_ms;
    if (stands || !r.held_back) return false;
    queue_.reopen(pool);
    more_to_place_ = true;
    return true;
  });
}

// Reservations of jobs that wait no more.
void Deployer::drop_reservations() {
  heads_.clear();
  for (auto it = reserved_.begin(); it != reserved_.end();) {
    if (queue_.contains(it->second.job)) {
      ++it;
      continue;
    }
    if (it->second.held_back) queue_.reopen(it->first);
    it = reserved_.erase(it);
  }
}

}  // namespace lepton::deployer
