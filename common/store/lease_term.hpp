#pragma once
// LeaseTerm: until when an instance may act for its lease, from the beats that it sent and what
// became of them. One thread notes, another asks; the clock is the caller's. Times in ms, of the
// monotonic clock.

#include <atomic>
#include <mutex>

#include "common/base/planted.hpp"
#include "common/store/lease.hpp"

namespace lepton::store {

enum class Hold : std::uint8_t {
  held,         // act
  unconfirmed,  // do nothing: another may have taken over; or go on later, if none has
  lost          // end: another has taken over
};

class LeaseTerm {
 public:
  explicit LeaseTerm(TimeMs taken_at) : until_(taken_at + lease_valid_ms) {}

  // What became of a beat that was sent at that time.
  void note(TimeMs sent_at, Status const& outcome) {
    if (outcome) {
      until_ = sent_at + lease_valid_ms;
      return;
    }
    {
      std::lock_guard const lock(mutex_);
      why_ = outcome.error().what;
    }
    if (outcome.error().code == Code::conflict) lost_ = true;
  }

  Hold at(TimeMs now) const {
    if (lost_) return Hold::lost;
    return now < until_ || planted("lease_unchecked") ? Hold::held : Hold::unconfirmed;
  }

  std::string why() const {
    std::lock_guard const lock(mutex_);
    return why_;
  }

 private:
  std::atomic<TimeMs> until_;
  std::atomic<bool> lost_ = false;
  mutable std::mutex mutex_;
  std::string why_;  // the last beat was not confirmed
};

}  // namespace lepton::store
