#include "services/scaler/core/kpa.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lepton::scaler {

Status check(KpaSettings const& s) {
  if (auto good = check(s.target); !good) return good;
  struct {
    std::string_view what;
    double value, low, high;
  } const ranges[] = {
      {"kpa.stable_ms", static_cast<double>(s.stable_ms), 6'000, 600'000},
      {"kpa.panic_ms", static_cast<double>(s.panic_ms), 1'000, static_cast<double>(s.stable_ms)},
      {"kpa.panic_threshold", s.panic_threshold, 1.1, 10},
      {"kpa.up_rate_max", s.up_rate_max, 1.01, 1e6},
      {"kpa.down_rate_max", s.down_rate_max, 1.01, 1e6},
      {"kpa.activation", static_cast<double>(s.activation), 1, 1e6},
      {"kpa.down_delay_ms", static_cast<double>(s.down_delay_ms), 0,
       static_cast<double>(Memory::period_max_ms)},
      {"kpa.zero_grace_ms", static_cast<double>(s.zero_grace_ms), 0, 86'400'000},
      {"kpa.period_ms", static_cast<double>(s.period_ms), 1'000, 60'000},
  };
  for (auto const& r : ranges)
    if (auto good = check_range(r.what, r.value, r.low, r.high); !good) return good;
  return ok();
}

Kpa::Wish Kpa::wish(double stable, double panic, double ready) const {
  auto const most = ceil_replicas(settings_.up_rate_max * ready);
  auto const least = static_cast<std::uint32_t>(std::floor(ready / settings_.down_rate_max));
  auto const by_stable = ceil_replicas(stable / settings_.target.per_replica);
  auto const by_panic = ceil_replicas(panic / settings_.target.per_replica);
  auto const bounded = [&](std::uint32_t n) {
    n = std::min(std::max(n, least), most);
    return n == 0 ? 0 : std::max(n, settings_.activation);
  };
  return {bounded(by_stable), bounded(by_panic), by_panic / ready};
}

std::uint32_t Kpa::panicked(Memory& memory, Wish const& wish, TimeMs now_ms) const {
  if (wish.panic_ratio >= settings_.panic_threshold) {
    memory.panic_at_ms = now_ms;
  } else if (memory.panic_at_ms && *memory.panic_at_ms + settings_.stable_ms < now_ms) {
    memory.panic_at_ms.reset();
    memory.panic_peak = 0;
  }
  if (!memory.panic_at_ms) return wish.stable;
  memory.panic_peak = std::max({memory.panic_peak, wish.stable, wish.panic});
  return memory.panic_peak;
}

std::uint32_t Kpa::delayed(Memory& memory, std::uint32_t replicas, TimeMs now_ms) const {
  if (settings_.down_delay_ms == 0) return replicas;
  memory.recommend(now_ms, replicas, settings_.down_delay_ms);
  for (auto const& r : memory.recommendations) replicas = std::max(replicas, r.replicas);
  return replicas;
}

// None are needed: one stays until the grace period is over.
std::uint32_t Kpa::last_one(Memory& memory, TimeMs now_ms) const {
  if (!memory.unneeded_at_ms) memory.unneeded_at_ms = now_ms;
  return now_ms - *memory.unneeded_at_ms >= settings_.zero_grace_ms ? 0 : 1;
}

Proposal Kpa::decide(Memory& memory, Observation const& seen, TimeMs now_ms) const {
  auto const signal = settings_.target.signal;
  auto const stable = seen.signals[signal].mean(now_ms, settings_.stable_ms);
  auto const panic = seen.signals[signal].mean(now_ms, settings_.panic_ms);
  if (!stable) return unchanged_without_samples(seen, signal, settings_.stable_ms);
  if (!panic) return unchanged_without_samples(seen, signal, settings_.panic_ms);
  auto const by = wish(*stable, *panic, std::max(1.0, static_cast<double>(seen.ready)));
  auto const needed = panicked(memory, by, now_ms);
  auto wanted = delayed(memory, needed, now_ms);
  auto reason =
      fmt::format("{} {:.4g} over {:g} s asks for {}, {:.4g} over {:g} s for {}",
                  schema::name_of(signal), *stable, static_cast<double>(settings_.stable_ms) / 1000,
                  by.stable, *panic, static_cast<double>(settings_.panic_ms) / 1000, by.panic);
  if (memory.panic_at_ms) reason += fmt::format("; panicking, so not below {}", memory.panic_peak);
  if (wanted != needed)
    reason += fmt::format("; {} by the delay of {:g} s", wanted,
                          static_cast<double>(settings_.down_delay_ms) / 1000);
  if (wanted > 0) {
    memory.unneeded_at_ms.reset();
  } else {
    wanted = seen.replicas == 0 ? 0 : last_one(memory, now_ms);
    if (wanted > 0)
      reason += fmt::format("; the last one stays for {:g} s of grace",
                            static_cast<double>(settings_.zero_grace_ms) / 1000);
  }
  return {wanted, std::move(reason), stable};
}

}  // namespace lepton::scaler
