#pragma once
// The state of one node, from its reports and its silence. Suspicion comes before death: a silent
// node is suspect first, by phi or at the latest after a fixed time, and unreachable only after it
// has been suspect for a while. A node that keeps coming and going (flapping) must report steadily
// before it is trusted again; each further relapse doubles how long. A new boot id means that what
// ran before is over: the node is down for that instant, then in its new state.
//
// Pure, one thread. Times are TimeMs of the monitor's clock, ms. The states are those of
// schemas/states.hpp.

#include <optional>
#include <string>
#include <vector>

#include "schemas/states.hpp"
#include "services/monitor/core/heartbeats.hpp"

namespace lepton::monitor {

struct LivenessRules {
  TimeMs usual_ms = 1'000;  // between reports
  TimeMs deviation_min_ms = 500;
  double suspect_phi = 8;
  TimeMs suspect_at_most_ms = 10'000;    // suspect after such a silence, however irregular it was
  TimeMs unreachable_after_ms = 15'000;  // of silence
  TimeMs confirm_ms = 3'000;             // suspect for at least so long before
  std::size_t flaps_max = 3;             // relapses in the window that are still harmless
  TimeMs flap_window_ms = 600'000;
  TimeMs steady_ms = 15'000;  // what a flapping node has to show; doubles with each further relapse
  TimeMs steady_max_ms = 300'000;
  TimeMs restart_grace_ms = 5'000;  // nodes dial in anew after a restart of the monitor
};

struct Transition {
  NodeState before = NodeState::unknown;
  NodeState state = NodeState::unknown;
  std::string reason;

  bool operator==(Transition const&) const = default;
};

class Liveness {
 public:
  // A node heard for the first time: unknown until heard() says more.
  explicit Liveness(LivenessRules const& rules, TimeMs now_ms);
  // After a restart of the monitor: nobody listened before, so the silence begins after the grace.
  Liveness(LivenessRules const& rules, NodeState state, std::string boot_id, TimeMs now_ms);

  std::vector<Transition> heard(std::string const& boot_id, bool draining, TimeMs now_ms);
  std::optional<Transition> look(TimeMs now_ms);
  // The monitor itself stood still for so long: that is no silence of the node.
  void excuse(TimeMs stall_ms);

  NodeState state() const { return state_; }
  std::string const& boot_id() const { return boot_id_; }
  TimeMs silence_ms(TimeMs now_ms) const { return now_ms - heard_at_; }
  // Reported without a suspicious silence for so long.
  TimeMs steady_ms(TimeMs now_ms) const { return quiet_since_ ? 0 : now_ms - steady_since_; }
  double phi(TimeMs now_ms) const { return beats_.phi(silence_ms(now_ms)); }
  bool is_flapping(TimeMs now_ms) const;

 private:
  bool is_quiet(TimeMs now_ms) const;
  std::size_t relapses(TimeMs now_ms) const;
  TimeMs steady_needed_ms(TimeMs now_ms) const;
  void note_relapse(TimeMs now_ms);
  Transition move(NodeState to, std::string reason);
  std::optional<Transition> welcome(NodeState target, TimeMs now_ms);

  LivenessRules rules_;
  Heartbeats beats_;
  NodeState state_ = NodeState::unknown;
  std::string boot_id_;
  TimeMs heard_at_ = 0;
  std::optional<TimeMs> quiet_since_;  // suspicious since
  TimeMs steady_since_ = 0;            // first report after the last suspicious silence
  std::vector<TimeMs> relapses_;       // oldest first, bounded
};

}  // namespace lepton::monitor
