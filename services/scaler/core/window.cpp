#include "services/scaler/core/window.hpp"

#include <algorithm>
#include <cmath>

namespace lepton::scaler {

Window::Window(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

Window::Sample const& Window::back(std::size_t age) const {
  auto const n = samples_.size();
  auto const i = next_ + n - 1 - age;
  return samples_[i < n ? i : i - n];
}

bool Window::add(TimeMs at_ms, double value) {
  if (!std::isfinite(value) || value < 0) return false;
  if (!samples_.empty() && at_ms <= back(0).at_ms) return false;
  if (samples_.size() < capacity_) {
    samples_.push_back({at_ms, value});
    next_ = samples_.size() % capacity_;
  } else {
    samples_[next_] = {at_ms, value};
    next_ = (next_ + 1) % capacity_;
  }
  return true;
}

std::optional<Window::Sample> Window::newest() const {
  if (samples_.empty()) return std::nullopt;
  return back(0);
}

std::optional<double> Window::mean(TimeMs now_ms, std::int64_t length_ms) const {
  std::size_t first = 0;  // ages [first, end) are in the length
  while (first < samples_.size() && back(first).at_ms > now_ms) ++first;
  auto end = first;
  while (end < samples_.size() && back(end).at_ms > now_ms - length_ms) ++end;
  if (end == first) return std::nullopt;
  double sum = 0;  // from the oldest on, so that the same samples always give the same bits
  for (auto age = end; age > first; --age) sum += back(age - 1).value;
  return sum / static_cast<double>(end - first);
}

std::optional<TimeMs> Window::last_above_zero_ms() const {
  for (std::size_t age = 0; age < samples_.size(); ++age)
    if (back(age).value > 0) return back(age).at_ms;
  return std::nullopt;
}

}  // namespace lepton::scaler
