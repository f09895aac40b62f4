#pragma once
// Runner: the port through which a node starts, watches and ends attempts. ProcessRunner runs real
// processes; FakeRunner has the same manners under a virtual clock. One contract test holds both.
//
// All calls may block for a moment: call from a worker thread, one call at a time. Deadlines are
// CLOCK_BOOTTIME in ms (Clock::now_ms).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "services/node/core/run_status.hpp"
#include "services/node/runner/run_spec.hpp"

namespace lepton::node {

// What an error of Runner::start means for the attempt, and the error that tells it again.
constexpr EndReason reason_of(Code code) {
  if (code == Code::conflict) return EndReason::lock_held;
  if (code == Code::timeout) return EndReason::lease_expired;
  auto const of_machine = code == Code::internal || code == Code::exhausted;
  return of_machine ? EndReason::launch_lost : EndReason::start_failed;
}

constexpr Code code_of(EndReason reason) {
  if (reason == EndReason::lock_held) return Code::conflict;
  if (reason == EndReason::lease_expired) return Code::timeout;
  return reason == EndReason::launch_lost ? Code::internal : Code::unavailable;
}

struct LogPart {
  std::string text;
  std::int64_t next_offset = 0;
  bool at_end = false;  // nothing more for now; for good when the attempt has ended
};

class Runner {
 public:
  virtual ~Runner() = default;

  // Ok: the task runs, or this very start was done before. An error is final: nothing runs and
  // nothing will. `conflict`: the task's lock is held by another attempt, or the attempt's id was
  // used for another spec. `invalid`: the spec. `denied`: the user. `exhausted`: the disk is full.
  // `timeout`: the lease has run out already. `internal`: who was to launch it was killed, or says
  // nothing.
  virtual Status start(RunSpec const& spec, Secrets const& secrets) = 0;

  // `conflict` when the attempt has ended.
  virtual Status renew_lease(std::string_view attempt, std::int64_t deadline_boottime_ms) = 0;

  // Other limits while it runs, set also where they should hold already. `conflict`: it does not
  // run, or uses more memory than that; then the earlier ones stay. `invalid`: not above 0, or one
  // that it was started without. After any other error nobody knows what
  // holds.
  virtual Status resize(std::string_view attempt, RunLimits const& limits) = 0;
  virtual Result<RunLimits> limits(std::string_view attempt) = 0;  // of now

  // SIGTERM, the spec's grace, SIGKILL. Ok for an attempt that has ended: the wish is fulfilled.
  virtual Status request_stop(std::string_view attempt, std::string_view why) = 0;

  // A terminal state is told only after no process of the attempt lives.
  virtual Result<RunStatus> poll(std::string_view attempt) = 0;

  // All attempts on this machine, by name, also those that an earlier life of the node started.
  virtual std::vector<RunStatus> scan() = 0;

  virtual Result<LogPart> read_log(std::string_view attempt, std::int64_t offset,
                                   std::size_t max) = 0;

  // Forgets an ended attempt with its log and output; `conflict` when it still runs.
  virtual Status remove(std::string_view attempt) = 0;
};

}  // namespace lepton::node
