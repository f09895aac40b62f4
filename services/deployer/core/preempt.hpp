#pragma once
// Preemption: which running work of lower priority gives way to a job that does not fit, so that
// the least work is lost; and how an owner takes back what others have borrowed. Pure. The plan is
// proven before anything is stopped: with exactly its victims gone every task of the job has a
// place, and with any one of them kept not all have. Gangs give way whole. For a job of one task
// the cost is the least there is, unless a node holds so much small work that the search ends at
// its limit; for a gang victims are chosen greedily by cost per task that they make room for, and
// those that turn out not to be needed are let go again. Owned by the deployer's actor; one thread.
// Units: GPU-milliseconds of work.

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/time.hpp"
#include "schemas/ids.hpp"
#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

// Work that holds room now, as far as preemption is concerned.
struct Running {
  JobId job;
  std::int32_t priority = 50;
  bool preemptible = true;
  bool stopping = false;     // is ending by itself: costs nothing and is not stopped again
  WallMs started_at_ms = 0;  // of the oldest task; 0: none has started
  std::int64_t checkpoint_interval_ms = 0;
  std::int64_t min_runtime_ms = 0;
  std::vector<Allocation> held;  // what its living tasks hold
  std::string owner;
  bool borrowed = false;  // beyond what its owner is owed (quota.hpp)

  static consteval auto fields() {
    using schema::field;
    using T = Running;
    return schema::fields(
        field(1, "job", &T::job, "The job."), field(2, "priority", &T::priority, "0..100."),
        field(3, "preemptible", &T::preemptible, "May be stopped."),
        field(4, "stopping", &T::stopping, "Ends by itself."),
        field(5, "started_at_ms", &T::started_at_ms, "Its oldest task; 0: none has started."),
        field(6, "checkpoint_interval_ms", &T::checkpoint_interval_ms, "It saves so often."),
        field(7, "min_runtime_ms", &T::min_runtime_ms, "It may run at least so long."),
        field(8, "held", &T::held, "What its living tasks hold."),
        field(9, "owner", &T::owner, "Whose it is."),
        field(10, "borrowed", &T::borrowed, "Beyond what its owner is owed."));
  }
};
static_assert(schema::complete<Running>());

// Starting again costs this beside the work itself, so that of equal losses the smallest is chosen.
inline constexpr std::int64_t restart_cost_ms = 60'000;
inline constexpr std::int64_t cores_per_gpu = 32;  // CPU work counts as a GPU for so many cores

// Wall time of work that a stop now would lose: since the last checkpoint, or since the start.
std::int64_t lost_ms(Running const& r, WallMs now_ms);
// The same in GPU-milliseconds, with the cost of starting again.
double cost_of(Running const& r, WallMs now_ms);
struct PreemptionPlan {
  std::vector<JobId> victims;      // in the order of the running work
  std::vector<Allocation> places;  // of the job's tasks, once victims and stopping work are gone
  double cost = 0;                 // sum over the victims
};

struct Preemptor {
  ResourceRequest const& resources;
  PoolId const& pool;
  std::uint32_t tasks = 1;
  std::int32_t priority = 50;
  std::string owner = {};
  bool quotas = false;  // the pool has some: of other owners only what is borrowed may be stopped,
  bool owed = false;    // and that by work that is owed its place whatever the priorities
};
// Whether it may be stopped now for this job.
bool may_preempt(Running const& r, Preemptor const& job, WallMs now_ms);

inline constexpr std::size_t most_victims = 256;

// Nothing when no allowed set of victims lets the job start. `running` must hold what it says in
// this cluster. With work that is stopping anyway the list of victims may be empty.
std::optional<PreemptionPlan> plan_preemption(Cluster const& cluster, Preemptor const& job,
                                              std::vector<Running> const& running, WallMs now_ms,
                                              Policy const& policy = best_fit());

}  // namespace lepton::deployer
