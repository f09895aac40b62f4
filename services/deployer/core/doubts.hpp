#pragma once
// What the monitor's word on a node means for new work. The deployer knows by the node's own syncs
// who lives, and alone decides on leases; the monitor's word can only withhold new work: from a
// node that it calls suspect, unreachable or down. That word holds while the monitor is heard
// itself, and at most for a while where the deployer hears the node steadily: a node whose reports
// do not reach the monitor is no worse for it. See docs/decisions/0011-two-watchers.md.
//
// Pure, owned by the deployer's actor. Times are TimeMs of the deployer's clock, ms.

#include <map>
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "common/schema/schema.hpp"
#include "schemas/ids.hpp"
#include "schemas/states.hpp"

namespace lepton::deployer {

struct DoubtRules {
  TimeMs word_valid_ms = 5'000;        // since the monitor was last heard
  TimeMs overruled_after_ms = 60'000;  // of steady syncs
};

class Doubts {
 public:
  explicit Doubts(DoubtRules rules = {}) : rules_(rules) {}

  void monitor_heard(TimeMs now) { heard_at_ = now; }
  void told(NodeId const& node, NodeState state, std::string reason, TimeMs now);
  // Begins anew, before all states are told.
  void clear() { nodes_.clear(); }

  // Why no new work should go there; nullptr: nothing is said against it. The node's syncs have
  // come without a gap since `heard_since`.
  std::string const* doubt(NodeId const& node, TimeMs heard_since, TimeMs now) const;

 private:
  struct Doubt {
    TimeMs since = 0;
    std::string reason;
  };
  DoubtRules rules_;
  std::optional<TimeMs> heard_at_;
  std::map<NodeId, Doubt> nodes_;
};

}  // namespace lepton::deployer
