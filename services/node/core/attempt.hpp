#pragma once
// The life of one attempt as its node sees it: a pure state machine from what happens to what must
// be done. The actor feeds it and executes its actions; the runner port does the work.
//
// Promises, whatever the order and number of inputs:
// - StartRun comes at most once, and never after a stop was wanted;
// - a wanted stop ends in a final report;
// - a final report comes only after the runner has confirmed that nothing of the attempt lives, or
// when
//   it was never started here;
// - RemoveRun comes only after the final report was acknowledged.
// Times are CLOCK_BOOTTIME ms. Nothing here reads a clock.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/node/core/run_status.hpp"

namespace lepton::node {

enum class Phase : std::uint8_t {
  fresh,     // nothing happened yet
  starting,  // StartRun was given, its answer is not here
  running,
  ended,    // the final report is out, its acknowledgement is not here
  removed,  // nothing left to do
};

struct AttemptState {
  Phase phase = Phase::fresh;
  bool stop_wanted = false;
  std::string stop_why;
  std::int64_t lease_until_ms = 0;
  RunStatus last;  // what was last reported; the final one in `ended`

  bool operator==(AttemptState const&) const = default;
};

namespace input {
struct Assigned {
  std::string attempt;
  std::string task;
};
struct Started {};  // the runner answered: it runs, or ran
struct StartFailed {
  std::string why;  // definite: nothing runs and nothing will
  EndReason reason = EndReason::start_failed;
};
struct StatusSeen {
  RunStatus status;  // from poll, or from a scan after a restart of the node
};
struct RunnerGone {};  // the runner knows no such attempt
struct LeaseGranted {
  std::int64_t until_ms = 0;
};
struct StopWanted {
  std::string attempt;
  std::string task;
  std::string why;
};
struct Reconnected {};  // the control plane may have missed reports
struct ReportAcked {};  // of the final report
}  // namespace input

using Input = std::variant<input::Assigned, input::Started, input::StartFailed, input::StatusSeen,
                           input::RunnerGone, input::LeaseGranted, input::StopWanted,
                           input::Reconnected, input::ReportAcked>;

namespace action {
struct StartRun {
  bool operator==(StartRun const&) const = default;
};
struct RenewLease {
  std::int64_t until_ms = 0;
  bool operator==(RenewLease const&) const = default;
};
struct StopRun {
  std::string why;
  bool operator==(StopRun const&) const = default;
};
struct Report {
  RunStatus status;
  bool final = false;
  bool operator==(Report const&) const = default;
};
struct RemoveRun {
  bool operator==(RemoveRun const&) const = default;
};
}  // namespace action

using Action = std::variant<action::StartRun, action::RenewLease, action::StopRun, action::Report,
                            action::RemoveRun>;

struct Step {
  AttemptState state;
  std::vector<Action> actions;  // in this order
};

Step step(AttemptState state, Input const& input);

}  // namespace lepton::node
