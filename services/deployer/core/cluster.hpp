#pragma once
// Cluster: the nodes, what is free on each, and who holds what. The only place where capacity is
// given out, and it never gives more than there is, in whatever order the calls come.
// Owned by the deployer's actor; one thread. Errors are values; a broken invariant stops the
// process. Node data lie densely by Slot: a decision walks the slots of one pool.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/ids.hpp"
#include "schemas/states.hpp"
#include "schemas/values.hpp"
#include "services/deployer/core/room.hpp"

namespace lepton::deployer {

using Slot = std::uint32_t;

struct NodeSpec {
  NodeId id;
  PoolId pool{"default"};
  NodeCapacity capacity;
  NodeState state = NodeState::ready;
  std::map<std::string, std::string> labels;
  // Number of its registration, from 1, durable and unique; decides ties. 0: the next free number.
  std::uint64_t order = 0;
  std::vector<Taint> taints = {};  // sorted
  NodeId machine = {};             // of a slice: where it is; it has taken its room there

  static consteval auto fields() {
    using schema::field;
    using T = NodeSpec;
    return schema::fields(field(1, "id", &T::id, "Name."), field(2, "pool", &T::pool, "Pool."),
                          field(3, "capacity", &T::capacity, "What it has."),
                          field(4, "state", &T::state, "State."),
                          field(5, "labels", &T::labels, "Labels that count."),
                          field(6, "order", &T::order, "Number of its registration."),
                          field(7, "taints", &T::taints, "Taints."),
                          field(180, "machine", &T::machine, "What it is a slice of.").since(5));
  }
};
static_assert(schema::complete<NodeSpec>());

// Work on a node by kind: without a GPU, a share of one, and 1, 2, 3 to 4, 5 and more whole ones.
inline constexpr std::size_t kind_count = 6;
std::size_t kind_of(std::uint32_t gpus, std::uint32_t gpu_milli);
std::size_t kind_of(Allocation const& held);

struct Node {
  NodeSpec spec;
  std::uint64_t tie = 0;  // a hash of spec.order: equal scores do not all go to the oldest node
  std::uint64_t version =
      0;  // rises with each change of room, state or capacity: key for score caches
  Room free;
  Room full;                                          // as if nothing ran there
  std::vector<AttemptId> holders;                     // sorted
  std::array<std::uint32_t, kind_count> residents{};  // holders by kind
  Slot slot = 0;
};

// Sums for utilisation; used = capacity - free. What a slice has counts there, and not on its
// machine.
struct Totals {
  std::uint64_t nodes = 0, ready_nodes = 0;
  std::int64_t cpu_milli = 0, cpu_milli_free = 0;
  std::int64_t memory_mib = 0, memory_mib_free = 0;
  std::int64_t gpu_milli = 0, gpu_milli_free = 0;
  std::uint64_t gpus_whole_free = 0;
};

// What a ModelIndex stands for: a model of GPU, or its MIG instances of one profile.
struct GpuKind {
  std::string model;
  std::string mig_profile;  // empty: whole GPUs

  bool operator==(GpuKind const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = GpuKind;
    return schema::fields(
        field(1, "model", &T::model, "Model, for example H100."),
        field(2, "mig_profile", &T::mig_profile, "Profile of MIG; empty: whole GPUs."));
  }
};
static_assert(schema::complete<GpuKind>());
// "H100", or "H100 1g.10gb".
std::string text_of(GpuKind const& kind);

// Hears every change once it has taken effect: a record from which a cluster can be built anew.
class ClusterWatcher {
 public:
  virtual ~ClusterWatcher() = default;
  virtual void node_is(NodeSpec const& spec) = 0;  // new, or otherwise than before
  virtual void node_gone(NodeId const& id) = 0;
  virtual void holds(AttemptId const& attempt, Allocation const& allocation) = 0;
  virtual void released(AttemptId const& attempt) = 0;
  virtual void kind_is(GpuKind const& kind) = 0;  // it has got the next ModelIndex
};

class Cluster {
 public:
  // Must outlive the cluster, or be taken away with nullptr.
  void watch(ClusterWatcher* watcher) { watcher_ = watcher; }

  // Adds the node, or changes pool, state, labels and capacity of a known one. A capacity below
  // what is held there (or other GPUs at the places in use) is a conflict and changes nothing:
  // drain first.
  Status upsert_node(NodeSpec spec);
  Status set_state(NodeId const& id, NodeState state);
  Status remove_node(NodeId const& id);  // conflict while something is held there

  // Any state of the node will do, so that rows can be loaded at start. The same again is harmless;
  // another allocation under the same attempt is a conflict.
  Status reserve(AttemptId const& attempt, Allocation const& allocation);
  // What an attempt holds becomes this, on the same node, or nothing changes. To take more; for
  // what is given back freed() does not rise.
  Status grow(AttemptId const& attempt, Allocation const& allocation);
  // The same, and what is held no more may be looked at by those who wait.
  Status resize(AttemptId const& attempt, Allocation const& allocation);
  bool release(AttemptId const& attempt);  // whether it held anything; a second call is harmless

  Allocation const* held(AttemptId const& attempt) const;
  std::size_t held_count() const { return held_.size(); }
  std::vector<AttemptId> holders(NodeId const& id) const;  // sorted
  // The same of a machine and all slices of it.
  std::vector<AttemptId> holders_on_machine(NodeId const& id) const;
  std::vector<NodeId> slices_of(NodeId const& machine) const;
  // Of a slice; every other node is its own, and so is one that is not known.
  NodeId const& machine_of(NodeId const& id) const;

  Node const* find(NodeId const& id) const;
  Node const& at(Slot slot) const { return nodes_[slot]; }
  std::vector<Slot> const& pool(PoolId const& pool) const;  // in order of registration
  std::vector<PoolId> pools() const;                        // those that have nodes
  std::size_t node_count() const { return by_id_.size(); }

  // Rises when something that did not fit in this pool may fit now: room freed, node ready or new.
  std::uint64_t freed(PoolId const& pool) const;

  // The slots that changed, oldest first, for those who keep something per node: entry i is the
  // change number first_change() + i. Old entries go; who is behind first_change() reads all nodes.
  std::vector<Slot> const& changes() const { return changes_; }
  std::uint64_t first_change() const { return first_change_; }
  std::uint64_t next_change() const { return first_change_ + changes_.size(); }
  std::size_t slot_count() const { return nodes_.size(); }
  bool in_use(Slot slot) const { return !nodes_[slot].spec.id.empty(); }

  // Models seen so far, in words; an index is never used again for another model.
  std::vector<std::string> const& models() const { return models_; }
  // Gives the kind the next index, where it has none yet.
  void know_kind(GpuKind const& kind) { model_index(kind); }
  // Everything that is held, to build another cluster like this one.
  void for_held(std::function<void(AttemptId const&, Allocation const&)> const& each) const;
  std::vector<GpuKind> const& gpu_kinds() const { return gpu_kinds_; }  // by the same index
  bool has_instances() const { return has_instances_; }                 // of MIG, ever

  Totals totals() const;
  Totals totals(PoolId const& pool) const;

  // Counts everything anew and stops the process at any difference. For tests and simulation.
  void check_invariants() const;

 private:
  struct Held {
    Slot slot = 0;
    Allocation allocation;
  };
  struct Pool {
    std::vector<Slot> slots;
    std::uint64_t freed = 0;
  };

  ModelIndex model_index(GpuKind const& kind);
  Room room_of(NodeCapacity const& capacity);
  Status add(NodeSpec spec);
  Status change(Slot slot, NodeSpec spec);
  void keep_bandwidth_of(Node const& node, NodeCapacity& capacity) const;
  Result<Room> room_after(Node const& node, NodeCapacity const& capacity);
  Slot new_slot();
  void changed(Slot slot);
  void join_pool(Slot slot);
  void leave_pool(Slot slot);
  void add_to(Totals& totals, Node const& node) const;
  void check_node(Slot slot) const;

  std::vector<Node> nodes_;
  std::vector<Slot> unused_;
  std::map<NodeId, Slot> by_id_;
  std::map<std::uint64_t, Slot> by_order_;
  std::map<NodeId, std::vector<Slot>> slices_;  // by machine
  std::uint64_t last_order_ = 0;
  std::map<PoolId, Pool> pools_;  // a pool stays known when its last node leaves: freed never falls
  std::map<AttemptId, Held> held_;
  std::vector<std::string> models_;
  std::vector<GpuKind> gpu_kinds_;
  bool has_instances_ = false;
  std::vector<Slot> changes_;
  std::uint64_t first_change_ = 0;
  ClusterWatcher* watcher_ = nullptr;
};

}  // namespace lepton::deployer
