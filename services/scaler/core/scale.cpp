#include "services/scaler/core/scale.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/planted.hpp"

namespace lepton::scaler {

namespace {

double seconds(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

// Narrows the proposal step by step; every step that changes it leaves its name and a reason.
class Narrowing {
 public:
  Narrowing(Limits const& limits, Memory const& memory, Observation const& seen, TimeMs now_ms,
            Decision& d)
      : limits_(limits), memory_(memory), seen_(seen), now_ms_(now_ms), d_(d) {}

  void run() {
    if (d_.before < limits_.min || d_.before > limits_.max) return clamp();
    wake();
    keep_last();
    clamp();
    if (d_.bound != Bound::woken) cool_down();
    rate();
  }

 private:
  void set(std::uint32_t wanted, Bound bound, std::string why) {
    if (wanted == d_.wanted) return;
    d_.wanted = wanted;
    d_.bound = bound;
    d_.reason += "; " + why;
  }

  void clamp() {
    if (d_.wanted < limits_.min)
      set(limits_.min, Bound::minimum, fmt::format("{} is the minimum", limits_.min));
    if (d_.wanted > limits_.max)
      set(limits_.max, Bound::maximum, fmt::format("{} is the maximum", limits_.max));
  }

  // Demand from before the last change was answered by it.
  void wake() {
    auto const demand = seen_.signals.last_demand_ms();
    auto const change = memory_.last_change_ms();
    if (d_.before > 0 || !demand || (change && *demand <= *change)) return;
    set(std::max(d_.wanted, limits_.wake_to), Bound::woken,
        fmt::format("woken to {}, for requests came", std::max(d_.wanted, limits_.wake_to)));
  }

  void keep_last() {
    if (d_.wanted > 0 || d_.before == 0 || limits_.min > 0) return;
    if (!seen_.signals.sees_demand())
      return set(1, Bound::idle, "the last one stays, for requests are not counted");
    auto const idle_ms = now_ms_ - memory_.demand_at_ms.value_or(now_ms_);
    if (idle_ms < limits_.zero_after_ms)
      set(1, Bound::idle,
          fmt::format("the last one stays until {:g} s pass without requests, now {:g} s",
                      seconds(limits_.zero_after_ms), seconds(idle_ms)));
  }

  void cool_down() {
    auto const change = memory_.last_change_ms();
    if (d_.wanted == d_.before || !change || planted("cooldown_ignored")) return;
    auto const length = d_.wanted > d_.before ? limits_.up_cooldown_ms : limits_.down_cooldown_ms;
    auto const left = *change + length - now_ms_;
    if (left > 0)
      set(d_.before, Bound::cooldown,
          fmt::format("cooling down for another {:g} s", seconds(left)));
  }

  void rate() {
    auto const up = d_.wanted > d_.before;
    auto const& limit = up ? limits_.up : limits_.down;
    if (limit.replicas == 0 || d_.wanted == d_.before) return;
    auto const done = up ? memory_.added_in(now_ms_, limit.period_ms)
                         : memory_.removed_in(now_ms_, limit.period_ms);
    auto const room = limit.replicas > done ? limit.replicas - done : 0;
    auto const step = std::min(room, up ? d_.wanted - d_.before : d_.before - d_.wanted);
    set(up ? d_.before + step : d_.before - step, Bound::rate,
        fmt::format("at most {} {} in {:g} s", limit.replicas, up ? "added" : "removed",
                    seconds(limit.period_ms)));
  }

  Limits const& limits_;
  Memory const& memory_;
  Observation const& seen_;
  TimeMs now_ms_;
  Decision& d_;
};

}  // namespace

Status check(Limits const& l) {
  constexpr auto most = 100'000.0;
  auto const longest = static_cast<double>(Memory::period_max_ms);
  if (l.min > l.max)
    return Error{Code::invalid,
                 fmt::format("replicas.min ({}) is above replicas.max ({})", l.min, l.max)};
  struct {
    std::string_view what;
    double value, low, high;
  } const ranges[] = {
      {"replicas.max", static_cast<double>(l.max), 1, most},
      {"up_cooldown_ms", static_cast<double>(l.up_cooldown_ms), 0, longest},
      {"down_cooldown_ms", static_cast<double>(l.down_cooldown_ms), 0, longest},
      {"up.replicas", static_cast<double>(l.up.replicas), 0, most},
      {"up.period_ms", static_cast<double>(l.up.period_ms), 1'000, longest},
      {"down.replicas", static_cast<double>(l.down.replicas), 0, most},
      {"down.period_ms", static_cast<double>(l.down.period_ms), 1'000, longest},
      {"zero_after_ms", static_cast<double>(l.zero_after_ms), 0, 86'400'000},
      {"wake_to", static_cast<double>(l.wake_to), 1, most},
  };
  for (auto const& r : ranges)
    if (auto good = check_range(r.what, r.value, r.low, r.high); !good) return good;
  return ok();
}

Decision decide(Policy const& policy, Limits const& limits, Memory& memory, Observation const& seen,
                TimeMs now_ms) {
  auto const demand = seen.signals.last_demand_ms();
  if (!memory.demand_at_ms) memory.demand_at_ms = now_ms;
  if (demand) memory.demand_at_ms = std::max(*memory.demand_at_ms, *demand);
  auto proposal = policy.decide(memory, seen, now_ms);
  auto const target = policy.target();
  Decision d;
  d.at_ms = now_ms;
  d.policy = policy.name();
  d.before = seen.replicas;
  d.wanted = d.proposed = proposal.replicas;
  d.reason = std::move(proposal.reason);
  d.signal = target.signal;
  d.value = proposal.value;
  d.per_replica = target.per_replica;
  d.ready = seen.ready;
  d.starting = seen.starting;
  d.silent = seen.silent;
  Narrowing(limits, memory, seen, now_ms, d).run();
  memory.change(now_ms, d.before, d.wanted);
  return d;
}

}  // namespace lepton::scaler
