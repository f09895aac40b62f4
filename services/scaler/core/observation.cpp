#include "services/scaler/core/observation.hpp"

#include <algorithm>

namespace lepton::scaler {

std::optional<TimeMs> Signals::last_demand_ms() const {
  auto const requests = (*this)[Signal::requests_per_s].last_above_zero_ms();
  auto const concurrency = (*this)[Signal::concurrency].last_above_zero_ms();
  if (!requests || !concurrency) return requests ? requests : concurrency;
  return std::max(*requests, *concurrency);
}

bool Signals::sees_demand() const {
  return (*this)[Signal::requests_per_s].size() + (*this)[Signal::concurrency].size() > 0;
}

}  // namespace lepton::scaler
