#pragma once
// The rows of the deployer (schemas/sql/deployer): what was asked for, how it goes, and the nodes.

#include "common/schema/schema.hpp"
#include "schemas/slice.hpp"
#include "schemas/states.hpp"
#include "schemas/values.hpp"
#include "services/deployer/core/lifecycle.hpp"
#include "services/deployer/core/resize.hpp"

namespace lepton::deployer {

// What makes a job a worker of another.
struct WorkerOf {
  JobId base;
  std::uint32_t index = 0;
  std::uint32_t round = 0;

  bool operator==(WorkerOf const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = WorkerOf;
    return schema::fields(field(1, "base", &R::base, "The job that it joins."),
                          field(2, "index", &R::index, "Its number among the tasks of that."),
                          field(3, "round", &R::round, "The round that it joins."));
  }
};
static_assert(schema::complete<WorkerOf>());

// Written once, at the submit.
struct JobRow {
  static constexpr std::string_view table = "job";
  JobId job;
  std::string owner;
  std::string name;
  PoolId pool;
  JobSpec spec;
  std::vector<std::string> policies;
  std::string token;
  std::int64_t queue_order = 0;
  std::int64_t submitted_at_ms = 0;
  JobId array_of;
  std::vector<Dependency> waits_for;
  std::optional<WorkerOf> worker_of;

  static consteval auto fields() {
    using schema::field;
    using R = JobRow;
    return schema::fields(
        field(1, "job", &R::job, "Identity.").key(),
        field(2, "owner", &R::owner, "Who submitted it."), field(3, "name", &R::name, "Name."),
        field(4, "pool", &R::pool, "Pool of nodes."),
        field(5, "spec", &R::spec, "What was asked for."),
        field(6, "policies", &R::policies, "Policies of the token it was submitted with."),
        field(7, "token", &R::token, "Identity of that token."),
        field(8, "queue_order", &R::queue_order, "Number of its queueing."),
        field(9, "submitted_at_ms", &R::submitted_at_ms, "When it came in, ms since 1970."),
        field(60, "array_of", &R::array_of, "The array that it belongs to; empty: none.").since(3),
        field(61, "waits_for", &R::waits_for, "Jobs, by identity, that must have ended before it.")
            .since(3),
        field(180, "worker_of", &R::worker_of, "Of a worker of an elastic job; empty: none.")
            .since(5));
  }
};
static_assert(schema::complete<JobRow>());

// Replaced at each step of its life. A claim is durable here before the attempt starts.
struct JobRunRow {
  static constexpr std::string_view table = "job_run";
  JobId job;
  JobState state = JobState::unknown;
  JobRun run;
  std::vector<Allocation> allocations;
  std::int64_t started_at_ms = 0;
  std::int64_t finished_at_ms = 0;
  std::string why;
  std::optional<TaskSize> size;
  std::optional<Resizing> resizing;

  static consteval auto fields() {
    using schema::field;
    using R = JobRunRow;
    return schema::fields(
        field(1, "job", &R::job, "Identity.").key(), field(2, "state", &R::state, "State."),
        field(3, "run", &R::run, "Rounds, members and endings."),
        field(4, "allocations", &R::allocations, "What its tasks hold, in their order."),
        field(5, "started_at_ms", &R::started_at_ms,
              "When the round was placed, ms since 1970; 0: not yet."),
        field(6, "finished_at_ms", &R::finished_at_ms, "When it ended, ms since 1970; 0: not yet."),
        field(7, "why", &R::why, "Why it waits, or how it ended."),
        field(180, "size", &R::size, "Size of its tasks, if it was changed.").since(5),
        field(181, "resizing", &R::resizing, "A change of it that nodes have yet to take up.")
            .since(5));
  }
};
static_assert(schema::complete<JobRunRow>());

// What an owner is owed in a pool.
struct QuotaRow {
  static constexpr std::string_view table = "quota";
  PoolId pool;
  std::string owner;
  std::int64_t gpu_milli = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t gpu_milli_max = 0;
  std::uint32_t weight = 1;

  static consteval auto fields() {
    using schema::field;
    using R = QuotaRow;
    return schema::fields(
        field(1, "pool", &R::pool, "The pool.").key(),
        field(2, "owner", &R::owner, "Whose quota it is.").key(),
        field(3, "gpu_milli", &R::gpu_milli, "GPU owed, thousandths of one GPU."),
        field(4, "cpu_milli", &R::cpu_milli, "CPU owed, thousandths of a core."),
        field(5, "gpu_milli_max", &R::gpu_milli_max, "Most GPU with what is borrowed; 0: any."),
        field(6, "weight", &R::weight, "Weight of the share of what is lent."));
  }
};
static_assert(schema::complete<QuotaRow>());

// What makes a node a part of a slice.
struct SliceOf {
  std::string name;
  NodeId machine;
  Allocation held;
  SliceWindow window;

  bool operator==(SliceOf const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = SliceOf;
    return schema::fields(field(1, "name", &R::name, "The slice."),
                          field(2, "machine", &R::machine, "Where the part is."),
                          field(3, "held", &R::held, "What it holds there."),
                          field(4, "window", &R::window, "When it is there, and for whom."));
  }
};
static_assert(schema::complete<SliceOf>());

struct NodeRow {
  static constexpr std::string_view table = "node";
  NodeId node;
  PoolId pool;
  std::string engine;
  NodeState state = NodeState::unknown;
  NodeCapacity capacity;
  std::map<std::string, std::string> labels;
  std::int64_t queue_order = 0;
  std::string boot_id;
  std::int64_t joined_at_ms = 0;
  std::map<std::string, std::string> marked_labels;
  std::vector<Taint> taints;
  std::optional<SliceOf> slice;

  static consteval auto fields() {
    using schema::field;
    using R = NodeRow;
    return schema::fields(
        field(1, "node", &R::node, "Name.").key(), field(2, "pool", &R::pool, "Pool."),
        field(3, "engine", &R::engine, "process or simulated."),
        field(4, "state", &R::state, "State when last written; draining survives a restart."),
        field(5, "capacity", &R::capacity, "What it has."),
        field(6, "labels", &R::labels, "What it says of itself."),
        field(7, "queue_order", &R::queue_order, "Number of its registration; decides ties."),
        field(8, "boot_id", &R::boot_id, "Boot that it was last heard in."),
        field(9, "joined_at_ms", &R::joined_at_ms, "When it first came, ms since 1970."),
        field(60, "marked_labels", &R::marked_labels, "Labels that people have set.").since(3),
        field(61, "taints", &R::taints, "Taints that people have set.").since(3),
        field(180, "slice", &R::slice, "Of a part of a slice; empty: a machine.").since(5));
  }
};
static_assert(schema::complete<NodeRow>());

// A slice that has not begun.
struct PlannedSliceRow {
  static constexpr std::string_view table = "planned_slice";
  std::string name;
  SliceCreate wanted;
  std::vector<Allocation> places;

  static consteval auto fields() {
    using schema::field;
    using R = PlannedSliceRow;
    return schema::fields(field(1, "name", &R::name, "The slice.").key(),
                          field(2, "wanted", &R::wanted, "What was asked for."),
                          field(3, "places", &R::places, "What its parts are to hold."));
  }
};
static_assert(schema::complete<PlannedSliceRow>());

}  // namespace lepton::deployer
