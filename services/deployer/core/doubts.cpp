#include "services/deployer/core/doubts.hpp"

#include <algorithm>

namespace lepton::deployer {

// Suspect, then unreachable: one doubt, since its beginning.
void Doubts::told(NodeId const& node, NodeState state, std::string reason, TimeMs now) {
  auto const bad =
      state == NodeState::suspect || state == NodeState::unreachable || state == NodeState::down;
  if (!bad) {
    nodes_.erase(node);
    return;
  }
  auto& doubt = nodes_.try_emplace(node, Doubt{now, ""}).first->second;
  doubt.reason = std::string(schema::name_of(state)) + ": " + std::move(reason);
}

std::string const* Doubts::doubt(NodeId const& node, TimeMs heard_since, TimeMs now) const {
  auto const found = nodes_.find(node);
  if (found == nodes_.end() || !heard_at_ || now - *heard_at_ > rules_.word_valid_ms)
    return nullptr;
  auto const steady_since = std::max(found->second.since, heard_since);
  return now - steady_since < rules_.overruled_after_ms ? &found->second.reason : nullptr;
}

}  // namespace lepton::deployer
