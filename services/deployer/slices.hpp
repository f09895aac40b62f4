#pragma once
// Slices: named parts of machines that placement sees as nodes of their own (schemas/slice.hpp,
// core/slice.hpp). Each part is a NodeRow beside those of machines, and what it has is held on its
// machine. Work that is placed in one is the machine's to run: syncs, logs and commands go there,
// and the GPUs have the machine's numbers. What befalls the machine befalls its slices.
// Files: slices.cpp what people ask; slice_parts.cpp the parts as nodes; slice_times.cpp beginnings
// and ends; planned_slices.hpp those that have not begun.
// A part of the deployer, on its thread; shares its nodes and its cluster.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "schemas/slice.hpp"
#include "services/deployer/core/placer.hpp"
#include "services/deployer/planned_slices.hpp"
#include "services/deployer/state.hpp"

namespace lepton::deployer {

class Slices {
 public:
  using Context = actor::Context;
  static constexpr std::size_t slice_users_max = 64, models_max = 64;

  // What this part needs of the deployer.
  struct Hooks {
    std::function<WallMs(Context&)> now;
    // Who waits may find room now; in this pool by other rules, too.
    std::function<void(PoolId const&, Context&)> room_changed;
    // What gives back room by its limit that nobody waits for.
    std::function<std::vector<Limited>(PoolId const&, WallMs)> limited;
    std::function<std::optional<std::string>(std::vector<Allocation> const&)> too_much_power;
  };

  // `order`: the next number of a registration.
  Slices(Cluster& cluster, Placer& placer, std::map<NodeId, NodeLink>& nodes, std::uint64_t& order,
         Hooks hooks)
      : cluster_(cluster),
        placer_(placer),
        nodes_(nodes),
        order_(order),
        hooks_(std::move(hooks)) {}

  Result<SliceView> create(SliceCreate const& m, Context& c);
  Result<SliceView> resize(SliceResize const& m, Context& c);
  Result<SliceReleased> release(SliceRelease const& m, Context& c);
  Result<SlicePage> list(SliceList const& m, Context& c);

  // In a new life, when all nodes are in the cluster: what slices hold on their machines.
  void hold_all();
  // A machine, or what people say of it, is otherwise than before.
  void machine_changed(NodeId const& machine, Context& c);
  // Begins and ends those whose time has come.
  void tick(Context& c);
  PlannedSlices& planned() { return planned_; }
  PlannedSlices const& planned() const { return planned_; }

  // Of any node, as the cluster is to see it.
  NodeSpec spec_of(NodeLink const& link) const;
  // The name of a slice with a part in this pool, or of its machines; empty: there is none.
  std::string any_in(PoolId const& pool) const;
  // Whether it matters whose work it is, or when it ends.
  bool is_restricted(PoolId const& pool) const {
    return restricted_.contains(pool) || planned_.restricts(pool);
  }
  // Why work of this owner may not start at these places; nothing: it may.
  std::optional<std::string> objection(std::vector<Allocation> const& places,
                                       std::string const& owner, WallMs now,
                                       std::optional<WallMs> ends_by) const;

 private:
  using Parts = std::vector<NodeLink*>;

  // slices.cpp
  std::map<std::string, Parts> all();
  Result<Parts> parts_of(std::string const& name);
  Status check(SliceCreate const& m, WallMs now) const;
  Status check_window(SliceCreate const& m, WallMs now) const;
  Status check_pool(SliceCreate const& m) const;
  Status check_names(SliceCreate const& m) const;
  Result<std::vector<Allocation>> places_for(SliceCreate const& m);
  Result<std::vector<Allocation>> places_on(NodeId const& machine, ResourceRequest const& request,
                                            std::uint32_t parts);
  Result<std::vector<Allocation>> places_in_time(SliceCreate const& m, WallMs now);
  Status give_if_powered(NodeLink& part, Allocation const& held);
  Status give_ports(SliceCreate const& m, std::vector<Allocation>& places) const;
  SlicePart view_of(NodeLink const& part) const;
  SliceView view_of(Parts const& parts) const;

  // slice_parts.cpp
  void add(SliceCreate const& m, NodeId const& id, Allocation place, Context& c);
  void take_away(NodeLink& part, Context& c);
  Status give(NodeLink& part, Allocation const& held);
  void count_restricted(NodeRow const& row, bool comes);

  // slice_times.cpp
  void drop_missed(WallMs now, Context& c);
  void begin(std::string const& name, Context& c);
  void end(std::string const& name, Parts const& parts, Context& c);

  Cluster& cluster_;
  Placer& placer_;
  std::map<NodeId, NodeLink>& nodes_;
  std::uint64_t& order_;
  Hooks hooks_;
  PlannedSlices planned_{cluster_};
  std::map<PoolId, std::size_t> restricted_;  // pools, and how many of their parts are
};

}  // namespace lepton::deployer
