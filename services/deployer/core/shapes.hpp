#pragma once
// Shapes: the ready nodes of one pool, nodes with equal capacity, equal room and equal taints
// together, because every rule and most policies judge them alike. Only for requests that read
// labels or prices these must be equal as well: such shapes are kept apart, so that a label of each
// node's own, such as its name, or a price of each node's own costs nobody else anything. A large
// cluster has few shapes, so a decision costs little more there than in a small one. Owned by the
// placer; one thread. No errors: wrong use stops the process.

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

class Shapes {
 public:
  using Id = std::uint32_t;
  // A node of a shape; the first in this order stands for all and is taken first.
  struct Member {
    std::uint64_t tie = 0, order = 0;
    Slot slot = 0;
    auto operator<=>(Member const&) const = default;
  };

  // What must be equal beside room, capacity and taints.
  struct By {
    bool labels = false;
    bool prices = false;  // and whether it is a spot node
  };
  Shapes() = default;
  explicit Shapes(By by) : by_(by) {}

  Id add(Node const& node, Slot slot);
  void remove(Id id, Member const& member);

  std::set<Member> const& members(Id id) const { return shapes_[id].members; }
  // Rises whenever another node stands for the shape, or none.
  std::uint32_t version(Id id) const { return shapes_[id].version; }
  bool alive(Id id) const { return !shapes_[id].members.empty(); }
  std::size_t id_count() const { return shapes_.size(); }  // ids are below
  std::size_t alive_count() const { return by_key_.size(); }

  // The shapes whose version rose, oldest first; as Cluster::changes().
  std::vector<Id> const& changes() const { return changes_; }
  std::uint64_t first_change() const { return first_change_; }
  std::uint64_t next_change() const { return first_change_ + changes_.size(); }

 private:
  struct Shape {
    std::string key;
    std::set<Member> members;
    std::uint32_t version = 0;
  };
  void changed(Id id);

  By by_;
  std::vector<Shape> shapes_;
  std::vector<Id> unused_;
  std::unordered_map<std::string, Id> by_key_;  // looked up only, never walked
  std::vector<Id> changes_;
  std::uint64_t first_change_ = 0;
};

}  // namespace lepton::deployer
