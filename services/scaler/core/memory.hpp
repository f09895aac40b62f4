#pragma once
// What a service's scaling remembers between decisions: enough to go on after a restart, so it can
// be kept as a row. One per service; changed by decide() alone. Times are the clock of the caller.

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/time.hpp"

namespace lepton::scaler {

// A number of replicas that a policy would have liked at some time.
struct Recommendation {
  TimeMs at_ms = 0;
  std::uint32_t replicas = 0;
  bool operator==(Recommendation const&) const = default;
};

// Replicas that were really added or removed; one of the two is 0.
struct Change {
  TimeMs at_ms = 0;
  std::uint32_t added = 0;
  std::uint32_t removed = 0;
  bool operator==(Change const&) const = default;
};

struct Memory {
  static constexpr std::size_t entries_max = 4096;          // of each list
  static constexpr std::int64_t period_max_ms = 3'600'000;  // nothing looks further back

  std::vector<Recommendation> recommendations;  // by rising time
  std::vector<Change> changes;                  // by rising time
  std::optional<TimeMs> panic_at_ms;            // last time the panic threshold was passed
  std::uint32_t panic_peak = 0;                 // most replicas wanted since the panic began
  std::optional<TimeMs> unneeded_at_ms;         // since when a policy wants none
  std::optional<TimeMs> demand_at_ms;           // last demand that was seen, or the first decision
  std::optional<TimeMs> adjusted_at_ms;         // last step of the adjustment
  double exact_replicas = 0;                    // its result before rounding

  bool operator==(Memory const&) const = default;

  // For a service with so many replicas whose memory was lost: as if this number had just been
  // wanted in panic, so that none is removed before the windows have filled again.
  static Memory after_loss(std::uint32_t replicas, TimeMs now_ms);

  // Forgets what is `keep_ms` old or older, then adds. Beyond the limit the oldest leaves.
  void recommend(TimeMs now_ms, std::uint32_t replicas, std::int64_t keep_ms);
  // A change by decide(). Beyond the limit the two oldest become one at the later time, so that a
  // rate is never exceeded for lack of memory.
  void change(TimeMs now_ms, std::uint32_t from, std::uint32_t to);

  // Over (now - length, now].
  std::uint32_t added_in(TimeMs now_ms, std::int64_t length_ms) const;
  std::uint32_t removed_in(TimeMs now_ms, std::int64_t length_ms) const;
  std::optional<TimeMs> last_change_ms() const;
};

}  // namespace lepton::scaler
