#pragma once
// Migration: which running work to move so that stranded capacity becomes whole again, for the
// least work lost. Pure: the same cluster, mix and work give the same plan, whatever the nodes are
// called and in whatever order the work is listed.
//
// What a move frees is what foresight says: the loss of the task's place, as if it were placed
// there now, less the loss of the best place elsewhere; prices of scarce models and blocks
// included. Greedy: again and again the move that frees the most per unit of work lost, worked out
// anew after each one, as for a knapsack by density (Dantzig, Discrete-variable extremum problems,
// 1957). Work moves to where it has room while its old place is still held: nothing is released
// before its new place is taken, so each move can be made alone, in the order of the plan, and a
// move that fails on its way leaves the work where it was.
//
// Left alone: what is not preemptible, is stopping, has not begun, is younger than its min_runtime,
// or stands on a node that is not ready (that is a drain); a gang with a topology. Other gangs
// move whole. Nothing goes to a less wanted model, or where fewer of its wishes are met.
// Owned by whoever plans; one thread. Units: milli of GPU; GPU-milliseconds of work, by the rules
// of preemption (preempt.hpp), a minute for starting again included. Errors: work that the cluster
// does not hold as said is left alone.

#include <cstdint>
#include <deque>
#include <vector>

#include "services/deployer/core/outlook.hpp"
#include "services/deployer/core/preempt.hpp"

namespace lepton::deployer {

// Running work that might move: attempts[i] holds work.held[i].
struct Mobile {
  Running work;
  ResourceRequest request;  // of each task
  std::vector<AttemptId> attempts;
};

struct MigrationLimits {
  std::uint64_t moves = 0;  // of tasks: a gang counts as many
  double lost_gpu_ms = 0;
};

// How much may be moved within any hour; what was moved up to an hour ago counts against it.
class MigrationBudget {
 public:
  static constexpr TimeMs window_ms = 3'600'000;
  explicit MigrationBudget(MigrationLimits per_hour) : per_hour_(per_hour) {}

  // Instants never fall from one call to the next.
  MigrationLimits left(WallMs now_ms);
  void spend(WallMs now_ms, MigrationLimits const& spent);

 private:
  struct Spent {
    WallMs at_ms = 0;
    MigrationLimits what;
  };
  MigrationLimits per_hour_;
  std::deque<Spent> spent_;  // within the last hour; each has moved something, so they are bounded
};

// All of `to` is taken before any of `from` is released.
struct Migration {
  JobId job;
  std::vector<Allocation> from, to;
  double freed_milli = 0;
  double lost_gpu_ms = 0;
};

struct MigrationRequest {
  PoolId const& pool;
  std::vector<Mobile> const& work;
  WallMs now_ms = 0;
  MigrationLimits limits;
  double least_freed_milli = 20;  // of a task; less than this is not worth a stop
  bool ranked_models = true;      // as for a placer
};

inline constexpr std::size_t most_mobile_kinds = 256;  // of request; rarer ones are left alone

// Nothing to gain: an empty plan. The outlook is that of the mix, made for this cluster's models.
std::vector<Migration> plan_migration(Cluster const& cluster, Outlook const& outlook,
                                      MigrationRequest const& request);

}  // namespace lepton::deployer
