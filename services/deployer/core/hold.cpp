#include "services/deployer/core/hold.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace lepton::deployer {

Allocation part_of(Room const& room, Allocation const& wanted) {
  Allocation part;
  part.node = wanted.node;
  part.cpu_milli = std::min(wanted.cpu_milli, room.cpu_milli());
  part.memory_mib = std::min(wanted.memory_mib, room.memory_mib());
  part.disk_mib = std::min(wanted.disk_mib, room.disk_mib());
  for (auto const& share : wanted.gpus) {
    if (share.index >= room.devices().size()) continue;
    auto const milli = std::min(share.milli, room.devices()[share.index].free_milli);
    if (milli > 0) part.gpus.push_back({share.index, milli});
  }
  for (auto port : wanted.ports)
    if (room.ports().is_free(port)) part.ports.push_back(port);
  return part;
}

Hold::Hold(std::vector<AttemptId> attempts, std::vector<Allocation> places)
    : attempts_(std::move(attempts)), places_(std::move(places)), whole_(places_.size()) {
  LEPTON_CHECK(attempts_.size() == places_.size(), "each place needs its attempt");
}

bool Hold::top_up(Cluster& cluster) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (whole_[i]) continue;
    auto const* node = cluster.find(places_[i].node);
    if (node == nullptr) continue;
    auto room = node->free;
    auto const* held = cluster.held(attempts_[i]);
    if (held != nullptr) room.give(*held);
    auto const part = part_of(room, places_[i]);
    if (held == nullptr || part != *held) {
      auto const taken =
          held == nullptr ? cluster.reserve(attempts_[i], part) : cluster.grow(attempts_[i], part);
      LEPTON_CHECK(taken.has_value(), "what is free could not be held");
    }
    whole_[i] = part == places_[i];
  }
  return std::find(whole_.begin(), whole_.end(), false) == whole_.end();
}

bool Hold::is_broken(Cluster const& cluster) const {
  return std::any_of(places_.begin(), places_.end(), [&](Allocation const& place) {
    auto const* node = cluster.find(place.node);
    return node == nullptr || node->spec.state != NodeState::ready;
  });
}

void Hold::release(Cluster& cluster) {
  for (auto const& attempt : attempts_) cluster.release(attempt);
}

bool Hold::waits_on(NodeId const& node) const {
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (!whole_[i] && places_[i].node == node) return true;
  return false;
}

}  // namespace lepton::deployer
