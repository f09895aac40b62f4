#pragma once
// The decision about one service: a policy's proposal within the bounds that people set. Pure: the
// same policy, limits, memory, observation and time give the same decision. The caller applies
// `wanted` and keeps the memory; the decision goes to rows and to `lepton service explain` as it
// is.
//
// Order: what is outside min..max comes inside at once, whatever else is set, for bounds are an
// order of people. Else: waking from zero, the last replica (only when idle), min and max, the
// cool-down, the rate. A rate is never exceeded, not even to wake.

#include <string>

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

// At most so many replicas within any period; 0 means no limit.
struct RateLimit {
  std::uint32_t replicas = 0;
  std::int64_t period_ms = 60'000;
  bool operator==(RateLimit const&) const = default;
};

struct Limits {
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  std::int64_t up_cooldown_ms = 0;      // after any change, none upwards for so long
  std::int64_t down_cooldown_ms = 0;    // after any change, none downwards for so long
  RateLimit up, down;                   // replicas added, replicas removed
  std::int64_t zero_after_ms = 30'000;  // the last one goes after so long without demand; min = 0
  std::uint32_t wake_to = 1;            // replicas when demand comes back
  bool operator==(Limits const&) const = default;
};
Status check(Limits const& limits);

// What changed the policy's number last.
enum class Bound : std::uint8_t { unknown, none, minimum, maximum, cooldown, rate, idle, woken };
consteval auto enumerators(Bound) {
  return std::to_array<std::string_view>(
      {"unknown", "none", "minimum", "maximum", "cooldown", "rate", "idle", "woken"});
}

struct Decision {
  TimeMs at_ms = 0;
  std::string policy;
  std::uint32_t from = 0;
  std::uint32_t wanted = 0;
  std::uint32_t proposed = 0;
  Bound bound = Bound::none;
  std::string reason;
  Signal signal = Signal::unknown;
  bool sampled = false;
  double value = 0;
  double per_replica = 0;
  std::uint32_t ready = 0;
  std::uint32_t starting = 0;
  std::uint32_t silent = 0;

  bool operator==(Decision const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using D = Decision;
    return schema::fields(
        field(1, "at_ms", &D::at_ms, "When it was decided, ms of the service's clock."),
        field(2, "policy", &D::policy, "Policy that proposed."),
        field(3, "from", &D::from, "Replicas asked for before."),
        field(4, "wanted", &D::wanted, "Replicas asked for from now on."),
        field(5, "proposed", &D::proposed, "What the policy alone would have asked for."),
        field(6, "bound", &D::bound, "What changed the proposal last; none when nothing did."),
        field(7, "reason", &D::reason, "A sentence for people, with the figures."),
        field(8, "signal", &D::signal, "Signal that the policy follows."),
        field(9, "sampled", &D::sampled, "Whether there were samples of it."),
        field(10, "value", &D::value, "Its mean, as a total over the replicas; 0 without samples."),
        field(11, "per_replica", &D::per_replica, "How much of it one replica should carry."),
        field(12, "ready", &D::ready, "Replicas that were ready."),
        field(13, "starting", &D::starting, "Replicas that were starting."),
        field(14, "silent", &D::silent, "Ready replicas that reported no use."));
  }
};
static_assert(schema::complete<Decision>());

Decision decide(Policy const& policy, Limits const& limits, Memory& memory, Observation const& seen,
                TimeMs now_ms);

}  // namespace lepton::scaler
