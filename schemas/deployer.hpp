#pragma once
// Messages about jobs. The deployer owns and serves them. A message without resource() is checked
// by its handler, which knows the owner.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/secret.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"
#include "schemas/states.hpp"
#include "schemas/values.hpp"

namespace lepton {

struct JobAccepted {
  JobId job;
  JobState state = JobState::unknown;
  std::int64_t queued_at_ms = 0;
  std::string why;
  std::vector<NodeId> nodes;

  static consteval auto fields() {
    using schema::field;
    using T = JobAccepted;
    return schema::fields(
        field(1, "job", &T::job, "Identity of the job."),
        field(2, "state", &T::state, "State after the first look for a place."),
        field(3, "queued_at_ms", &T::queued_at_ms, "When it was taken in, ms since 1970."),
        field(4, "why", &T::why, "Why it waits or was refused; empty otherwise."),
        field(5, "nodes", &T::nodes, "Where its tasks were placed at once."));
  }
};
static_assert(schema::complete<JobAccepted>());
struct JobSubmit {
  static constexpr std::string_view topic = "deployer.job.submit";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::run;
  using Reply = JobAccepted;
  JobId job;
  JobSpec spec;

  static consteval auto fields() {
    using schema::field;
    using T = JobSubmit;
    return schema::fields(
        field(1, "job", &T::job, "Identity chosen by the caller; sending it twice is harmless."),
        field(2, "spec", &T::spec, "What to run."));
  }
};
static_assert(schema::complete<JobSubmit>());
struct TaskView {
  std::uint32_t index = 0;
  AttemptId attempt;
  AttemptState state = AttemptState::unknown;
  Allocation allocation;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string reason;

  static consteval auto fields() {
    using schema::field;
    using T = TaskView;
    return schema::fields(field(1, "index", &T::index, "Place in the gang, from 0."),
                          field(2, "attempt", &T::attempt, "The present attempt."),
                          field(3, "state", &T::state, "State of the attempt."),
                          field(4, "allocation", &T::allocation, "What it holds."),
                          field(5, "exit_code", &T::exit_code, "Exit code, once it exited."),
                          field(6, "signal", &T::signal, "Signal that ended it; 0: none."),
                          field(7, "reason", &T::reason, "A sentence for people."));
  }
};
static_assert(schema::complete<TaskView>());
struct JobView {
  JobId job;
  std::string owner;
  JobSpec spec;
  JobState state = JobState::unknown;
  std::int64_t submitted_at_ms = 0;
  std::int64_t started_at_ms = 0;
  std::int64_t finished_at_ms = 0;
  std::uint32_t round = 0;
  std::uint32_t failures = 0;
  std::uint32_t interruptions = 0;
  std::string why;
  std::vector<TaskView> tasks;
  std::uint32_t preemptions = 0;
  std::string resizing;
  std::uint32_t workers = 0;

  static consteval auto fields() {
    using schema::field;
    using T = JobView;
    return schema::fields(
        field(1, "job", &T::job, "Identity."), field(2, "owner", &T::owner, "Who submitted it."),
        field(3, "spec", &T::spec, "What was asked for, with its size of now."),
        field(4, "state", &T::state, "State."),
        field(5, "submitted_at_ms", &T::submitted_at_ms, "When it came in, ms since 1970."),
        field(6, "started_at_ms", &T::started_at_ms,
              "When its present round was placed, ms since 1970; 0: not yet."),
        field(7, "finished_at_ms", &T::finished_at_ms, "When it ended, ms since 1970; 0: not yet."),
        field(8, "round", &T::round, "Number of the present attempts, from 1."),
        field(9, "failures", &T::failures, "Own failures so far."),
        field(10, "interruptions", &T::interruptions, "Interruptions so far."),
        field(11, "why", &T::why, "Why it waits, or how it ended."),
        field(12, "tasks", &T::tasks, "Its tasks."),
        field(13, "preemptions", &T::preemptions, "How often it gave way to other work.").since(2),
        field(180, "resizing", &T::resizing, "A change of size that is on its way.").since(5),
        field(181, "workers", &T::workers, "Workers that run beside its tasks.").since(5));
  }
};
static_assert(schema::complete<JobView>());
struct JobShow {
  static constexpr std::string_view topic = "deployer.job.show";
  static constexpr Verb verb = Verb::read;
  using Reply = JobView;
  JobId job;

  static consteval auto fields() {
    using schema::field;
    using T = JobShow;
    return schema::fields(field(
        1, "job", &T::job, "Identity, or a unique start of it, or the name of one's newest job."));
  }
};
static_assert(schema::complete<JobShow>());
struct JobLine {
  JobId job;
  std::string name;
  std::string owner;
  JobState state = JobState::unknown;
  std::string resources;
  std::int64_t submitted_at_ms = 0;
  std::int64_t duration_ms = 0;
  std::uint32_t recoveries = 0;
  std::string reason;

  static consteval auto fields() {
    using schema::field;
    using T = JobLine;
    return schema::fields(
        field(1, "job", &T::job, "Identity."), field(2, "name", &T::name, "Name."),
        field(3, "owner", &T::owner, "Who submitted it."), field(4, "state", &T::state, "State."),
        field(5, "resources", &T::resources, "What it asks for, in words."),
        field(6, "submitted_at_ms", &T::submitted_at_ms, "When it came in, ms since 1970."),
        field(7, "duration_ms", &T::duration_ms, "How long it ran or has been running, ms."),
        field(8, "recoveries", &T::recoveries, "Rounds after the first."),
        field(9, "reason", &T::reason, "Why it waits, or how it ended."));
  }
};
static_assert(schema::complete<JobLine>());
struct JobPage {
  std::vector<JobLine> jobs;
  std::uint64_t total = 0;
  std::map<std::string, std::int64_t> states;

  static consteval auto fields() {
    using schema::field;
    using T = JobPage;
    return schema::fields(field(1, "jobs", &T::jobs, "Newest first."),
                          field(2, "total", &T::total, "How many match in all."),
                          field(3, "states", &T::states, "How many jobs stand in each state."));
  }
};
static_assert(schema::complete<JobPage>());
struct JobList {
  static constexpr std::string_view topic = "deployer.job.list";
  static constexpr Verb verb = Verb::list;
  using Reply = JobPage;
  std::string owner;
  std::string state;
  PoolId pool;
  std::uint32_t limit = 50;
  bool expand = false;

  static consteval auto fields() {
    using schema::field;
    using T = JobList;
    return schema::fields(
        field(1, "owner", &T::owner, "Only of this owner; empty: all that the caller may read.")
            .optional(),
        field(2, "state", &T::state, "Only in this state.").optional(),
        field(3, "pool", &T::pool, "Only in this pool.").optional(),
        field(4, "limit", &T::limit, "At most so many.").bounds(1, 1000).optional(),
        field(60, "expand", &T::expand, "Each job of an array on a line of its own.").optional());
  }
};
static_assert(schema::complete<JobList>());
struct JobCancelled {
  JobId job;
  JobState state = JobState::unknown;

  static consteval auto fields() {
    using schema::field;
    using T = JobCancelled;
    return schema::fields(
        field(1, "job", &T::job, "Identity."),
        field(2, "state", &T::state, "State now; stopping until the last task is gone."));
  }
};
static_assert(schema::complete<JobCancelled>());
struct JobCancel {
  static constexpr std::string_view topic = "deployer.job.cancel";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = JobCancelled;
  JobId job;
  std::string reason;

  static consteval auto fields() {
    using schema::field;
    using T = JobCancel;
    return schema::fields(field(1, "job", &T::job, "As in JobShow."),
                          field(2, "reason", &T::reason, "For the record."));
  }
};
static_assert(schema::complete<JobCancel>());
struct LogChunk {
  Bytes text;
  std::int64_t offset = 0;
  std::int64_t next = 0;
  bool ended = false;
  std::string note;

  static consteval auto fields() {
    using schema::field;
    using T = LogChunk;
    return schema::fields(
        field(1, "text", &T::text, "The bytes of the log from `offset`."),
        field(2, "offset", &T::offset, "Where the text begins."),
        field(3, "next", &T::next, "Where to go on."),
        field(4, "ended", &T::ended, "The task is over and this is the end of its log."),
        field(5, "note", &T::note, "Why there is nothing, if so."));
  }
};
static_assert(schema::complete<LogChunk>());
struct JobLogs {
  static constexpr std::string_view topic = "deployer.job.logs";
  static constexpr Verb verb = Verb::read;
  using Reply = LogChunk;
  JobId job;
  std::uint32_t task = 0;
  std::int64_t offset = 0;
  std::uint32_t limit = 262144;
  std::int64_t wait_ms = 0;

  static consteval auto fields() {
    using schema::field;
    using T = JobLogs;
    return schema::fields(
        field(1, "job", &T::job, "As in JobShow."),
        field(2, "task", &T::task, "Index of the task."),
        field(3, "offset", &T::offset, "From which byte."),
        field(4, "limit", &T::limit, "At most so many bytes.").bounds(1, 1'000'000),
        field(5, "wait_ms", &T::wait_ms, "How long to wait for news, ms.").bounds(0, 20'000));
  }
};
static_assert(schema::complete<JobLogs>());
struct PlanView {
  bool fits = false;
  bool never = false;
  std::vector<Allocation> allocations;
  std::string why;
  std::vector<std::string> changes;

  static consteval auto fields() {
    using schema::field;
    using T = PlanView;
    return schema::fields(
        field(1, "fits", &T::fits, "It would start now."),
        field(2, "never", &T::never, "It can never start here: larger than any node."),
        field(3, "allocations", &T::allocations, "Where its tasks would go."),
        field(4, "why", &T::why, "Why it would wait."),
        field(5, "changes", &T::changes, "What applying it would do, a line each."));
  }
};
static_assert(schema::complete<PlanView>());
struct JobPlan {
  static constexpr std::string_view topic = "deployer.job.plan";
  static constexpr Verb verb = Verb::read;
  using Reply = PlanView;
  JobSpec spec;

  std::string resource() const { return "pool/" + spec.pool.value; }
  static consteval auto fields() {
    using schema::field;
    using T = JobPlan;
    return schema::fields(field(1, "spec", &T::spec, "What would be run."));
  }
};
static_assert(schema::complete<JobPlan>());
}  // namespace lepton
