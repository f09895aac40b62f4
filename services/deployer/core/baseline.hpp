#pragma once
// Published policies to compare with, as defined for the experiment of Weng et al., Beware of
// Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent (USENIX ATC
// 2023): scores are whole numbers 0..100, equal ones fall to the cluster's fixed tie order.
// Units: c and g are a node's free CPU and GPU milli, without those asked for unless said.

#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

// Uniform over the nodes that fit; another draw for each seed, so the caller counts it up.
class RandomFit final : public Policy {
 public:
  explicit RandomFit(std::uint64_t seed) : seed_(seed) {}
  std::string_view name() const override { return "random"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
  bool by_room() const override { return false; }

 private:
  std::uint64_t seed_;
};

// 100 (1 - (c c_ask / 128000^2 + g g_ask / 8000^2) / 2), c and g with those asked for.
class DotProduct final : public Policy {
 public:
  std::string_view name() const override { return "dotprod"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
};

// Work of one kind (a share, 1, 2, 4, 8 GPUs) together: 75 where only that kind runs, 50 where it
// is among others, 25 on an empty node, 0 beside other kinds only; plus 25 (8000 - g) / 8000, g
// with those asked for.
class Clustering final : public Policy {
 public:
  std::string_view name() const override { return "clustering"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
  bool by_room() const override { return false; }
};

// GPUs in use first, then free GPUs of nodes in use, then empty nodes.
class Packing final : public Policy {
 public:
  std::string_view name() const override { return "packing"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
};

// 100 (1 - c / 128000 / 2 - g / 8000 / 2).
class PublishedBestFit final : public Policy {
 public:
  std::string_view name() const override { return "bestfit"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
};

}  // namespace lepton::deployer
