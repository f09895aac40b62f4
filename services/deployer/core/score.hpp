#pragma once
// Soft rules: which of the nodes that could take a task should. A policy is a small named object
// that judges one node at a time, from that node and the request alone, so that verdicts can be
// kept until the node changes and a gang rejudged node by node. What depends on the whole pool is a
// price per shelf: nodes on one shelf lose the same part of what the pool is short of.
// Best fit: Johnson, Near-optimal bin packing algorithms, 1973; with several resources as a
// weighted sum.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "services/deployer/core/feasible.hpp"

namespace lepton::deployer {

// Which GPUs of a node a task would get. Whole GPUs are named only when the node has won.
struct GpuChoice {
  std::uint32_t group = 0;       // index into Room::groups()
  std::uint32_t device = 0;      // for a share: index of the device
  std::uint32_t left_milli = 0;  // for a share: what that device has left afterwards
  std::uint32_t preference = 0;  // place of the model in the request's list; lower is better
};

struct Verdict {
  GpuChoice gpus;
  std::int64_t score = 0;   // higher wins, among nodes whose model is equally wanted
  std::uint64_t shelf = 0;  // Policy::price() of it is taken off the score
};

// Of all nodes that fit when a decision begins.
struct ShelfRange {
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  void include(std::uint64_t shelf) {
    least = std::min(least, shelf);
    most = std::max(most, shelf);
  }
};

// A part of what a policy thinks of a node, for explanations: less is better.
struct Term {
  std::string_view name;
  double value = 0;
  std::string_view unit;
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const = 0;
  // The room must admit the ask.
  virtual Verdict judge(Node const& node, Room const& room, Ask const& ask) const = 0;
  virtual std::int64_t price(std::uint64_t /*shelf*/, Ask const& /*ask*/,
                             ShelfRange /*range*/) const {
    return 0;
  }
  // What the worth of the node is made of; the room must admit the ask.
  virtual std::vector<Term> terms(Node const& node, Room const& room, Ask const& ask) const;
  // Whether price() reads the range; if not, it may be left out.
  virtual bool by_range() const { return false; }
  // Whether judge() reads nothing but the node's capacity and the room: then nodes that are equal
  // in both are judged once.
  virtual bool by_room() const { return true; }
};

// The most wanted model; then, for a share, the fullest device that still fits, and for whole GPUs
// the group with the fewest free ones.
GpuChoice tightest_gpus(Room const& room, Ask const& ask);

// What a node would have left over, as a cost: 0 when the task fills it. CPU-only work on a node
// with GPUs costs more than any left-over.
std::int64_t left_over_cost(Node const& node, Room const& room, Ask const& ask,
                            GpuChoice const& gpus);
inline constexpr std::int64_t left_over_limit = std::int64_t{1} << 24;  // above any such cost

// Least left over: whole GPUs go where the fewest are free, a share to the fullest GPU that still
// fits, CPU-only work to nodes without GPUs.
class BestFit final : public Policy {
 public:
  std::string_view name() const override { return "best_fit"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
};

// Most left over, the same sum: spreads work, for pools where interference costs more than stranded
// room.
class Spread final : public Policy {
 public:
  std::string_view name() const override { return "spread"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
};

Policy const& best_fit();
Policy const* find_policy(std::string_view name);  // nullptr for an unknown name
std::vector<std::string_view> policy_names();      // those that need nothing but a node

}  // namespace lepton::deployer
