#include "services/scaler/core/staffed.hpp"

#include <fmt/format.h>

#include "services/scaler/core/staffing.hpp"

namespace lepton::scaler {

Status check(StaffedSettings const& s) {
  if (auto good = check(s.target); !good) return good;
  if (s.target.signal != Signal::concurrency)
    return Error{Code::invalid, "staffing counts requests in flight; its signal is concurrency"};
  if (auto good = check_range("staffing.certainty", s.certainty, 0.5, 0.999999); !good) return good;
  return check_range("staffing.window_ms", static_cast<double>(s.window_ms), 6'000, 120'000);
}

Proposal Staffed::decide(Memory&, Observation const& seen, TimeMs now_ms) const {
  auto const& [signal, per_replica] = settings_.target;
  auto const mean = seen.signals[signal].mean(now_ms, settings_.window_ms);
  if (!mean) return unchanged_without_samples(seen, signal, settings_.window_ms);
  auto const wanted = staff(*mean, per_replica, settings_.certainty);
  return {wanted,
          fmt::format("{:.4g} in flight over {:g} s: {} replicas of {:g} have room for all in "
                      "{:g} % of all moments",
                      *mean, static_cast<double>(settings_.window_ms) / 1000, wanted, per_replica,
                      100 * settings_.certainty),
          mean};
}

}  // namespace lepton::scaler
