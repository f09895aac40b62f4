#include "services/scaler/core/hpa.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lepton::scaler {

namespace {

Status check(std::string_view name, ScalingBehavior const& b) {
  auto const most = static_cast<double>(Memory::period_max_ms);
  auto const window = static_cast<double>(b.window_ms);
  if (auto good = check_range(fmt::format("hpa.{}.window_ms", name), window, 0, most); !good)
    return good;
  if (auto good = check_range(fmt::format("hpa.{}.rules", name),
                              static_cast<double>(b.rules.size()), 0, 16);
      !good)
    return good;
  for (auto const& rule : b.rules) {
    auto const period = static_cast<double>(rule.period_ms);
    auto good = check_range(fmt::format("the period of a rule of hpa.{} in ms", name), period, 1000,
                            1'800'000);
    if (good)
      good = check_range(fmt::format("the amount of a rule of hpa.{}", name), rule.amount, 1, 1e6);
    if (!good) return good;
  }
  return ok();
}

// The number of replicas at the beginning of a period, from those of now and what changed since.
double at_begin(Memory const& memory, std::uint32_t replicas, ScalingRule const& rule,
                TimeMs now_ms) {
  return static_cast<double>(replicas) - memory.added_in(now_ms, rule.period_ms) +
         memory.removed_in(now_ms, rule.period_ms);
}

double highest(ScalingBehavior const& b, Memory const& memory, std::uint32_t replicas,
               TimeMs now_ms) {
  auto const most = b.select == ScalingBehavior::Select::most;
  double result = most ? 0 : 1e9;
  for (auto const& rule : b.rules) {
    auto const begin = at_begin(memory, replicas, rule, now_ms);
    auto const top = rule.unit == ScalingRule::Unit::replicas
                         ? begin + rule.amount
                         : std::ceil(begin * (1 + rule.amount / 100.0));
    result = most ? std::max(result, top) : std::min(result, top);
  }
  return result;
}

double lowest(ScalingBehavior const& b, Memory const& memory, std::uint32_t replicas,
              TimeMs now_ms) {
  auto const most = b.select == ScalingBehavior::Select::most;
  double result = most ? 1e9 : 0;
  for (auto const& rule : b.rules) {
    auto const begin = at_begin(memory, replicas, rule, now_ms);
    auto const bottom = rule.unit == ScalingRule::Unit::replicas
                            ? begin - rule.amount
                            : std::trunc(begin * (1 - rule.amount / 100.0));
    result = most ? std::min(result, bottom) : std::max(result, bottom);
  }
  return std::max(result, 0.0);
}

}  // namespace

Status check(HpaSettings const& s) {
  if (auto good = check(s.target); !good) return good;
  if (auto good = check_range("hpa.tolerance", s.tolerance, 0, 1); !good) return good;
  auto const window = static_cast<double>(s.window_ms), period = static_cast<double>(s.period_ms);
  if (auto good = check_range("hpa.window_ms", window, 1000, 600'000); !good) return good;
  if (auto good = check_range("hpa.period_ms", period, 1000, 600'000); !good) return good;
  if (auto good = check("up", s.up); !good) return good;
  return check("down", s.down);
}

std::uint32_t hpa_by_average(double total, double per_replica, double tolerance,
                             std::uint32_t replicas) {
  if (replicas > 0 && std::abs(1 - total / (per_replica * replicas)) <= tolerance) return replicas;
  return ceil_replicas(total / per_replica);
}

std::uint32_t hpa_by_usage(double total, double per_replica, double tolerance,
                           Observation const& seen) {
  auto const silent = std::min(seen.silent, seen.ready);
  auto const heard = seen.ready - silent;
  if (heard == 0) return seen.replicas;
  auto const ratio = total / heard / per_replica;
  auto const with_starting = seen.starting > 0 && ratio > 1;
  if (!with_starting && silent == 0)
    return std::abs(1 - ratio) <= tolerance ? seen.replicas : ceil_replicas(ratio * heard);

  double used = total;
  auto count = heard;
  if (silent > 0 && ratio < 1) used += silent * std::max(1.0, per_replica);
  if (silent > 0 && ratio != 1) count += silent;
  if (with_starting) count += seen.starting;
  auto const again = used / count / per_replica;
  auto const turned = (ratio < 1 && again > 1) || (ratio > 1 && again < 1);
  if (std::abs(1 - again) <= tolerance || turned) return seen.replicas;
  auto const wish = ceil_replicas(again * count);
  return again > 1 ? std::max(wish, seen.replicas) : std::min(wish, seen.replicas);
}

// The least move within what was wished during both windows.
std::uint32_t Hpa::stabilise(Memory& memory, std::uint32_t replicas, std::uint32_t wish,
                             TimeMs now_ms) const {
  auto up = wish, down = wish;
  for (auto const& r : memory.recommendations) {
    if (r.at_ms > now_ms - settings_.up.window_ms) up = std::min(up, r.replicas);
    if (r.at_ms > now_ms - settings_.down.window_ms) down = std::max(down, r.replicas);
  }
  memory.recommend(now_ms, wish, std::max(settings_.up.window_ms, settings_.down.window_ms));
  return std::min(std::max(replicas, up), down);
}

std::uint32_t Hpa::limit(Memory const& memory, std::uint32_t replicas, std::uint32_t wish,
                         TimeMs now_ms) const {
  if (wish == replicas) return wish;
  auto const& behavior = wish > replicas ? settings_.up : settings_.down;
  if (behavior.select == ScalingBehavior::Select::none) return replicas;
  if (behavior.rules.empty()) return wish;
  if (wish > replicas) {
    auto const top = std::max<double>(highest(behavior, memory, replicas, now_ms), replicas);
    return static_cast<std::uint32_t>(std::min<double>(wish, top));
  }
  auto const bottom = std::min<double>(lowest(behavior, memory, replicas, now_ms), replicas);
  return static_cast<std::uint32_t>(std::max<double>(wish, bottom));
}

Proposal Hpa::decide(Memory& memory, Observation const& seen, TimeMs now_ms) const {
  auto const& [signal, per_replica] = settings_.target;
  auto const value = seen.signals[signal].mean(now_ms, settings_.window_ms);
  if (!value) return unchanged_without_samples(seen, signal, settings_.window_ms);
  auto const wish = is_usage(signal)
                        ? hpa_by_usage(*value, per_replica, settings_.tolerance, seen)
                        : hpa_by_average(*value, per_replica, settings_.tolerance, seen.replicas);
  auto const stable = stabilise(memory, seen.replicas, wish, now_ms);
  auto const wanted = limit(memory, seen.replicas, stable, now_ms);
  auto reason = fmt::format("{} {:.4g} over {:g} s with a target of {:g} each asks for {}",
                            schema::name_of(signal), *value,
                            static_cast<double>(settings_.window_ms) / 1000, per_replica, wish);
  if (stable != wish)
    reason += fmt::format(
        "; {} by the wishes of the last {:g} s", stable,
        static_cast<double>(stable > wish ? settings_.down.window_ms : settings_.up.window_ms) /
            1000);
  if (wanted != stable) reason += fmt::format("; {} by the scaling rules", wanted);
  return {wanted, std::move(reason), value};
}

}  // namespace lepton::scaler
