#pragma once
// When a failed round of a job is tried again, and when a silent attempt may be taken for dead.
// Pure. Backoff doubles from RetryRule::backoff_ms up to 5 minutes (or to backoff_ms itself where
// that is longer). Lease fencing: Gray and Cheriton, Leases, SOSP 1989.

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "common/schema/schema.hpp"
#include "schemas/values.hpp"

namespace lepton::deployer {

// Why a round came to its end.
enum class Cause : std::uint8_t {
  unknown,       // not yet at an end
  error,         // the work failed by itself: exit code, signal, or it could not be started
  interruption,  // a node or a lease was lost; not the work's fault
  time_limit,
  cancel,
  preemption  // stopped for other work; always tried again, and no retry is used up
};
consteval auto enumerators(Cause) {
  return std::to_array<std::string_view>(
      {"unknown", "error", "interruption", "time_limit", "cancel", "preemption"});
}

// The first thing that went wrong in a round; what its siblings do while they are stopped is noise.
struct Ending {
  Cause cause = Cause::unknown;
  std::uint32_t member = 0;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string reason;

  bool operator==(Ending const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using E = Ending;
    return schema::fields(
        field(1, "cause", &E::cause, "Why the round came to its end."),
        field(2, "member", &E::member, "Index of the task that it began with."),
        field(3, "exit_code", &E::exit_code, "Its exit code; 0 when it has none."),
        field(4, "signal", &E::signal, "The signal that ended it; 0 when none did."),
        field(5, "reason", &E::reason, "A sentence for people."));
  }
};
static_assert(schema::complete<Ending>());

inline constexpr std::int64_t backoff_cap_ms = 300'000;
inline constexpr std::uint32_t max_interruptions = 100;

struct RetryVerdict {
  bool again = false;
  WallMs at_ms = 0;
  std::string why;  // for people, in both cases
};

// `failures` and `interruptions`: how many of each were retried before this one.
RetryVerdict decide_retry(RetryRule const& rule, Ending const& ending, std::uint32_t failures,
                          std::uint32_t interruptions, WallMs now_ms);
std::int64_t backoff_ms(RetryRule const& rule, std::uint32_t earlier);

// The first instant at which an attempt on a silent node is surely over: its lease, the time that
// its runner takes to stop it, 1 % of the lease for clocks that run apart, and 2 s. Nothing for
// autonomous work, which holds its place until it is heard of again. `last_renewed_ms`: when the
// last heartbeat that was answered had come in; the node counts from its sending, which is earlier.
std::optional<TimeMs> lost_at_ms(JobSpec const& spec, TimeMs last_renewed_ms);

}  // namespace lepton::deployer
