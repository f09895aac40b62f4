#include "common/base/recent.hpp"

#include <algorithm>
#include <cmath>

namespace lepton {

Recent::Recent(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

Recent::Sample const& Recent::back(std::size_t age) const {
  auto const n = ring_.size();
  auto const i = next_ + n - 1 - age;
  return ring_[i < n ? i : i - n];
}

bool Recent::add(TimeMs at_ms, double value) {
  if (!std::isfinite(value)) return false;
  if (!ring_.empty() && at_ms <= back(0).at_ms) return false;
  if (ring_.size() < capacity_) {
    ring_.push_back({at_ms, value});
    next_ = ring_.size() % capacity_;
  } else {
    ring_[next_] = {at_ms, value};
    next_ = (next_ + 1) % capacity_;
  }
  return true;
}

std::optional<Recent::Sample> Recent::newest() const {
  if (ring_.empty()) return std::nullopt;
  return back(0);
}

std::optional<double> Recent::mean(TimeMs now_ms, TimeMs length_ms) const {
  std::size_t first = 0;  // ages [first, end) are in the length
  while (first < ring_.size() && back(first).at_ms > now_ms) ++first;
  auto end = first;
  while (end < ring_.size() && back(end).at_ms > now_ms - length_ms) ++end;
  if (end == first) return std::nullopt;
  double sum = 0;  // from the oldest on, so that the same samples always give the same bits
  for (auto age = end; age > first; --age) sum += back(age - 1).value;
  return sum / static_cast<double>(end - first);
}

std::optional<TimeMs> Recent::last_above_zero_ms() const {
  for (std::size_t age = 0; age < ring_.size(); ++age)
    if (back(age).value > 0) return back(age).at_ms;
  return std::nullopt;
}

}  // namespace lepton
