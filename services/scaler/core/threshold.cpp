#include "services/scaler/core/threshold.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lepton::scaler {

Status check(ThresholdSettings const& s) {
  if (auto good = check(s.target); !good) return good;
  if (auto good = check_range("threshold.high", s.high, 0.01, 1); !good) return good;
  if (!(s.low >= 0 && s.low < s.high))
    return Error{
        Code::invalid,
        fmt::format("threshold.low is {:g}; it must be at least 0 and below threshold.high "
                    "({:g}), or one would undo the other",
                    s.low, s.high)};
  if (auto good = check_range("threshold.step", s.step, 1, 10'000); !good) return good;
  if (auto good = check_range("threshold.window_ms", static_cast<double>(s.window_ms), 1000,
                              static_cast<double>(Memory::period_max_ms));
      !good)
    return good;
  return check_range("threshold.period_ms", static_cast<double>(s.period_ms), 1000, 600'000);
}

// How many stay when `step` go: at least one while there is load, and so many that the rest is not
// above `high` at once.
std::uint32_t Threshold::fewer(std::uint32_t replicas, double load) const {
  auto const least = load > 0 ? ceil_replicas(load / settings_.high) : 0;
  auto const left = replicas > settings_.step ? replicas - settings_.step : 0;
  return std::min(replicas, std::max(left, least));
}

Proposal Threshold::decide(Memory&, Observation const& seen, TimeMs now_ms) const {
  auto const& [signal, per_replica] = settings_.target;
  auto const value = seen.signals[signal].mean(now_ms, settings_.window_ms);
  if (!value) return unchanged_without_samples(seen, signal, settings_.window_ms);
  auto const load = *value / per_replica;  // in replicas that carry exactly the target
  if (seen.replicas == 0)
    return {load > 0 ? settings_.step : 0,
            fmt::format("no replica, {} is {:g}", schema::name_of(signal), *value), value};
  auto const ratio = load / seen.replicas;
  // Nobody knows what silent replicas use: nothing on the way up, all they have on the way down.
  auto const silent = is_usage(signal) ? seen.silent * std::max(1.0, per_replica) : 0;
  auto const most_load = load + silent / per_replica;
  auto const low = most_load / seen.replicas < settings_.low;
  // By the same count as when some are removed, or rounding would let one undo the other.
  auto const high = seen.replicas < ceil_replicas(load / settings_.high);
  auto const wanted = high  ? seen.replicas + settings_.step
                      : low ? fewer(seen.replicas, most_load)
                            : seen.replicas;
  auto const verdict = high  ? fmt::format("above {:g}: add", settings_.high)
                       : low ? fmt::format("below {:g}: remove", settings_.low)
                             : std::string("within the thresholds");
  return {
      wanted,
      fmt::format("{} {:.4g} over {:g} s is {:.2f} of the target {:g} x {}, {}",
                  schema::name_of(signal), *value, static_cast<double>(settings_.window_ms) / 1000,
                  ratio, per_replica, seen.replicas, verdict),
      value};
}

}  // namespace lepton::scaler
