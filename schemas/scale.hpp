#pragma once
// How a service is scaled, and one decision about it. Owned by the scaler. Every signal is a total
// over the replicas of a service.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "common/schema/schema.hpp"

namespace lepton {

// requests_per_s; concurrency: in flight and waiting; cpu, gpu: in use, as multiples of what one
// replica was given (2.1 = three replicas at 70 %).
enum class ScaleSignal : std::uint8_t { unknown, requests_per_s, concurrency, cpu, gpu };
consteval auto enumerators(ScaleSignal) {
  return std::to_array<std::string_view>(
      {"unknown", "requests_per_s", "concurrency", "cpu", "gpu"});
}

// What changed the policy's number last.
enum class ScaleBound : std::uint8_t {
  unknown,
  none,
  minimum,
  maximum,
  cooldown,
  rate,
  idle,
  woken
};
consteval auto enumerators(ScaleBound) {
  return std::to_array<std::string_view>(
      {"unknown", "none", "minimum", "maximum", "cooldown", "rate", "idle", "woken"});
}

// At most so many replicas within any period.
struct ScaleRate {
  std::uint32_t replicas = 0;
  std::int64_t period_ms = 60'000;

  bool operator==(ScaleRate const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "replicas", &ScaleRate::replicas, "Replicas; 0 means no limit.")
                              .bounds(0, 100'000),
                          field(2, "period_ms", &ScaleRate::period_ms, "Length of the period, ms.")
                              .bounds(1'000, 3'600'000)
                              .optional());
  }
};
static_assert(schema::complete<ScaleRate>());

struct ScaleLimits {
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  std::int64_t up_cooldown_ms = 0;
  std::int64_t down_cooldown_ms = 0;
  ScaleRate up, down;
  std::int64_t zero_after_ms = 30'000;
  std::uint32_t wake_to = 1;

  bool operator==(ScaleLimits const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using L = ScaleLimits;
    return schema::fields(
        field(1, "min", &L::min, "Replicas at least; 0 lets an idle service go to zero.")
            .bounds(0, 100'000),
        field(2, "max", &L::max, "Replicas at most.").bounds(1, 100'000),
        field(3, "up_cooldown_ms", &L::up_cooldown_ms,
              "After any change, none upwards for so long, ms.")
            .bounds(0, 3'600'000)
            .optional(),
        field(4, "down_cooldown_ms", &L::down_cooldown_ms,
              "After any change, none downwards for so long, ms.")
            .bounds(0, 3'600'000)
            .optional(),
        field(5, "up", &L::up, "Replicas added in a period.").optional(),
        field(6, "down", &L::down, "Replicas removed in a period.").optional(),
        field(7, "zero_after_ms", &L::zero_after_ms,
              "The last replica goes after so long without requests, ms; with min = 0 only.")
            .bounds(0, 86'400'000)
            .optional(),
        field(8, "wake_to", &L::wake_to, "Replicas when requests come back to none.")
            .bounds(1, 100'000)
            .optional());
  }
};
static_assert(schema::complete<ScaleLimits>());

// Of the policy adjustment: each period the replicas become keep x what they were + share x the
// total change of the signal, in replicas.
struct ScaleAdjustment {
  double keep = 1;
  double share = 1;
  std::int64_t period_ms = 60'000;
  std::string follows;

  bool operator==(ScaleAdjustment const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using A = ScaleAdjustment;
    return schema::fields(
        field(1, "keep", &A::keep, "How much of the replicas stays by itself, 0 to 2.").optional(),
        field(2, "share", &A::share,
              "Of the change, 0 to 1. Those of all that follow one service sum to 1.")
            .optional(),
        field(3, "period_ms", &A::period_ms, "One step in each period, ms.")
            .bounds(1'000, 60'000)
            .optional(),
        field(4, "follows", &A::follows, "Service whose signal counts; empty: its own.")
            .optional());
  }
};
static_assert(schema::complete<ScaleAdjustment>());

// How one service is scaled.
struct ScaleSettings {
  std::string policy = "hpa";
  ScaleSignal signal = ScaleSignal::cpu;
  double per_replica = 0.7;
  ScaleLimits limits;
  std::int64_t window_ms = 0;
  ScaleAdjustment adjustment;

  bool operator==(ScaleSettings const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using S = ScaleSettings;
    return schema::fields(
        field(1, "policy", &S::policy, "threshold, hpa, kpa, staffing or adjustment.").optional(),
        field(2, "signal", &S::signal, "Signal that the policy follows.").optional(),
        field(3, "per_replica", &S::per_replica, "How much of it one replica should carry.")
            .optional(),
        field(4, "limits", &S::limits, "Bounds around the policy."),
        field(130, "window_ms", &S::window_ms,
              "The mean of the signal over so long counts, ms; 0: as long as the policy's own.")
            .bounds(0, 120'000)
            .since(4),
        field(131, "adjustment", &S::adjustment, "For the policy adjustment alone.").since(5));
  }
};
static_assert(schema::complete<ScaleSettings>());

// One decision about one service, with what it was made of. A row for each that changed the number.
struct ScaleDecision {
  static constexpr std::string_view table = "scale_decision";
  std::string service;
  std::uint64_t number = 0;
  WallMs at_ms = 0;
  std::string policy;
  std::uint32_t before = 0;
  std::uint32_t wanted = 0;
  std::uint32_t proposed = 0;
  ScaleBound bound = ScaleBound::none;
  std::string reason;
  ScaleSignal signal = ScaleSignal::unknown;
  std::optional<double> value;
  double per_replica = 0;
  std::uint32_t ready = 0;
  std::uint32_t starting = 0;
  std::uint32_t silent = 0;

  bool operator==(ScaleDecision const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using D = ScaleDecision;
    return schema::fields(
        field(1, "service", &D::service, "Name of the service.").key(),
        field(2, "number", &D::number, "Counts the changes of the service, from 1.").key(),
        field(3, "at_ms", &D::at_ms, "When it was decided, ms since 1970."),
        field(4, "policy", &D::policy, "Policy that proposed, or manual."),
        field(5, "before", &D::before, "Replicas asked for before."),
        field(6, "wanted", &D::wanted, "Replicas asked for from now on."),
        field(7, "proposed", &D::proposed, "What the policy alone would have asked for."),
        field(8, "bound", &D::bound, "What changed the proposal last; none when nothing did."),
        field(9, "reason", &D::reason, "A sentence for people, with the figures."),
        field(10, "signal", &D::signal, "Signal that the policy follows."),
        field(11, "value", &D::value, "Its mean; nothing when there were no samples."),
        field(12, "per_replica", &D::per_replica, "How much of it one replica should carry."),
        field(13, "ready", &D::ready, "Replicas that were ready."),
        field(14, "starting", &D::starting, "Replicas that were starting."),
        field(15, "silent", &D::silent, "Ready replicas that reported no use."));
  }
};
static_assert(schema::complete<ScaleDecision>());

}  // namespace lepton
