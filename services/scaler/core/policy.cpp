#include "services/scaler/core/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.hpp"
#include "services/scaler/core/adjustment.hpp"
#include "services/scaler/core/hpa.hpp"
#include "services/scaler/core/kpa.hpp"
#include "services/scaler/core/staffed.hpp"
#include "services/scaler/core/threshold.hpp"

namespace lepton::scaler {

std::uint32_t ceil_replicas(double x) {
  constexpr double noise = 1e-9, most = 1e9;
  return static_cast<std::uint32_t>(std::clamp(std::ceil(x - noise), 0.0, most));
}

Proposal unchanged_without_samples(Observation const& seen, Signal signal, std::int64_t length_ms) {
  return {seen.replicas,
          fmt::format("nothing is known of {} in the last {:g} s; nothing changes",
                      schema::name_of(signal), static_cast<double>(length_ms) / 1000),
          std::nullopt};
}

Status check_range(std::string_view what, double value, double low, double high) {
  if (value >= low && value <= high) return ok();
  return Error{Code::invalid,
               fmt::format("{} is {:g}; it must be from {:g} to {:g}", what, value, low, high)};
}

Status check(Target const& target) {
  if (target.signal == Signal::unknown || target.signal > Signal::gpu)
    return Error{Code::invalid,
                 "the target names no signal; there are requests_per_s, concurrency, cpu and gpu"};
  return check_range("the target per replica", target.per_replica, 1e-6, 1e9);
}

namespace {

template <class P, class S>
Result<std::unique_ptr<Policy>> checked(S const& settings) {
  if (auto good = check(settings); !good) return good.error();
  return std::unique_ptr<Policy>(new P(settings));
}

KpaSettings kpa_of(Target target, PolicyOptions const& options) {
  KpaSettings s{.target = target};
  s.zero_grace_ms = options.zero_grace_ms;
  if (options.window_ms == 0) return s;
  s.stable_ms = options.window_ms;
  // Reports come about once a second: a shorter window would now and then hold none.
  s.panic_ms = std::max<std::int64_t>(options.window_ms / 10, 3'000);
  return s;
}

}  // namespace

Result<std::unique_ptr<Policy>> make_policy(std::string_view name, Target target,
                                            PolicyOptions const& options) {
  if (auto good = check(target); !good) return good.error();
  ThresholdSettings threshold{.target = target};
  HpaSettings hpa{.target = target};
  StaffedSettings staffed{.target = target};
  if (auto const window = options.window_ms; window != 0)
    threshold.window_ms = hpa.window_ms = staffed.window_ms = window;
  if (name == "threshold") return checked<Threshold>(threshold);
  if (name == "hpa") return checked<Hpa>(hpa);
  if (name == "kpa") return checked<Kpa>(kpa_of(target, options));
  if (name == "staffing") return checked<Staffed>(staffed);
  if (name == "adjustment")
    return checked<Adjustment>(AdjustmentSettings{target, options.adjustment});
  return Error{
      Code::not_found,
      fmt::format("no policy '{}'{}; there are threshold, hpa, kpa, staffing, adjustment", name,
                  text::did_you_mean(name, {"threshold", "hpa", "kpa", "staffing", "adjustment"}))};
}

}  // namespace lepton::scaler
