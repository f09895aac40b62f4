#pragma once
// Times are milliseconds as 64-bit integers. Two kinds, never mixed: WallMs (since the Unix epoch,
// for people and rows) and the monotonic TimeMs of a Clock (for deadlines and timers). Only
// adapters and the runtime own a Clock; actors see the time through their Context, cores through
// arguments.

#include <cstdint>

namespace lepton {

using TimeMs = std::int64_t;  // monotonic
using WallMs = std::int64_t;  // since 1970-01-01T00:00:00Z

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs now_ms() const = 0;
  virtual WallMs wall_ms() const = 0;
};

// CLOCK_BOOTTIME, which also counts the time that a machine slept: leases must not outlive a nap.
class SystemClock final : public Clock {
 public:
  TimeMs now_ms() const override;
  WallMs wall_ms() const override;
};

}  // namespace lepton
