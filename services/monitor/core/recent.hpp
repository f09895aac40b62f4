#pragma once
// The newest samples of one series, oldest first, and means over their end. Bounded: the oldest
// leaves when there is no room. Pure, one thread. Times are TimeMs of one clock.

#include <cstddef>
#include <optional>
#include <vector>

#include "common/base/time.hpp"

namespace lepton::monitor {

class Recent {
 public:
  struct Sample {
    TimeMs at_ms = 0;
    double value = 0;
    bool operator==(Sample const&) const = default;
  };
  static constexpr std::size_t default_capacity = 128;  // two minutes of one a second

  explicit Recent(std::size_t capacity = default_capacity);
  // False, and nothing kept, for what is no number, and for a time not after the newest sample.
  bool add(TimeMs at_ms, double value);
  std::size_t size() const { return ring_.size(); }
  std::optional<Sample> newest() const;
  // Of the samples in (now - length, now]; nothing without any: silence is not zero.
  std::optional<double> mean(TimeMs now_ms, TimeMs length_ms) const;

 private:
  Sample const& back(std::size_t age) const;  // 0 is the newest
  std::size_t capacity_;
  std::size_t next_ = 0;
  std::vector<Sample> ring_;
};

}  // namespace lepton::monitor
