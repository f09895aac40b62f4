#pragma once
// Counter, Gauge and Histogram: the three kinds of measured value.
// Owner: the Registry that made them; they live as long as it does. Threads: any, relaxed atomics,
// so a reading taken during an update may be one step old, never torn. Units: base units, said by
// the name. A value that would spoil a series for ever (a falling counter, NaN in a sum) is not
// recorded; it is counted in lepton_metrics_rejected_values_total instead.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/base/check.hpp"

namespace lepton::metrics {

using RejectedValues = std::atomic<std::uint64_t>;

class Counter {
 public:
  explicit Counter(RejectedValues& rejected) : rejected_(rejected) {}

  void add(double amount = 1) {
    if (amount >= 0 && std::isfinite(amount))
      value_.fetch_add(amount, std::memory_order_relaxed);
    else
      rejected_.fetch_add(1, std::memory_order_relaxed);
  }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
  RejectedValues& rejected_;
};

class Gauge {
 public:
  explicit Gauge(RejectedValues&) {}

  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds` are the finite upper limits of the buckets, rising; +Inf is added.
  Histogram(RejectedValues& rejected, std::vector<double> bounds)
      : rejected_(rejected), bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {}

  void observe(double value) {
    if (!std::isfinite(value)) {
      rejected_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    // The limit belongs to the bucket: le means "less than or equal".
    auto const place = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    buckets_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  std::vector<double> const& bounds() const { return bounds_; }
  double sum() const { return sum_.load(std::memory_order_relaxed); }
  // Cumulative counts, one for each bound and a last one for +Inf, which is the total.
  std::vector<std::uint64_t> cumulative() const {
    std::vector<std::uint64_t> counts;
    counts.reserve(buckets_.size());
    std::uint64_t total = 0;
    for (auto const& bucket : buckets_)
      counts.push_back(total += bucket.load(std::memory_order_relaxed));
    return counts;
  }

 private:
  RejectedValues& rejected_;
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

// `count` bounds: first, first * factor, first * factor^2 ...
inline std::vector<double> exponential_bounds(double first, double factor, std::size_t count) {
  LEPTON_CHECK(first > 0 && factor > 1, "bucket bounds must rise from above 0");
  std::vector<double> bounds;
  for (auto bound = first; bounds.size() < count; bound *= factor) bounds.push_back(bound);
  return bounds;
}

}  // namespace lepton::metrics
