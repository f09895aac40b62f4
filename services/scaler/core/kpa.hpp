#pragma once
// The rule of Knative's pod autoscaler (serving, autoscaler.go): two windows, a long one to be calm
// and a short one to notice a burst. When the short one asks for `panic_threshold` times the ready
// replicas, it panics: only up, until one stable window after the last such moment. Then the delay
// of scaling down; the last replica goes after a grace period without use (kpa/scaler.go).

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

struct KpaSettings {
  Target target;
  std::int64_t stable_ms = 60'000;
  std::int64_t panic_ms = 6'000;
  double panic_threshold = 2;    // wanted / ready
  double up_rate_max = 1000;     // at most ceil(rate x ready) at once
  double down_rate_max = 2;      // at least floor(ready / rate) stay
  std::uint32_t activation = 1;  // at least so many when any are needed
  std::int64_t down_delay_ms = 0;
  std::int64_t zero_grace_ms = 30'000;
  std::int64_t period_ms = 2'000;
};
Status check(KpaSettings const& settings);

class Kpa final : public Policy {
 public:
  explicit Kpa(KpaSettings settings) : settings_(settings) {}
  std::string_view name() const override { return "kpa"; }
  Target target() const override { return settings_.target; }
  std::int64_t period_ms() const override { return settings_.period_ms; }
  Proposal decide(Memory& memory, Observation const& seen, TimeMs now_ms) const override;

 private:
  struct Wish {
    std::uint32_t stable = 0, panic = 0;
    double panic_ratio = 0;
  };
  Wish wish(double stable, double panic, double ready) const;
  std::uint32_t panicked(Memory& memory, Wish const& wish, TimeMs now_ms) const;
  std::uint32_t delayed(Memory& memory, std::uint32_t replicas, TimeMs now_ms) const;
  std::uint32_t last_one(Memory& memory, TimeMs now_ms) const;
  KpaSettings settings_;
};

}  // namespace lepton::scaler
