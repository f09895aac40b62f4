#include "services/deployer/core/queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <tuple>

#include "services/deployer/core/by_request.hpp"

namespace lepton::deployer {

std::uint32_t limit_class_of(std::int64_t max_duration_ms) {
  auto const seconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, max_duration_ms)) / 1000;
  return max_duration_ms <= 0 ? 0 : 1 + static_cast<std::uint32_t>(std::bit_width(seconds));
}

bool Queue::Shape::operator<(Shape const& o) const {
  auto const key = [](Shape const& s) {
    return std::tuple_cat(std::tie(s.pool, s.group, s.tasks, s.priority),
                          ByRequest::fields(s.resources), std::tie(s.limit_class, s.kin, s.spare));
  };
  return key(*this) < key(o);
}

Status Queue::push(QueuedJob job) {
  if (jobs_.contains(job.job))
    return Error{Code::conflict, fmt::format("job {} is queued already", job.job.value)};
  if (!orders_.insert(job.order).second)
    return Error{Code::conflict, fmt::format("queue number {} is taken", job.order)};
  auto& entry = jobs_.emplace(job.job, Entry{job, false, 0}).first->second;
  if (!job.spare) waits_[job.pool].emplace(wait_of(job), &entry);
  if (job.not_before_ms > 0) {
    entry.delayed = true;
    delayed_.emplace(job.not_before_ms, job.job);
  } else {
    enter_lane(entry);
  }
  return ok();
}

void Queue::enter_lane(Entry& entry) {
  entry.delayed = false;
  lanes_[shape_of(entry.job)].waiting.emplace(rank_of(entry.job), entry.job.job);
}

void Queue::leave_lane(Lanes::iterator lane, Rank rank) {
  lane->second.waiting.erase(rank);
  if (lane->second.waiting.empty()) lanes_.erase(lane);
}

bool Queue::erase(JobId const& job) {
  auto const found = jobs_.find(job);
  if (found == jobs_.end()) return false;
  auto const& entry = found->second;
  if (entry.delayed)
    delayed_.erase({entry.job.not_before_ms, job});
  else
    leave_lane(lanes_.find(shape_of(entry.job)), rank_of(entry.job));
  forget(found);
  return true;
}

void Queue::forget(std::map<JobId, Entry>::iterator entry) {
  auto const& job = entry->second.job;
  orders_.erase(job.order);
  auto const waits = waits_.find(job.pool);
  if (!job.spare) {
    waits->second.erase(wait_of(job));
    if (waits->second.empty()) waits_.erase(waits);
  }
  jobs_.erase(entry);
}

std::vector<QueuedJob> Queue::take(PoolId const& pool) {
  std::vector<QueuedJob> taken;
  for (auto const& [id, entry] : jobs_)
    if (entry.job.pool == pool) taken.push_back(entry.job);
  for (auto const& job : taken) erase(job.job);
  return taken;
}

void Queue::wake_due(WallMs now_ms) {
  while (!delayed_.empty() && delayed_.begin()->first <= now_ms) {
    enter_lane(jobs_.at(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
}

// Jobs without a group go in one order, whatever their pools.
Queue::Standings Queue::open_heads(Cluster const& cluster, Turn const& turn) {
  Standings standings;
  for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
    auto& state = lane->second;
    if (state.blocked && state.blocked_at == cluster.freed(lane->first.pool)) continue;
    state.blocked = false;
    auto const& shape = lane->first;
    auto const key =
        shape.group.empty() ? std::pair<PoolId, std::string>() : std::pair(shape.pool, shape.group);
    auto const [standing, first] = standings.try_emplace(key);
    if (first && turn && !shape.group.empty()) standing->second.turn = turn(key.first, key.second);
    standing->second.heads.insert({state.waiting.begin()->first, lane});
  }
  return standings;
}

Queue::Standings::iterator Queue::next_of(Standings& standings) {
  return std::min_element(standings.begin(), standings.end(), [](auto const& a, auto const& b) {
    if (a.second.turn != b.second.turn) return a.second.turn < b.second.turn;
    return *a.second.heads.begin() < *b.second.heads.begin();
  });
}

Queue::Pass Queue::pass(Cluster const& cluster, WallMs now_ms, std::uint32_t max_tries,
                        Try const& attempt, Turn const& turn) {
  wake_due(now_ms);
  Pass result;
  std::vector<Rank> placed;
  auto standings = open_heads(cluster, turn);
  while (!standings.empty()) {
    if (result.tried == max_tries) {
      result.more = true;
      break;
    }
    auto const standing = next_of(standings);
    auto& heads = standing->second.heads;
    auto const [rank, lane] = *heads.begin();
    heads.erase(heads.begin());
    auto const done = [&] {
      if (heads.empty()) standings.erase(standing);
    };
    auto& state = lane->second;
    auto const job = jobs_.find(state.waiting.begin()->second);
    ++result.tried;
    if (auto misfit = attempt(job->second.job)) {
      state.blocked = true;
      state.blocked_at = cluster.freed(lane->first.pool);
      state.why = std::move(misfit);
      done();
      continue;
    }
    placed.push_back(rank);
    result.placed.push_back(job->first);
    forget(job);
    if (state.waiting.size() > 1) heads.insert({std::next(state.waiting.begin())->first, lane});
    leave_lane(lane, rank);
    if (turn && !standing->first.second.empty())
      standing->second.turn = turn(standing->first.first, standing->first.second);
    done();
  }
  count_passed(std::move(placed));
  return result;
}

void Queue::count_passed(std::vector<Rank> placed) {
  if (placed.empty()) return;
  std::sort(placed.begin(), placed.end());
  for (auto& [shape, lane] : lanes_) {
    if (!lane.blocked) continue;
    auto const& [rank, job] = *lane.waiting.begin();
    auto const after = std::upper_bound(placed.begin(), placed.end(), rank);
    jobs_.at(job).passed += static_cast<std::uint64_t>(placed.end() - after);
  }
}

std::optional<WallMs> Queue::next_due_ms() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.begin()->first;
}

Misfit const* Queue::why(JobId const& job) const {
  auto const found = jobs_.find(job);
  if (found == jobs_.end() || found->second.delayed) return nullptr;
  auto const lane = lanes_.find(shape_of(found->second.job));
  return lane->second.why ? &*lane->second.why : nullptr;
}

std::uint64_t Queue::passed_over(JobId const& job) const {
  auto const found = jobs_.find(job);
  return found == jobs_.end() ? 0 : found->second.passed;
}

std::vector<QueuedJob> Queue::blocked_heads(std::size_t limit) const {
  std::map<Rank, JobId> heads;
  for (auto const& [shape, lane] : lanes_)
    if (lane.blocked && !shape.spare) heads.insert(*lane.waiting.begin());
  std::vector<QueuedJob> out;
  for (auto const& [rank, job] : heads) {
    if (out.size() == limit) break;
    out.push_back(jobs_.at(job).job);
  }
  return out;
}

std::vector<QueuedJob> Queue::shut_heads(Cluster const& cluster, PoolId const& pool) const {
  std::map<Rank, JobId> heads;
  for (auto const& [shape, lane] : lanes_)
    if (shape.pool == pool && lane.blocked && lane.blocked_at == cluster.freed(pool) && lane.why &&
        lane.why->for_room && !shape.spare)
      heads.insert(*lane.waiting.begin());
  std::vector<QueuedJob> out;
  for (auto const& [rank, job] : heads) out.push_back(jobs_.at(job).job);
  return out;
}

void Queue::reopen(PoolId const& pool) {
  for (auto& [shape, lane] : lanes_)
    if (shape.pool == pool) lane.blocked = false;
}

std::optional<std::uint64_t> Queue::place_in_line(JobId const& job) const {
  auto const found = jobs_.find(job);
  if (found == jobs_.end() || found->second.delayed) return std::nullopt;
  auto const mine = rank_of(found->second.job);
  std::uint64_t before = 0;
  for (auto const& [shape, lane] : lanes_) {
    if (shape.pool != found->second.job.pool) continue;
    auto const end = lane.waiting.lower_bound(mine);
    before += static_cast<std::uint64_t>(std::distance(lane.waiting.begin(), end));
  }
  return before;
}

std::vector<QueuedJob> Queue::waiting_since(PoolId const& pool, WallMs since, std::size_t limit,
                                            std::optional<Wait> after) const {
  std::vector<QueuedJob> out;
  auto const found = waits_.find(pool);
  if (found == waits_.end()) return out;
  auto const& waits = found->second;
  for (auto it = after ? waits.upper_bound(*after) : waits.begin(); it != waits.end(); ++it) {
    if (it->first.first > since || out.size() == limit) break;
    if (!it->second->delayed) out.push_back(it->second->job);
  }
  return out;
}

std::vector<PoolId> Queue::pools() const {
  std::vector<PoolId> out;
  for (auto const& [pool, waits] : waits_) out.push_back(pool);
  return out;
}

std::vector<JobId> Queue::head(std::size_t limit) const {
  std::set<std::pair<Rank, Lanes::const_iterator>,
           decltype([](auto const& a, auto const& b) { return a.first < b.first; })>
      heads;
  for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane)
    heads.insert({lane->second.waiting.begin()->first, lane});
  std::vector<JobId> out;
  while (!heads.empty() && out.size() < limit) {
    auto const [rank, lane] = *heads.begin();
    heads.erase(heads.begin());
    auto const& waiting = lane->second.waiting;
    auto const at = waiting.find(rank);
    out.push_back(at->second);
    if (auto const next = std::next(at); next != waiting.end()) heads.insert({next->first, lane});
  }
  return out;
}

}  // namespace lepton::deployer
