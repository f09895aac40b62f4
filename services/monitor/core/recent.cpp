#include "services/monitor/core/recent.hpp"

#include <algorithm>
#include <cmath>

namespace lepton::monitor {

Recent::Recent(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

Recent::Sample const& Recent::back(std::size_t age) const {
  auto const n = ring_.size();
  return ring_[(next_ + 2 * n - 1 - age) % n];
}

bool Recent::add(TimeMs at_ms, double value) {
  if (!std::isfinite(value)) return false;
  if (!ring_.empty() && at_ms <= back(0).at_ms) return false;
  if (ring_.size() < capacity_)
    ring_.push_back({at_ms, value});
  else
    ring_[next_] = {at_ms, value};
  next_ = (next_ + 1) % capacity_;
  return true;
}

std::optional<Recent::Sample> Recent::newest() const {
  if (ring_.empty()) return std::nullopt;
  return back(0);
}

std::optional<double> Recent::mean(TimeMs now_ms, TimeMs length_ms) const {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t age = 0; age < ring_.size(); ++age) {
    auto const& sample = back(age);
    if (sample.at_ms > now_ms) continue;
    if (sample.at_ms <= now_ms - length_ms) break;
    sum += sample.value;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace lepton::monitor
