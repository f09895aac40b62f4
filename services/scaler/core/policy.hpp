#pragma once
// A policy of scaling: a small named object with settings and one pure function. The same memory,
// observation and time give the same proposal and the same next memory. A policy knows nothing of
// bounds, cool-downs and rates; scale.hpp puts those around any policy.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "services/scaler/core/memory.hpp"
#include "services/scaler/core/observation.hpp"

namespace lepton::scaler {

struct Proposal {
  std::uint32_t replicas = 0;
  std::string reason;           // a sentence for people, without a trailing period
  std::optional<double> value;  // the total of the signal it used; nothing without samples
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const = 0;
  virtual Target target() const = 0;
  // How often it wants to be asked.
  virtual std::int64_t period_ms() const = 0;
  virtual Proposal decide(Memory& memory, Observation const& seen, TimeMs now_ms) const = 0;
};

// Ceiling that forgives the noise of floating point: 3.0000000001 replicas are 3.
std::uint32_t ceil_replicas(double x);

// "nothing is known of concurrency in the last 15 s; nothing changes": what every policy answers
// when its signal is silent.
Proposal unchanged_without_samples(Observation const& seen, Signal signal, std::int64_t length_ms);

// invalid with a sentence unless the target is a positive number and its signal is named.
Status check(Target const& target);
// invalid unless low <= value <= high; `what` names it.
Status check_range(std::string_view what, double value, double low, double high);

// What may differ from the default settings of a policy.
struct PolicyOptions {
  std::int64_t window_ms = 0;  // of the signal; 0: the policy's own
  std::int64_t zero_grace_ms = 30'000;
  ScaleAdjustment adjustment;
};

// The policy of that name: threshold, hpa, kpa, staffing, adjustment. A window also says how long
// the burst window of kpa is: a tenth of it, as in Knative, and at least 3 s. adjustment has none.
Result<std::unique_ptr<Policy>> make_policy(std::string_view name, Target target,
                                            PolicyOptions const& options = {});

}  // namespace lepton::scaler
