#pragma once
// The states of nodes, jobs and attempts, as messages, rows and people name them.

#include <array>
#include <cstdint>
#include <string_view>

namespace lepton {

enum class NodeState : std::uint8_t {
  unknown,
  ready,        // takes new work
  suspect,      // a heartbeat is late; no new work, what runs keeps running
  unreachable,  // silent for long; its leases are running out
  draining,     // a person wants it empty; no new work
  down          // known to run nothing
};
consteval auto enumerators(NodeState) {
  return std::to_array<std::string_view>(
      {"unknown", "ready", "suspect", "unreachable", "draining", "down"});
}

enum class JobState : std::uint8_t {
  unknown,
  queued,    // waits for room, or for the instant of its next try
  starting,  // every task has a place; not all of them run yet
  running,   // every task runs or has ended well
  stopping,  // the tasks are being ended; what follows is decided when the last one is gone
  succeeded,
  failed,
  cancelled,
  refused  // nothing could take it, and it asked not to wait
};
consteval auto enumerators(JobState) {
  return std::to_array<std::string_view>({"unknown", "queued", "starting", "running", "stopping",
                                          "succeeded", "failed", "cancelled", "refused"});
}

enum class AttemptState : std::uint8_t {
  unknown,
  claimed,   // a node was chosen and the claim is durable; the node has not answered
  starting,  // the node has it
  running,
  stopping,
  exited,  // ended with an exit code or by a signal
  failed,  // could not be started, or was refused by the node
  lost     // known to run no more, without a word on how it ended
};
consteval auto enumerators(AttemptState) {
  return std::to_array<std::string_view>(
      {"unknown", "claimed", "starting", "running", "stopping", "exited", "failed", "lost"});
}

// What a node's probes say of an attempt.
enum class Readiness : std::uint8_t {
  unknown,  // the node has no probes for it
  pending,  // it has, and none has answered yet: what was known before stays
  no,
  yes
};
consteval auto enumerators(Readiness) {
  return std::to_array<std::string_view>({"unknown", "pending", "no", "yes"});
}

constexpr bool is_final(JobState s) {
  return s == JobState::succeeded || s == JobState::failed || s == JobState::cancelled ||
         s == JobState::refused;
}
constexpr bool is_final(AttemptState s) {
  return s == AttemptState::exited || s == AttemptState::failed || s == AttemptState::lost;
}

}  // namespace lepton
