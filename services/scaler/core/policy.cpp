#include "services/scaler/core/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.hpp"
#include "services/scaler/core/adjustment.hpp"
#include "services/scaler/core/hpa.hpp"
#include "services/scaler/core/kpa.hpp"
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

Result<std::unique_ptr<Policy>> make_policy(std::string_view name, Target target) {
  if (auto good = check(target); !good) return good.error();
  if (name == "threshold") return std::unique_ptr<Policy>(new Threshold({.target = target}));
  if (name == "hpa") return std::unique_ptr<Policy>(new Hpa({.target = target}));
  if (name == "kpa") return std::unique_ptr<Policy>(new Kpa({.target = target}));
  if (name == "adjustment") return std::unique_ptr<Policy>(new Adjustment({.target = target}));
  return Error{Code::not_found,
               fmt::format("no policy '{}'{}; there are threshold, hpa, kpa, adjustment", name,
                           text::did_you_mean(name, {"threshold", "hpa", "kpa", "adjustment"}))};
}

}  // namespace lepton::scaler
