#include "services/scaler/core/adjustment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lepton::scaler {

Status check(AdjustmentSettings const& s) {
  if (auto good = check(s.target); !good) return good;
  if (auto good = check_range("adjustment.keep", s.keep, 0, 2); !good) return good;
  if (auto good = check_range("adjustment.share", s.share, 0, 1); !good) return good;
  // Two periods must fit into a window of samples a second.
  return check_range("adjustment.period_ms", static_cast<double>(s.period_ms), 1'000, 60'000);
}

Status check_shares(std::vector<double> const& shares) {
  for (auto share : shares)
    if (auto good = check_range("a share", share, 0, 1); !good) return good;
  auto const sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (std::abs(sum - 1) <= 1e-9) return ok();
  return Error{Code::invalid,
               fmt::format("the shares sum to {:.9g}; they must sum to 1, or the group would not "
                           "follow its load",
                           sum)};
}

std::vector<double> adjust(std::vector<double> const& replicas, std::vector<double> const& shares,
                           double keep, double total_change) {
  LEPTON_CHECK(replicas.size() == shares.size(), "one share for each service");
  std::vector<double> out(replicas.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = std::max(0.0, keep * replicas[i] + shares[i] * total_change);
  return out;
}

std::vector<std::uint32_t> round_together(std::vector<double> const& exact) {
  std::vector<std::uint32_t> out;
  std::vector<std::size_t> order(exact.size());
  std::iota(order.begin(), order.end(), 0);
  double sum = 0;
  std::int64_t whole = 0;
  for (auto x : exact) {
    sum += x;
    out.push_back(static_cast<std::uint32_t>(std::floor(x)));
    whole += out.back();
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return exact[a] - std::floor(exact[a]) > exact[b] - std::floor(exact[b]);
  });
  auto const rest = std::llround(sum) - whole;
  for (std::size_t i = 0; i < order.size() && static_cast<std::int64_t>(i) < rest; ++i)
    ++out[order[i]];
  return out;
}

Proposal Adjustment::decide(Memory& memory, Observation const& seen, TimeMs now_ms) const {
  auto const& [signal, per_replica] = settings_.target;
  auto const period = settings_.period_ms;
  auto const now = seen.signals[signal].mean(now_ms, period);
  auto const before = seen.signals[signal].mean(now_ms - period, period);
  if (!now || !before) return unchanged_without_samples(seen, signal, 2 * period);
  if (memory.adjusted_at_ms && now_ms - *memory.adjusted_at_ms < period)
    return {seen.replicas, "the step of this period is done", now};
  // Somebody else set another number since: that one is the truth.
  if (ceil_replicas(memory.exact_replicas) != seen.replicas) memory.exact_replicas = seen.replicas;
  auto const change = (*now - *before) / per_replica;
  auto const next =
      adjust({memory.exact_replicas}, {settings_.share}, settings_.keep, change).front();
  auto reason = fmt::format(
      "{:g} x {:.4g} + {:g} x {:.4g} (the change of {} by {:.4g} at {:g} each) "
      "= {:.4g}",
      settings_.keep, memory.exact_replicas, settings_.share, change, schema::name_of(signal),
      *now - *before, per_replica, next);
  memory.adjusted_at_ms = now_ms;
  memory.exact_replicas = next;
  return {ceil_replicas(next), std::move(reason), now};
}

}  // namespace lepton::scaler
