#pragma once
// The life of a job and of the attempts of its tasks, as a pure state machine. All tasks of a job
// (a gang; often one) live in rounds: they start together, end together, and the next round begins
// only when every attempt of the last is known to be over. So no two attempts of a task ever live
// at once. Owned by the deployer's actor, which stores JobRun, does the actions, and feeds events,
// in any order, late or repeated. Instants come in two clocks: wall for what is stored, monotonic
// for leases, because a stepped wall clock must not end a lease early. What a node and its
// connection must keep:
// - a start is sent only to a node that is heard;
// - an attempt starts at most once, and how it ended is told again whenever it is asked for;
// - a stop for an attempt that it does not know is answered `lost`, and a later start of it is
// refused;
// - a start is refused while the node's lease has run out, and when it was sent before the node's
// last
//   silence or reboot: a start carries the session number that the deployer raises with NodeSilent
//   and NodeGone, and the node is heard again (NodeHeard) only once it knows the new number.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schemas/ids.hpp"
#include "schemas/states.hpp"
#include "services/deployer/core/retry.hpp"

namespace lepton::deployer {

struct Instant {
  WallMs wall_ms = 0;
  TimeMs mono_ms = 0;
};

// One task of the gang in the present round.
struct Member {
  AttemptState state = AttemptState::unknown;  // unknown: no attempt yet
  NodeId node;
  WallMs started_at_ms = 0;
  TimeMs silent_since_ms = 0;  // monotonic; last renewal of a node that is silent; 0: it is heard
  bool stop_sent = false;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string reason;

  bool operator==(Member const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using M = Member;
    return schema::fields(
        field(1, "state", &M::state, "State of the attempt; unknown before the first."),
        field(2, "node", &M::node, "The node it was given to."),
        field(3, "started_at_ms", &M::started_at_ms,
              "When the node took it up, ms since the epoch."),
        field(
            4, "silent_since_ms", &M::silent_since_ms,
            "Monotonic ms of the last renewal while its node is silent; set anew after a restart."),
        field(5, "stop_sent", &M::stop_sent, "It was told to stop."),
        field(6, "exit_code", &M::exit_code, "Exit code, when it exited."),
        field(7, "signal", &M::signal, "Signal that ended it; 0 when none did."),
        field(8, "reason", &M::reason, "A sentence for people."));
  }
};
static_assert(schema::complete<Member>());

// All that changes in a job. One row.
struct JobRun {
  JobState state = JobState::queued;
  std::uint32_t round = 0;  // number of the present attempts, from 1; 0 before the first
  std::uint32_t failures = 0;
  std::uint32_t interruptions = 0;
  WallMs not_before_ms = 0;
  Ending ending;  // of the present round, or of the last one while queued
  std::vector<Member> members;
  std::uint32_t preemptions = 0;
  WallMs waits_since_ms = 0;
  std::uint32_t workers_made = 0;
  std::uint32_t workers_round = 0;

  bool operator==(JobRun const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using J = JobRun;
    return schema::fields(
        field(1, "state", &J::state, "State of the job."),
        field(2, "round", &J::round, "Number of the present attempts, from 1; 0 before the first."),
        field(3, "failures", &J::failures, "Own failures that were tried again."),
        field(4, "interruptions", &J::interruptions, "Interruptions that were tried again."),
        field(5, "not_before_ms", &J::not_before_ms, "No new try before this, ms since the epoch."),
        field(6, "ending", &J::ending, "Why the round came to its end."),
        field(7, "members", &J::members, "The tasks."),
        field(8, "preemptions", &J::preemptions, "Rounds that were stopped for other work.")
            .since(2),
        field(150, "waits_since_ms", &J::waits_since_ms,
              "When it last came to the queue, ms since 1970; 0: with its submit.")
            .since(4),
        field(180, "workers_made", &J::workers_made, "Workers that were made for its round.")
            .since(5),
        field(181, "workers_round", &J::workers_round, "The round that they were made for.")
            .since(5));
  }
};
static_assert(schema::complete<JobRun>());

// Events.
struct Placed {  // room for every task is reserved under attempt_id(job, index, run.round + 1)
  std::vector<NodeId> nodes;
};
struct Report {  // exited with code 0 and no signal is success
  NodeId
      from;  // the node that says so, as authenticated; one node's word on another's counts nothing
  AttemptId attempt;
  AttemptState state = AttemptState::unknown;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string reason;
  bool over_limit = false;  // its node has ended it for its limit of time
};
struct Cancel {
  std::string reason;
};
struct Preempt {  // other work needs its room; the round is stopped and tried again
  std::string reason;
};
struct Refuse {  // nothing fits and the job does not wait
  std::string reason;
};
struct NodeSilent {
  NodeId node;
  TimeMs last_renewed_ms = 0;
};
struct NodeHeard {  // an answered heartbeat after a silence
  NodeId node;
};
struct NodeGone {  // confirmed to run nothing: rebooted, or a person says that it is destroyed
  NodeId node;
  std::string reason;
};
struct Tick {};  // at the instant of next_wake()
using Event =
    std::variant<Placed, Report, Cancel, Preempt, Refuse, NodeSilent, NodeHeard, NodeGone, Tick>;

// What the caller does, in order, after it has stored the run.
enum class ActionKind : std::uint8_t {
  unknown,
  start,    // send the attempt to its node
  stop,     // end it: SIGTERM, after stop_grace_ms SIGKILL; also for leftovers of earlier rounds
  release,  // give its room back
  requeue,  // push into the queue, not before at_ms, under the job's old order number
  finish    // the job is at its end, in run.state
};
consteval auto enumerators(ActionKind) {
  return std::to_array<std::string_view>(
      {"unknown", "start", "stop", "release", "requeue", "finish"});
}
struct Action {
  ActionKind kind = ActionKind::unknown;
  AttemptId attempt;  // of start, stop, release
  NodeId node;        // of start, stop, release
  WallMs at_ms = 0;   // of requeue
  std::string why;

  bool operator==(Action const&) const = default;
};
using Actions = std::vector<Action>;

// Takes the event into the run. Events that come too late or twice change nothing. Placed is the
// caller's own act: with a job that is not queued, or a wrong number of nodes, it stops the
// process.
Actions apply(JobId const& job, JobSpec const& spec, JobRun& run, Event const& event, Instant now);

// What should be on its way now: to be sent again when a node joins again or an answer is overdue.
Actions outstanding(JobId const& job, JobRun const& run);
Actions outstanding(JobId const& job, JobRun const& run, NodeId const& node);

// When Tick is due next, if nothing else happens. The limit is on the wall clock, the lease on the
// monotonic one; whichever comes first, as a wait from now.
std::optional<std::int64_t> next_wake_in_ms(JobSpec const& spec, JobRun const& run, Instant now);

// After a restart of the deployer: every live attempt counts as silent since now, until its node is
// heard (NodeHeard). What stands in the future by a wall clock that was stepped back meanwhile
// counts as of now, and no retry waits longer than the longest backoff.
void after_restart(JobRun& run, Instant now);

// Names: task = <job>-<index>, attempt = <job>-<index>-<round>.
struct AttemptRef {
  JobId job;
  std::uint32_t index = 0;
  std::uint32_t round = 0;
};
TaskId task_id(JobId const& job, std::uint32_t index);
AttemptId attempt_id(JobId const& job, std::uint32_t index, std::uint32_t round);
std::optional<AttemptRef> parse_attempt(AttemptId const& attempt);

}  // namespace lepton::deployer
