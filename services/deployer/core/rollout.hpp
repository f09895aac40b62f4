#pragma once
// What to do next about the replicas of a service, from its target and their states: rollouts,
// scaling up and down, replacing what has ended. Level-triggered: asked anew after each change. A
// "template" is what replicas run; it is named by the number of the first revision that had it.
// Pure. The deployer's actor feeds it and does what it says.
//
// Held by every plan:
// - a ready replica is given up only when as many others are ready as may not be missing;
// - with the replicas that are still going, there are never more than the target and its surge
//   (what was there before a target fell goes without new starts);
// - not-ready replicas go before ready ones, newer before older; what is on a silent node is left
//   alone until that is heard or the replica is known to be over.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "schemas/service.hpp"

namespace lepton::deployer {

struct Replica {
  std::uint64_t number = 0;
  std::uint32_t template_number = 0;
  ReplicaState state = ReplicaState::starting;
  bool silent = false;  // its node is not heard: it may well serve, but is not counted upon
};

struct RolloutTarget {
  std::uint32_t template_number = 0;
  std::uint32_t proven =
      0;  // template of the last rollout that was completed and stayed ready; 0: none
  std::uint32_t replicas = 0;
  std::uint32_t max_surge = 1;
  std::uint32_t max_unavailable = 0;
  bool stalled = false;   // the wanted template has failed; the proven one goes on
  bool may_start = true;  // false while failures hold starts back
};

enum class StepKind : std::uint8_t { unknown, start, drain, stop };
struct RolloutStep {
  StepKind kind = StepKind::unknown;
  std::uint32_t template_number = 0;  // of a start
  std::uint64_t number = 0;           // of the replica to drain or to stop

  bool operator==(RolloutStep const&) const = default;
};

std::vector<RolloutStep> plan_rollout(RolloutTarget const& target, std::vector<Replica> replicas);

// Every wanted replica is ready and of the wanted template, and nothing else is left.
bool is_rolled_out(RolloutTarget const& target, std::vector<Replica> const& replicas);

// How the newest template does.
struct Trial {
  std::uint32_t failures = 0;
  WallMs not_before_ms = 0;  // no start before
  std::string stalled;       // why there is none any more; empty: there is
  bool operator==(Trial const&) const = default;
};

inline constexpr std::uint32_t trial_failures_max = 4;
inline constexpr std::int64_t trial_backoff_first_ms = 1'000;
inline constexpr std::int64_t trial_backoff_max_ms = 60'000;
inline constexpr std::int64_t replica_stable_after_ms = 10'000;

// A replica of the wanted template failed before it was stable. A template that has proven itself
// is tried for ever, with growing pauses; another one stalls after four failures.
Trial after_failure(Trial trial, bool proven, WallMs now, std::string const& why);

}  // namespace lepton::deployer
