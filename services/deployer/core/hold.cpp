#include "services/deployer/core/hold.hpp"

#include <algorithm>
#include <map>

#include "common/base/check.hpp"

namespace lepton::deployer {

Allocation part_of(Room const& room, Allocation const& wanted) {
  Allocation part;
  part.node = wanted.node;
  part.cpu_milli = std::min(wanted.cpu_milli, room.cpu_milli());
  part.memory_mib = std::min(wanted.memory_mib, room.memory_mib());
  part.disk_mib = std::min(wanted.disk_mib, room.disk_mib());
  part.bandwidth_mbit = std::min(wanted.bandwidth_mbit, room.bandwidth_mbit());
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

bool Hold::is_lost(Cluster const& cluster, PoolId const& pool) const {
  return std::any_of(places_.begin(), places_.end(), [&](Allocation const& place) {
    auto const* node = cluster.find(place.node);
    if (node == nullptr || node->spec.pool != pool) return true;
    auto const state = node->spec.state;
    return (state != NodeState::ready && state != NodeState::suspect) ||
           part_of(node->full, place) != place;
  });
}

Room Hold::room_in_the_end(Cluster const& cluster, Node const& node, Stays const& stays) const {
  auto room = node.free;
  for (auto const& attempt : node.holders) {
    auto const is_mine = [&] {
      return std::find(attempts_.begin(), attempts_.end(), attempt) != attempts_.end();
    };
    if (!stays(attempt) || is_mine()) room.give(*cluster.held(attempt));
  }
  return room;
}

bool Hold::can_be_whole(Cluster const& cluster, Stays const& stays) const {
  std::map<NodeId, Room> rooms;
  return std::all_of(places_.begin(), places_.end(), [&](Allocation const& place) {
    auto const* node = cluster.find(place.node);
    if (node == nullptr) return false;
    auto room = rooms.find(place.node);
    if (room == rooms.end())
      room = rooms.emplace(place.node, room_in_the_end(cluster, *node, stays)).first;
    return room->second.take(place).has_value();
  });
}

void Hold::move(Cluster& cluster, std::vector<Allocation> places) {
  LEPTON_CHECK(places.size() == attempts_.size(), "each attempt needs its place");
  release(cluster);
  places_ = std::move(places);
  whole_.assign(places_.size(), false);
  auto const whole = top_up(cluster);
  LEPTON_CHECK(whole, "a hold was moved to places that are not free");
}

void Hold::release(Cluster& cluster) {
  for (auto const& attempt : attempts_) cluster.release(attempt);
}

bool Hold::wants_of(Cluster const& cluster, Allocation const& held) const {
  auto const wants = [&](Allocation const& place, Allocation const& mine) {
    auto const has = [&](GpuShare const& s) {
      return std::find(mine.gpus.begin(), mine.gpus.end(), s) != mine.gpus.end();
    };
    for (auto const& share : place.gpus)
      for (auto const& other : held.gpus)
        if (share.index == other.index && !has(share)) return true;
    return (mine.cpu_milli < place.cpu_milli && held.cpu_milli > 0) ||
           (mine.memory_mib < place.memory_mib && held.memory_mib > 0) ||
           (mine.disk_mib < place.disk_mib && held.disk_mib > 0) ||
           (mine.bandwidth_mbit < place.bandwidth_mbit && held.bandwidth_mbit > 0) ||
           (mine.ports.size() < place.ports.size() && !held.ports.empty());
  };
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (whole_[i] || places_[i].node != held.node) continue;
    auto const* mine = cluster.held(attempts_[i]);
    if (wants(places_[i], mine == nullptr ? Allocation{} : *mine)) return true;
  }
  return false;
}

std::vector<Allocation> Hold::has(Cluster const& cluster) const {
  std::vector<Allocation> all;
  for (auto const& attempt : attempts_) {
    auto const* held = cluster.held(attempt);
    all.push_back(held == nullptr ? Allocation{} : *held);
  }
  return all;
}

void Hold::step_aside(Cluster& cluster) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    whole_[i] = false;
    if (cluster.held(attempts_[i]) == nullptr) continue;
    Allocation nothing;
    nothing.node = places_[i].node;
    auto const given = cluster.grow(attempts_[i], nothing);
    LEPTON_CHECK(given.has_value(), "what is held could not be given back");
  }
}

}  // namespace lepton::deployer
