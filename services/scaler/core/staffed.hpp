#pragma once
// As many replicas as chance asks for: requests that come independently of each other make the
// number in flight Poisson, and with the wanted certainty all of them have room at once. A replica
// of many slots needs little above the mean, one of a single slot a lot: what a fixed share of the
// target cannot say. For short requests of many callers; staffing.hpp has the sources.

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

struct StaffedSettings {
  Target target;            // concurrency: the requests that one replica serves at once
  double certainty = 0.99;  // the share of moments in which all have room
  std::int64_t window_ms = 60'000;
  std::int64_t period_ms = 15'000;
};
Status check(StaffedSettings const& settings);

class Staffed final : public Policy {
 public:
  explicit Staffed(StaffedSettings settings) : settings_(settings) {}
  std::string_view name() const override { return "staffing"; }
  Target target() const override { return settings_.target; }
  std::int64_t period_ms() const override { return settings_.period_ms; }
  Proposal decide(Memory& memory, Observation const& seen, TimeMs now_ms) const override;

 private:
  StaffedSettings settings_;
};

}  // namespace lepton::scaler
