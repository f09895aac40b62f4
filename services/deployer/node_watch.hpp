#pragma once
// NodeWatch: follows the monitor's stream "nodes" for the deployer. A part of its actor, on its
// thread. The cursor is in memory: a life begins with the states as they are, and follows changes
// from there. Hints say that the monitor is there; without them its word lapses (core/doubts.hpp).

#include <functional>

#include "common/actor/context.hpp"
#include "schemas/monitor.hpp"
#include "services/deployer/core/doubts.hpp"

namespace lepton::deployer {

class NodeWatch {
 public:
  // Called for each node of which something new was said.
  using Changed = std::function<void(NodeId const&, actor::Context&)>;
  explicit NodeWatch(Changed changed) : changed_(std::move(changed)) {}

  void on_hint(Hint const& hint, actor::Context& c);
  std::string const* doubt(NodeId const& node, TimeMs heard_since, TimeMs now) const {
    return doubts_.doubt(node, heard_since, now);
  }

 private:
  void begin(actor::Context& c);
  void pull(actor::Context& c);
  void take_all(Result<Snapshot> const& got, actor::Context& c);
  void take(Result<EventsPage> const& got, actor::Context& c);
  void told(NodeChange const& change, actor::Context& c);

  Changed changed_;
  Doubts doubts_;
  std::int64_t epoch_ = 0, seq_ = 0;  // everything to here is known; epoch 0: nothing
  bool asking_ = false;
};

}  // namespace lepton::deployer
