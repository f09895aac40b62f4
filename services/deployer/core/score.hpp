#pragma once
// Soft rules: which of the nodes that could take a task should. A policy is a small named object
// without state that changes; it scores one node at a time, from that node and the request alone,
// so that scores can be kept per (node version, request) and a gang rescored node by node.
// Best fit: Johnson, Near-optimal bin packing algorithms, 1973; with several resources as a
// weighted sum.

#include <cstdint>
#include <optional>
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

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const = 0;
  // The room must admit the ask. Default: the most wanted model; then, for a share, the fullest
  // device that still fits, and for whole GPUs the group with the fewest free ones.
  virtual GpuChoice choose_gpus(Room const& room, Ask const& ask) const;
  // Higher wins, among nodes whose model is equally wanted.
  virtual std::int64_t score(Node const& node, Room const& room, Ask const& ask,
                             GpuChoice const& gpus) const = 0;
};

// Least left over, weighted over CPU, memory and GPU: whole GPUs go where the fewest are free, a
// share to the fullest GPU that still fits, CPU-only work to nodes without GPUs.
class BestFit final : public Policy {
 public:
  std::string_view name() const override { return "best_fit"; }
  std::int64_t score(Node const& node, Room const& room, Ask const& ask,
                     GpuChoice const& gpus) const override;
};

// Most left over, the same sum: spreads work, for pools where interference costs more than stranded
// room.
class Spread final : public Policy {
 public:
  std::string_view name() const override { return "spread"; }
  std::int64_t score(Node const& node, Room const& room, Ask const& ask,
                     GpuChoice const& gpus) const override;
};

Policy const& best_fit();
Policy const* find_policy(std::string_view name);  // nullptr for an unknown name
std::vector<std::string_view> policy_names();

}  // namespace lepton::deployer
