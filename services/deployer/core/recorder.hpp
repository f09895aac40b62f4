#pragma once
// Recorder: collects the steps from which Replay builds the same cluster and mix again.
// Owned by the deployer's decision log, or a test; one thread. Bounded by whoever takes the steps.

#include <utility>
#include <vector>

#include "services/deployer/core/replay.hpp"

namespace lepton::deployer {

class Recorder final : public ClusterWatcher {
 public:
  void node_is(NodeSpec const& spec) override { steps_.emplace_back().node = spec; }
  void node_gone(NodeId const& id) override { steps_.emplace_back().gone = id; }
  void holds(AttemptId const& attempt, Allocation const& allocation) override {
    auto& step = steps_.emplace_back();
    step.attempt = attempt;
    step.holds = allocation;
  }
  void released(AttemptId const& attempt) override;

  void kind_is(GpuKind const& kind) override { steps_.emplace_back().kind = kind; }

  void arrived(ResourceRequest const& request, std::uint32_t tasks) {
    steps_.emplace_back().arrival = Arrival{request, tasks};
  }
  void decided(Decision decision) { steps_.emplace_back().decision = std::move(decision); }

  std::size_t size() const { return steps_.size(); }
  // Forgets what came since it had so many: it has cancelled itself out.
  void cut(std::size_t size) { steps_.erase(steps_.begin() + std::ptrdiff_t(size), steps_.end()); }
  std::vector<Step> take() { return std::exchange(steps_, {}); }

 private:
  std::vector<Step> steps_;
};

}  // namespace lepton::deployer
