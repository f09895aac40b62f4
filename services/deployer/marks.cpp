// What people say of nodes: labels, taints (schemas/node_marks.hpp), and that one is to be drained.
// What runs there goes on whatever they say; only new work reads it.

#include <algorithm>

#include "services/deployer/core/affinity.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

Status check_marks(NodeMark const& m) {
  for (auto const& [key, value] : m.labels)
    if (auto good = check_label(key, value); !good) return good;
  for (auto const& taint : m.taints)
    if (auto good = check_taint(taint); !good) return good;
  return ok();
}

void apply_marks(NodeMark const& m, NodeRow& row) {
  for (auto const& key : m.labels_removed) row.marked_labels.erase(key);
  for (auto const& [key, value] : m.labels) row.marked_labels[key] = value;
  for (auto const& key : m.taints_removed)
    std::erase_if(row.taints, [&](Taint const& t) { return t.key == key; });
  for (auto const& taint : m.taints) put_taint(row.taints, taint);
}

}  // namespace

Result<NodeMarked> Deployer::mark(NodeMark const& m, Context& c) {
  auto const found = nodes_.find(m.node);
  if (found == nodes_.end())
    return Error{Code::not_found,
                 "there is no node '" + m.node.value + "'; `lepton node list` shows all"};
  if (auto good = check_marks(m); !good) return good.error();
  auto& link = found->second;
  auto row = link.row;
  apply_marks(m, row);
  if (row.marked_labels.size() > labels_max || row.taints.size() > labels_max)
    return Error{Code::exhausted,
                 "a node has at most 64 labels that people set and 64 taints; take some away"};
  auto const before = std::exchange(link.row, std::move(row));
  // A node that offers less than is held there keeps its old capacity in the cluster.
  auto spec = cluster_.find(m.node)->spec;
  auto const marked = slices_.spec_of(link);
  spec.labels = marked.labels;
  spec.taints = marked.taints;
  if (auto changed = cluster_.upsert_node(std::move(spec)); !changed) {
    link.row = before;
    return changed.error();
  }
  c.upsert(link.row);
  slices_.machine_changed(m.node, c);
  c.note("labels", std::to_string(link.row.marked_labels.size()));
  c.note("taints", std::to_string(link.row.taints.size()));
  pass(c);
  return NodeMarked{m.node, labels_of(link.row), link.row.taints};
}

Result<NodeChanged> Deployer::drain(NodeDrain const& m, Context& c) {
  auto const found = nodes_.find(m.node);
  if (found == nodes_.end())
    return Error{Code::not_found,
                 "there is no node '" + m.node.value + "'; `lepton node list` shows all"};
  // A node that is not heard gets no work before it is; a slice is as its machine.
  auto& link = found->second;
  auto const back = link.silent || link.shrunk ? NodeState::suspect : NodeState::ready;
  if (m.drain || link.row.state == NodeState::draining)
    set_node_state(link, m.drain ? NodeState::draining : back, c);
  note_health(link, c);
  if (!m.drain) pass(c);
  return NodeChanged{m.node, found->second.row.state};
}

}  // namespace lepton::deployer
