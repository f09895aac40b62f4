#pragma once
// How surprising a silence is: phi(t) = -log10 P(a heartbeat comes later than t), from a normal
// distribution with mean and deviation of the recent intervals. Phi 8 means: one such silence in
// 10^8 would be harmless. Source: N. Hayashibara, X. Defago, R. Yared, T. Katayama, "The phi
// accrual failure detector", SRDS 2004. Owned by the liveness of one node; one thread. Times are
// TimeMs of one clock, ms.

#include <array>
#include <cstddef>
#include <optional>

#include "common/base/time.hpp"

namespace lepton::monitor {

class Heartbeats {
 public:
  static constexpr std::size_t intervals_max = 64;
  static constexpr double phi_max = 300;  // beyond, a double cannot tell

  // Until intervals are known, they are taken for `usual_ms`. A deviation below `deviation_min_ms`
  // would make a punctual node suspect at its first hiccup.
  Heartbeats(TimeMs usual_ms, TimeMs deviation_min_ms);

  void beat(TimeMs now_ms);
  // The silence before the next beat says nothing about how punctual the node is.
  void forget_interval() { last_ms_.reset(); }
  double phi(TimeMs silence_ms) const;
  std::size_t intervals() const { return count_; }
  double mean_ms() const;
  double deviation_ms() const;

 private:
  TimeMs usual_ms_;
  TimeMs deviation_min_ms_;
  std::optional<TimeMs> last_ms_;
  std::array<float, intervals_max> ring_{};
  std::size_t count_ = 0, next_ = 0;
};

}  // namespace lepton::monitor
