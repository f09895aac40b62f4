#pragma once
// Messages about another size for a job: the CPU and memory of each of its tasks. The deployer owns
// and serves them. Queued work waits for its new size from then on; running work is resized in
// place by its runner, without a stop. A node refuses less memory than is in use, and then every
// task of the job goes back to where it was.
//
// Conversation (P a person, N the node, D the deployer):
//   resize = P:JobResize ( D:JobResized / D:Refusal )    ; decided; running work follows:
//   node   = D:ResizeOrder N:AttemptReport               ; in syncs, repeated until it is reported

#include <cstdint>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"
#include "schemas/states.hpp"

namespace lepton {

// What one task may use; 0: no limit, or nothing is known.
struct TaskSize {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;

  bool operator==(TaskSize const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = TaskSize;
    return schema::fields(field(1, "cpu_milli", &T::cpu_milli, "CPU, thousandths of a core."),
                          field(2, "memory_mib", &T::memory_mib, "Memory, MiB."));
  }
};
static_assert(schema::complete<TaskSize>());
// Of anything that has CPU and memory: a request, an allocation.
template <class T>
TaskSize size_of(T const& thing) {
  return {thing.cpu_milli, thing.memory_mib};
}
template <class T>
T sized(T thing, TaskSize const& size) {
  thing.cpu_milli = size.cpu_milli;
  thing.memory_mib = size.memory_mib;
  return thing;
}

struct JobResized {
  JobId job;
  JobState state = JobState::unknown;
  TaskSize from;
  TaskSize to;
  bool on_its_way = false;

  static consteval auto fields() {
    using schema::field;
    using T = JobResized;
    return schema::fields(
        field(1, "job", &T::job, "Identity."), field(2, "state", &T::state, "State of the job."),
        field(3, "from", &T::from, "What each task had."),
        field(4, "to", &T::to, "What each task gets."),
        field(5, "on_its_way", &T::on_its_way, "Nodes are told; until all agree it may fail."));
  }
};
static_assert(schema::complete<JobResized>());
struct JobResize {
  static constexpr std::string_view topic = "deployer.job.resize";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::run;
  using Reply = JobResized;
  JobId job;
  TaskSize size;

  static consteval auto fields() {
    using schema::field;
    using T = JobResize;
    return schema::fields(
        field(1, "job", &T::job,
              "Identity, or a unique start of it, or the name of one's newest job."),
        field(2, "size", &T::size, "What each task shall have; 0 leaves that as it is."));
  }
};
static_assert(schema::complete<JobResize>());
struct ResizeOrder {
  AttemptId attempt;
  TaskSize size;
  std::uint64_t ticket = 0;

  bool operator==(ResizeOrder const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = ResizeOrder;
    return schema::fields(field(1, "attempt", &T::attempt, "The attempt."),
                          field(2, "size", &T::size, "What it may use from now on."),
                          field(3, "ticket", &T::ticket, "Returned with the report.").since(5));
  }
};
static_assert(schema::complete<ResizeOrder>());
// What became of the orders for one attempt.
struct SizeReport {
  TaskSize size;
  TaskSize refused;
  std::string why;
  std::uint64_t ticket = 0;

  bool operator==(SizeReport const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = SizeReport;
    return schema::fields(
        field(1, "size", &T::size,
              "What holds, as last ordered; 0: nothing was ordered, or nobody knows."),
        field(2, "refused", &T::refused, "The order of that ticket, if it was refused."),
        field(3, "why", &T::why, "Why not, or not yet."),
        field(4, "ticket", &T::ticket, "Of the newest order that was obeyed or refused.").since(5));
  }
};
static_assert(schema::complete<SizeReport>());

}  // namespace lepton
