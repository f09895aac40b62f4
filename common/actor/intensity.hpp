#pragma once
// Restart intensity as in OTP's supervisor: more than `restarts_max` within `period_ms` and the
// supervisor gives up. Pure.

#include <deque>

#include "common/base/time.hpp"

namespace lepton::actor {

class Intensity {
 public:
  Intensity(std::size_t restarts_max, TimeMs period_ms)
      : restarts_max_(restarts_max), period_ms_(period_ms) {}

  // Counts a restart now; false when that is one too many.
  bool allow(TimeMs now) {
    while (!restarts_.empty() && restarts_.front() <= now - period_ms_) restarts_.pop_front();
    restarts_.push_back(now);
    return restarts_.size() <= restarts_max_;
  }

 private:
  std::size_t restarts_max_;
  TimeMs period_ms_;
  std::deque<TimeMs> restarts_;
};

}  // namespace lepton::actor
