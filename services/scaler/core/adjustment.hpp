#pragma once
// The adjustment R'(t+T) = k R(t) + share x total change. Services that stand behind one entrance
// share its load: when the entrance's demand changes by so many replicas' worth within T, each gets
// its share of that change. The shares of such a group sum to 1, so the group as a whole follows
// the entrance. k below 1 lets what is no longer needed fade.
// The exact R' is remembered between steps, so that rounding does not add up.

#include <vector>

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

struct AdjustmentSettings {
  Target target;             // the signal may be that of the whole group's entrance
  ScaleAdjustment equation;  // k, share and T
};
Status check(AdjustmentSettings const& settings);

// Those of a group that is not complete yet sum to less than 1. conflict above that (by 1e-9), for
// the group would grow by more than its load; it may pass when another one has a smaller share.
Result<double> sum_of_shares(std::vector<double> const& shares);

// R' of a whole group for a total change of so many replicas; as many results as shares. Below zero
// is zero. The two lists must be of one length.
std::vector<double> adjust(std::vector<double> const& replicas, std::vector<double> const& shares,
                           double keep, double total_change);

// As a policy for one service: the total change is that of the mean of its signal between the last
// two periods, divided by the target. One step each period; the number stays between steps.
class Adjustment final : public Policy {
 public:
  explicit Adjustment(AdjustmentSettings settings) : settings_(settings) {}
  std::string_view name() const override { return "adjustment"; }
  Target target() const override { return settings_.target; }
  std::int64_t period_ms() const override { return settings_.equation.period_ms; }
  Proposal decide(Memory& memory, Observation const& seen, TimeMs now_ms) const override;

 private:
  AdjustmentSettings settings_;
};

}  // namespace lepton::scaler
