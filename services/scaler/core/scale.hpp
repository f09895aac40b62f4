#pragma once
// The decision about one service: a policy's proposal within the bounds that people set. Pure: the
// same policy, limits, memory, observation and time give the same decision. The caller applies
// `wanted` and keeps the memory; the decision goes to rows and to `lepton service explain` as it
// is.
//
// Order: what is outside min..max comes inside at once, whatever else is set, for bounds are an
// order of people. Else: waking from zero, the last replica (only when idle), min and max, the
// cool-down, the rate. A rate is never exceeded, not even to wake.

#include "services/scaler/core/policy.hpp"

namespace lepton::scaler {

using RateLimit = ScaleRate;
using Limits = ScaleLimits;
using Bound = ScaleBound;
using Decision = ScaleDecision;

Status check(Limits const& limits);

// `service` and `number` of the decision stay empty, and its time is `now_ms`: the caller knows
// them.
Decision decide(Policy const& policy, Limits const& limits, Memory& memory, Observation const& seen,
                TimeMs now_ms);

}  // namespace lepton::scaler
