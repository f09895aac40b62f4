// The cluster's books, counted anew.

#include "common/base/check.hpp"
#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

void Cluster::check_invariants() const {
  std::size_t in_pools = 0, holders = 0;
  for (auto const& [id, pool] : pools_) {
    in_pools += pool.slots.size();
    for (auto slot : pool.slots) {
      LEPTON_CHECK(nodes_[slot].spec.pool == id, "a node stands in a pool that is not its own");
      check_node(slot);
      holders += nodes_[slot].holders.size();
    }
  }
  LEPTON_CHECK(in_pools == by_id_.size() && in_pools == by_order_.size(), "a node is in no pool");
  LEPTON_CHECK(in_pools + unused_.size() == nodes_.size(), "a slot is lost");
  LEPTON_CHECK(holders == held_.size(), "an allocation has no holder on its node");
}

void Cluster::check_node(Slot slot) const {
  auto const& node = nodes_[slot];
  LEPTON_CHECK(by_id_.at(node.spec.id) == slot, "a node is found at another's slot");
  LEPTON_CHECK(by_order_.at(node.spec.order) == slot, "a registration number points elsewhere");
  auto room = node.full;
  std::array<std::uint32_t, kind_count> residents{};
  for (auto const& attempt : node.holders) {
    auto const& held = held_.at(attempt);
    ++residents[kind_of(held.allocation)];
    LEPTON_CHECK(held.slot == slot && held.allocation.node == node.spec.id, "held elsewhere");
    LEPTON_CHECK(room.take(held.allocation).has_value(), "a node is given out beyond its capacity");
  }
  LEPTON_CHECK(residents == node.residents, "the work on a node is miscounted");
  LEPTON_CHECK(room.cpu_milli() == node.free.cpu_milli(), "free CPU is miscounted");
  LEPTON_CHECK(room.memory_mib() == node.free.memory_mib(), "free memory is miscounted");
  LEPTON_CHECK(room.disk_mib() == node.free.disk_mib(), "free disk is miscounted");
  LEPTON_CHECK(room.bandwidth_mbit() == node.free.bandwidth_mbit(), "bandwidth is miscounted");
  LEPTON_CHECK(room.gpu_milli() == node.free.gpu_milli(), "free GPU is miscounted");
  LEPTON_CHECK(room.ports().free() == node.free.ports().free(), "free ports are miscounted");
  LEPTON_CHECK(room.ports().counted_used() == node.free.ports().counted_used(), "port bits differ");
  for (std::size_t i = 0; i < room.devices().size(); ++i)
    LEPTON_CHECK(room.devices()[i].free_milli == node.free.devices()[i].free_milli,
                 "a GPU's share is miscounted");
}

}  // namespace lepton::deployer
