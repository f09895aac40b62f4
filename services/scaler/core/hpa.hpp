#pragma once
// The rule of Kubernetes' HorizontalPodAutoscaler (autoscaling/v2, replica_calculator.go and
// horizontal.go). CPU and GPU are Resource metrics: replicas that are not ready count as idle on
// the way up, silent ones as fully used on the way down and as idle on the way up, and neither may
// turn the direction. Requests and concurrency are External metrics with an AverageValue: total /
// target, whatever is still starting. Then the stabilisation windows, then the scaling policies.

#include <vector>

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

// At most so many replicas, or so many percent of them, in any period.
struct ScalingRule {
  enum class Unit : std::uint8_t { replicas, percent };
  Unit unit = Unit::replicas;
  std::uint32_t amount = 0;
  std::int64_t period_ms = 15'000;
};

struct ScalingBehavior {
  enum class Select : std::uint8_t { most, least, none };  // which rule counts; none: never
  std::int64_t window_ms = 0;                              // stabilisation
  std::vector<ScalingRule> rules;                          // empty: no limit
  Select select = Select::most;
};

struct HpaSettings {
  Target target;
  double tolerance = 0.1;
  std::int64_t window_ms = 15'000;  // of the metric
  std::int64_t period_ms = 15'000;
  ScalingBehavior up{
      0,
      {{ScalingRule::Unit::percent, 100, 15'000}, {ScalingRule::Unit::replicas, 4, 15'000}},
      ScalingBehavior::Select::most};
  ScalingBehavior down{
      300'000, {{ScalingRule::Unit::percent, 100, 15'000}}, ScalingBehavior::Select::most};
};
Status check(HpaSettings const& settings);

// The core formulas, before windows and rules. `total` is the mean of the signal.
std::uint32_t hpa_by_average(double total, double per_replica, double tolerance,
                             std::uint32_t replicas);
std::uint32_t hpa_by_usage(double total, double per_replica, double tolerance,
                           Observation const& seen);

class Hpa final : public Policy {
 public:
  explicit Hpa(HpaSettings settings) : settings_(std::move(settings)) {}
  std::string_view name() const override { return "hpa"; }
  Target target() const override { return settings_.target; }
  std::int64_t period_ms() const override { return settings_.period_ms; }
  Proposal decide(Memory& memory, Observation const& seen, TimeMs now_ms) const override;

 private:
  std::uint32_t stabilise(Memory& memory, std::uint32_t replicas, std::uint32_t wish,
                          TimeMs now_ms) const;
  std::uint32_t limit(Memory const& memory, std::uint32_t replicas, std::uint32_t wish,
                      TimeMs now_ms) const;
  HpaSettings settings_;
};

}  // namespace lepton::scaler
