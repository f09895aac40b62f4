#pragma once
// Slices: named parts of machines that placement sees as nodes of their own (schemas/slice.hpp,
// core/slice.hpp). Each part is a NodeRow beside those of machines, and what it has is held on its
// machine. Work that is placed in one is the machine's to run: syncs, logs and commands go there,
// and the GPUs have the machine's numbers. What befalls the machine befalls its slices.
// A part of the deployer, on its thread; shares its nodes and its cluster.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "schemas/slice.hpp"
#include "services/deployer/core/placer.hpp"
#include "services/deployer/state.hpp"

namespace lepton::deployer {

class Slices {
 public:
  using Context = actor::Context;

  // `order`: the next number of a registration. `room_changed`: who waits may find room now.
  Slices(Cluster& cluster, Placer& placer, std::map<NodeId, NodeLink>& nodes, std::uint64_t& order,
         std::function<void(Context&)> room_changed)
      : cluster_(cluster),
        placer_(placer),
        nodes_(nodes),
        order_(order),
        room_changed_(std::move(room_changed)) {}

  Result<SliceView> create(SliceCreate const& m, Context& c);
  Result<SliceView> resize(SliceResize const& m, Context& c);
  Result<SliceReleased> release(SliceRelease const& m, Context& c);
  Result<SlicePage> list(SliceList const& m, Context& c);

  // In a new life, when all nodes are in the cluster: what slices hold on their machines.
  void hold_all();
  // A machine, or what people say of it, is otherwise than before.
  void machine_changed(NodeId const& machine, Context& c);

  // Of any node, as the cluster is to see it.
  NodeSpec spec_of(NodeLink const& link) const;
  // The name of a slice with a part in this pool, or of its machines; empty: there is none.
  std::string any_in(PoolId const& pool) const;

 private:
  using Parts = std::vector<NodeLink*>;

  Result<Parts> parts_of(std::string const& name);
  Status check(SliceCreate const& m) const;
  Result<std::vector<Allocation>> places_for(SliceCreate const& m);
  Result<std::vector<Allocation>> places_on(NodeId const& machine, ResourceRequest const& request,
                                            std::uint32_t parts);
  Status add(SliceCreate const& m, NodeId const& id, Allocation place, Context& c);
  void take_away(NodeId const& id);
  Status give(NodeLink& part, Allocation const& held);
  SlicePart view_of(NodeLink const& part) const;
  SliceView view_of(Parts const& parts) const;

  Cluster& cluster_;
  Placer& placer_;
  std::map<NodeId, NodeLink>& nodes_;
  std::uint64_t& order_;
  std::function<void(Context&)> room_changed_;
};

}  // namespace lepton::deployer
