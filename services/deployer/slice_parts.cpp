// The parts of slices as nodes: what the cluster sees of them, and both books of what they have.

#include "common/base/planted.hpp"
#include "services/deployer/core/slice.hpp"
#include "services/deployer/slices.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

std::map<std::string, std::string> labels_for(NodeRow const& machine, std::string const& slice) {
  auto labels = labels_of(machine);
  labels[slice_label] = slice;
  return labels;
}

}  // namespace

// A slice that people drain is drained; else it is as its machine.
NodeSpec Slices::spec_of(NodeLink const& link) const {
  auto const& row = link.row;
  NodeSpec spec{row.node,  row.pool,       row.capacity,
                row.state, labels_of(row), std::uint64_t(row.queue_order),
                row.taints};
  if (!row.slice) return spec;
  auto const& machine = nodes_.at(row.slice->machine).row;
  spec.machine = machine.node;
  if (row.state != NodeState::draining) spec.state = machine.state;
  for (auto const& taint : machine.taints) put_taint(spec.taints, taint);
  return spec;
}

// Where it has its place it is held already, or there is room.
void Slices::add(SliceCreate const& m, NodeId const& id, Allocation place, Context& c) {
  auto const& machine = nodes_.at(place.node).row;
  auto const held = cluster_.reserve(holder_of(id), place);
  LEPTON_CHECK(held.has_value(), "a slice has a place where it does not fit");
  NodeLink part;
  part.row.node = id;
  part.row.pool = pool_of(m);
  part.row.engine = machine.engine;
  part.row.state = NodeState::ready;
  part.row.capacity = capacity_of(machine.capacity, place);
  part.row.labels = labels_for(machine, m.name);
  part.row.queue_order = std::int64_t(order_++);
  part.row.joined_at_ms = c.wall();
  part.row.slice = SliceOf{m.name, machine.node, std::move(place), m.window};
  auto const added = cluster_.upsert_node(spec_of(part));
  LEPTON_CHECK(added.has_value(), "a slice cannot be a node");
  c.upsert(part.row);
  count_restricted(part.row, true);
  nodes_.emplace(id, std::move(part));
}

void Slices::count_restricted(NodeRow const& row, bool comes) {
  if (!deployer::is_restricted(row.slice->window)) return;
  auto& parts = restricted_[row.pool];
  comes ? ++parts : --parts;
  if (parts == 0) restricted_.erase(row.pool);
}

// Nothing may be held in it.
void Slices::take_away(NodeLink& part, Context& c) {
  auto const id = part.row.node;
  c.erase(part.row);
  count_restricted(part.row, false);
  auto const removed = cluster_.remove_node(id);
  LEPTON_CHECK(removed.has_value(), "a part of a slice is in use");
  cluster_.release(holder_of(id));
  nodes_.erase(id);
}

// Both of its books, or neither.
Status Slices::give(NodeLink& part, Allocation const& held) {
  auto const before = part.row;
  auto const holder = holder_of(part.row.node);
  if (auto changed = cluster_.resize(holder, held); !changed)
    return Error{changed.error().code, "machine " + held.node.value + ": " + changed.error().what};
  part.row.slice->held = held;
  part.row.capacity = capacity_of(nodes_.at(held.node).row.capacity, held);
  auto changed = cluster_.upsert_node(spec_of(part));
  if (changed) return changed;
  part.row = before;
  auto const back = cluster_.resize(holder, before.slice->held);
  LEPTON_CHECK(back.has_value(), "what a slice had before is free no more");
  return changed;
}

void Slices::hold_all() {
  for (auto const& [id, link] : nodes_) {
    if (!link.row.slice || planted("slice_unheld")) continue;
    auto const held = cluster_.reserve(holder_of(id), link.row.slice->held);
    LEPTON_CHECK(held.has_value(), "a stored slice does not fit its machine");
    count_restricted(link.row, true);
  }
}

void Slices::machine_changed(NodeId const& machine, Context& c) {
  auto const& row = nodes_.at(machine).row;
  for (auto const& id : cluster_.slices_of(machine)) {
    auto& part = nodes_.at(id);
    auto const before = part.row;
    part.row.labels = labels_for(row, part.row.slice->name);
    part.row.capacity = capacity_of(row.capacity, part.row.slice->held);
    auto const changed = cluster_.upsert_node(spec_of(part));
    LEPTON_CHECK(changed.has_value(), "a slice cannot be what its machine has become");
    if (part.row.labels != before.labels || part.row.capacity != before.capacity)
      c.upsert(part.row);
  }
}

}  // namespace lepton::deployer
