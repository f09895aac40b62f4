#pragma once
// The newest samples of one series, oldest first, and means over their end. Each sample stands for
// the time since the one before it, so a mean over a length is the plain mean of the samples in
// (now - length, now]. Bounded: the oldest sample leaves when the capacity is reached. Pure, owned
// by who collects the series, one thread. Times are TimeMs of one clock.

#include <cstddef>
#include <optional>
#include <vector>

#include "common/base/time.hpp"

namespace lepton {

class Recent {
 public:
  struct Sample {
    TimeMs at_ms = 0;
    double value = 0;
    bool operator==(Sample const&) const = default;
  };
  static constexpr std::size_t default_capacity = 128;  // two minutes of one a second

  explicit Recent(std::size_t capacity = default_capacity);
  // False, and nothing kept, for what is no number, and for a time that is not after the newest
  // sample: a series that goes back would count some seconds twice.
  bool add(TimeMs at_ms, double value);

  std::size_t size() const { return ring_.size(); }
  std::optional<Sample> newest() const;
  // Nothing without a sample in the length; silence is not zero.
  std::optional<double> mean(TimeMs now_ms, TimeMs length_ms) const;
  // The newest sample above zero, if one is left.
  std::optional<TimeMs> last_above_zero_ms() const;

 private:
  Sample const& back(std::size_t age) const;  // 0 is the newest

  std::size_t capacity_;
  std::size_t next_ = 0;  // where the next sample goes when full
  std::vector<Sample> ring_;
};

}  // namespace lepton
