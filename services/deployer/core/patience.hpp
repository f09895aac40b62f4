#pragma once
// Patience: the bound on waiting. Who has waited in a pool for longer than the patience is first in
// line there whatever its priority and its owner's turn, the longest first, one at a time: its
// places are kept as they become free (hold.hpp) until they are whole. So it starts at the latest
// when all jobs have ended that held room at that instant; docs/placement.md states the bound and
// tests/services/deployer_core/patience.cpp proves it. Whom nothing can start as things stand (its
// request fits no node that is ready, its owner's limit is reached) keeps nobody else waiting: the
// next one is looked at, and it comes again after all others. Here: whose turn it is to be looked
// at.
// Pure. Owned by the deployer's actor; one thread. Times are WallMs.

#include <map>
#include <optional>
#include <vector>

#include "services/deployer/core/backfill.hpp"
#include "services/deployer/core/queue.hpp"

namespace lepton::deployer {

class Patience {
 public:
  static constexpr std::size_t looks_per_check = 8;

  explicit Patience(std::int64_t patience_ms) : patience_ms_(patience_ms) {}

  // Those of the pool to be looked at in this check, in order; not those of the check before, until
  // all others had their look.
  std::vector<QueuedJob> candidates(Queue const& queue, PoolId const& pool, WallMs now_ms);
  // One of them was found that can be started: the next check begins with the oldest again.
  void found(PoolId const& pool) { looked_at_.erase(pool); }
  // That one could not be started after all: it comes again after the others.
  void passed_over(PoolId const& pool, Queue::Wait const& wait) { looked_at_[pool] = wait; }

 private:
  std::int64_t patience_ms_;
  std::map<PoolId, Queue::Wait> looked_at_;  // the last
};

// Work without a time limit ends too, some day; in a plan of places after all that has one.
inline constexpr std::int64_t unlimited_ms = 315'360'000'000;
inline bool is_known(Reservation const& r, WallMs now_ms) {
  return r.starts_by_ms < now_ms + unlimited_ms / 2;
}

}  // namespace lepton::deployer
