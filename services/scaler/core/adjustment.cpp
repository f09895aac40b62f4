#include "services/scaler/core/adjustment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lepton::scaler {

Status check(AdjustmentSettings const& s) {
  if (auto good = check(s.target); !good) return good;
  auto const& [keep, share, period_ms, follows] = s.equation;
  if (auto good = check_range("adjustment.keep", keep, 0, 2); !good) return good;
  if (auto good = check_range("adjustment.share", share, 0, 1); !good) return good;
  // Two periods must fit into a window of samples a second.
  return check_range("adjustment.period_ms", static_cast<double>(period_ms), 1'000, 60'000);
}

Result<double> sum_of_shares(std::vector<double> const& shares) {
  auto const sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum <= 1 + 1e-9) return sum;
  return Error{Code::conflict,
               fmt::format("adjustment.share: with it the shares of the group sum to {:.9g}; they "
                           "must sum to 1, or the group would not follow its load",
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

Proposal Adjustment::decide(Memory& memory, Observation const& seen, TimeMs now_ms) const {
  auto const& [signal, per_replica] = settings_.target;
  auto const& [keep, share, period, follows] = settings_.equation;
  auto const now = seen.followed()[signal].mean(now_ms, period);
  auto const before = seen.followed()[signal].mean(now_ms - period, period);
  if (!now || !before) return unchanged_without_samples(seen, signal, 2 * period);
  if (memory.adjusted_at_ms && now_ms - *memory.adjusted_at_ms < period)
    return {seen.replicas, "the step of this period is done", now};
  // Somebody else set another number since: that one is the truth.
  if (ceil_replicas(memory.exact_replicas) != seen.replicas) memory.exact_replicas = seen.replicas;
  auto const change = (*now - *before) / per_replica;
  auto const next = adjust({memory.exact_replicas}, {share}, keep, change).front();
  auto reason = fmt::format(
      "{:g} x {:.4g} + {:g} x {:.4g} (the change of {} by {:.4g} at {:g} each) "
      "= {:.4g}",
      keep, memory.exact_replicas, share, change, schema::name_of(signal), *now - *before,
      per_replica, next);
  memory.adjusted_at_ms = now_ms;
  memory.exact_replicas = next;
  return {ceil_replicas(next), std::move(reason), now};
}

}  // namespace lepton::scaler
