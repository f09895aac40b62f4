#pragma once
// The classic rule: above `high` of the target add, below `low` remove, between them leave alone.
// Starting replicas count as carrying their part, so a slow start does not add one at every look.

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

struct ThresholdSettings {
  Target target;
  double high = 0.8;       // of the target
  double low = 0.2;        // of the target
  std::uint32_t step = 1;  // replicas added or removed at a time
  std::int64_t window_ms = 60'000;
  std::int64_t period_ms = 15'000;
};
Status check(ThresholdSettings const& settings);

class Threshold final : public Policy {
 public:
  explicit Threshold(ThresholdSettings settings) : settings_(settings) {}
  std::string_view name() const override { return "threshold"; }
  Target target() const override { return settings_.target; }
  std::int64_t period_ms() const override { return settings_.period_ms; }
  Proposal decide(Memory& memory, Observation const& seen, TimeMs now_ms) const override;

 private:
  std::uint32_t fewer(std::uint32_t replicas, double load) const;
  ThresholdSettings settings_;
};

}  // namespace lepton::scaler
