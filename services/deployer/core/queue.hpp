#pragma once
// The order of waiting jobs: by priority and age, one point of priority being worth ten minutes of
// age, so that a job waits at most 1,000 minutes behind work that came after it; equal ones by the
// number of their queueing. Jobs of one shape (pool, request, number of tasks, class of time limit,
// kin) and priority form a lane. When the head of a lane does not fit, the lane is
// blocked until capacity of its pool is freed, so that 100,000 waiting jobs of 100 shapes cost 100
// tries. Later jobs of other shapes may pass; how often a blocked head was passed is counted.
// Owned by the deployer's actor; one thread. Times are WallMs.

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "services/deployer/core/cluster.hpp"
#include "services/deployer/core/explain.hpp"

namespace lepton::deployer {

inline constexpr std::int64_t age_per_point_ms = 600'000;

struct QueuedJob {
  JobId job;
  PoolId pool{"default"};
  ResourceRequest resources;
  std::uint32_t tasks = 1;
  std::int32_t priority = 50;
  std::uint64_t order = 0;   // durable number of its queueing, unique; a retry keeps it
  WallMs not_before_ms = 0;  // backoff of a retry; 0 means at once
  WallMs queued_at_ms = 0;   // when it first came; rises with the order
  std::string group;         // between groups it is decided whose turn it is; within one the order
  std::uint32_t limit_class = 0;  // limit_class_of() its time limit
  WallMs waits_since_ms = 0;      // since when it could start, were there room; any other order
  std::string kin;                // its array or service, where that keeps some off spot nodes
  bool spare = false;             // it takes only what is free: nobody gives way or waits for it
};

// Time limits within a factor of two are alike; 0: none. Work that ends sooner may start where work
// that ends later would delay somebody, so that it must not wait behind that in a lane.
std::uint32_t limit_class_of(std::int64_t max_duration_ms);

class Queue {
 public:
  // Nothing when the job was placed; the caller has then reserved its room in the cluster.
  using Try = std::function<std::optional<Misfit>(QueuedJob const&)>;

  // Of a group in a pool: the smallest goes first; equal ones in the order of their jobs.
  using Turn = std::function<double(PoolId const&, std::string const&)>;

  struct Pass {
    std::uint32_t tried = 0;
    std::vector<JobId> placed;  // in order; they have left the queue
    bool more = false;          // the limit was reached; call again
  };

  Status push(QueuedJob job);  // conflict when the job or its order number is queued already
  bool erase(JobId const& job);
  // Tries jobs in order until nothing more fits or `max_tries` is reached.
  Pass pass(Cluster const& cluster, WallMs now_ms, std::uint32_t max_tries, Try const& attempt,
            Turn const& turn = {});
  // Takes all jobs of a pool out, to be pushed anew.
  std::vector<QueuedJob> take(PoolId const& pool);

  std::size_t size() const { return jobs_.size(); }
  bool contains(JobId const& job) const { return jobs_.contains(job); }
  std::size_t lane_count() const { return lanes_.size(); }
  // When pass() should be called next for a retry's sake; nothing when no retry waits.
  std::optional<WallMs> next_due_ms() const;
  // Why its shape did not fit when last tried; nullptr when not yet tried or not queued.
  Misfit const* why(JobId const& job) const;
  // How many later jobs went before it while it stood blocked at the head of its lane.
  std::uint64_t passed_over(JobId const& job) const;
  // Of each lane that is blocked the first job, in order: nothing of its lane fits now.
  std::vector<QueuedJob> blocked_heads(std::size_t limit) const;
  // Of each lane of the pool that did not fit for lack of room and is not tried before capacity is
  // freed, the first job, in order.
  std::vector<QueuedJob> shut_heads(Cluster const& cluster, PoolId const& pool) const;
  // The blocked lanes of the pool are tried in the next pass, whatever was freed.
  void reopen(PoolId const& pool);
  // Whether one goes before the other where it is the turn of both.
  static bool goes_before(QueuedJob const& a, QueuedJob const& b) {
    return rank_of(a) < rank_of(b);
  }
  // How many jobs of its pool stand before it, delayed ones left out; nothing when it is not queued
  // or delayed itself. Turns of groups are not counted.
  std::optional<std::uint64_t> place_in_line(JobId const& job) const;
  // Of the pool those that have waited since then or for longer, the longest first, those of equal
  // age by their numbers; delayed ones are left out. Those after `after`, where it is given.
  using Wait = std::pair<WallMs, std::uint64_t>;  // since when, number of its queueing
  std::vector<QueuedJob> waiting_since(PoolId const& pool, WallMs since, std::size_t limit,
                                       std::optional<Wait> after = {}) const;
  std::vector<PoolId> pools() const;  // in which somebody waits
  // The first jobs in order, for lists; retries that still wait are left out.
  std::vector<JobId> head(std::size_t limit) const;

 private:
  struct Rank {
    WallMs came_at_ms = 0;  // less what its priority is worth
    std::uint64_t order = 0;
    auto operator<=>(Rank const&) const = default;
  };
  struct Shape {
    PoolId pool;
    ResourceRequest resources;
    std::uint32_t tasks = 1;
    std::int32_t priority = 50;
    std::string group;
    std::uint32_t limit_class = 0;
    std::string kin;
    bool spare = false;
    bool operator<(Shape const& o) const;
  };
  struct Lane {
    std::map<Rank, JobId> waiting;
    bool blocked = false;
    std::uint64_t blocked_at = 0;  // Cluster::freed when it last did not fit
    std::optional<Misfit> why;
  };
  using Lanes = std::map<Shape, Lane>;
  struct Entry {
    QueuedJob job;
    bool delayed = false;
    std::uint64_t passed = 0;
  };
  struct Head {
    Rank rank;
    Lanes::iterator lane;
    bool operator<(Head const& o) const { return rank < o.rank; }
  };

  static Shape shape_of(QueuedJob const& job) {
    return {job.pool,  job.resources,   job.tasks, job.priority,
            job.group, job.limit_class, job.kin,   job.spare};
  }
  static Wait wait_of(QueuedJob const& job) { return {job.waits_since_ms, job.order}; }
  static Rank rank_of(QueuedJob const& job) {
    return {job.queued_at_ms - job.priority * age_per_point_ms, job.order};
  }
  void enter_lane(Entry& entry);
  void wake_due(WallMs now_ms);
  // The open heads of one group, and when it is its turn.
  struct Standing {
    double turn = 0;
    std::set<Head> heads;
  };
  using Standings = std::map<std::pair<PoolId, std::string>, Standing>;
  Standings open_heads(Cluster const& cluster, Turn const& turn);
  static Standings::iterator next_of(Standings& standings);
  void count_passed(std::vector<Rank> placed);
  void leave_lane(Lanes::iterator lane, Rank rank);
  void forget(std::map<JobId, Entry>::iterator entry);

  std::map<JobId, Entry> jobs_;
  std::set<std::uint64_t> orders_;
  std::map<PoolId, std::map<Wait, Entry const*>> waits_;
  std::set<std::pair<WallMs, JobId>> delayed_;
  Lanes lanes_;
};

}  // namespace lepton::deployer
