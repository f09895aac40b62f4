#include "services/monitor/core/heartbeats.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lepton::monitor {

Heartbeats::Heartbeats(TimeMs usual_ms, TimeMs deviation_min_ms)
    : usual_ms_(std::max<TimeMs>(usual_ms, 1)),
      deviation_min_ms_(std::max<TimeMs>(deviation_min_ms, 1)) {}

void Heartbeats::beat(TimeMs now_ms) {
  if (last_ms_ && now_ms > *last_ms_) {
    ring_[next_] = static_cast<float>(now_ms - *last_ms_);
    next_ = (next_ + 1) % intervals_max;
    count_ = std::min(count_ + 1, intervals_max);
  }
  last_ms_ = now_ms;
}

double Heartbeats::mean_ms() const {
  if (count_ == 0) return static_cast<double>(usual_ms_);
  auto const sum = std::accumulate(ring_.begin(), ring_.begin() + count_, 0.0);
  return sum / static_cast<double>(count_);
}

double Heartbeats::deviation_ms() const {
  auto const least = static_cast<double>(deviation_min_ms_);
  if (count_ < 2) return least;
  auto const mean = mean_ms();
  double squares = 0;
  for (std::size_t i = 0; i < count_; ++i) squares += (ring_[i] - mean) * (ring_[i] - mean);
  return std::max(least, std::sqrt(squares / static_cast<double>(count_)));
}

double Heartbeats::phi(TimeMs silence_ms) const {
  auto const z = (static_cast<double>(silence_ms) - mean_ms()) / deviation_ms();
  auto const later = 0.5 * std::erfc(z / std::sqrt(2.0));
  if (later <= 0) return phi_max;
  return std::clamp(-std::log10(later), 0.0, phi_max);
}

}  // namespace lepton::monitor
