// The list of all nodes, and those that people declare: simulated ones, in pools of their own.

#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t nodes_per_declaration_max = 500;

}  // namespace

Result<NodesDeclared> Deployer::declare(NodeDeclare const& m, Context& c) {
  if (m.pool.value == "default" || m.pool.empty())
    return Error{Code::invalid, "pool: simulated nodes need a pool of their own, not 'default'"};
  if (m.nodes.size() > nodes_per_declaration_max || nodes_.size() + m.nodes.size() > nodes_max)
    return Error{Code::invalid, "nodes: at most 500 in one message and 20,000 in all"};
  if (slices_.is_restricted(m.pool))
    return Error{Code::conflict, "pool: is of slices that end or are for some only"};
  for (auto const& node : m.nodes) {
    if (slices_.planned().has_part(node.node))
      return Error{Code::conflict, "node " + node.node.value + " is to be a slice later"};
    if (auto const known = nodes_.find(node.node);
        known != nodes_.end() && (!known->second.is_simulated() || known->second.row.slice ||
                                  known->second.row.pool != m.pool))
      return Error{Code::conflict,
                   "node " + node.node.value + " exists in another pool, or as a slice"};
  }
  if (auto added = add_declared(m, c); !added) return added.error();
  more_to_place_ = true;
  c.note("nodes", std::to_string(m.nodes.size()));
  return NodesDeclared{static_cast<std::uint32_t>(m.nodes.size())};
}

// All of them or none.
Status Deployer::add_declared(NodeDeclare const& m, Context& c) {
  std::map<NodeId, std::optional<NodeRow>> before;
  auto done = ok();
  for (auto const& node : m.nodes) {
    auto const known = nodes_.find(node.node);
    before.try_emplace(node.node,
                       known == nodes_.end() ? std::nullopt : std::optional(known->second.row));
    auto& link = nodes_[node.node];
    auto const order =
        link.row.queue_order == 0 ? std::int64_t(next_order_++) : link.row.queue_order;
    link.row = {node.node,
                m.pool,
                std::string(simulated_engine),
                NodeState::ready,
                node.capacity,
                {},
                order,
                "",
                c.wall(),
                link.row.marked_labels,
                link.row.taints,
                {}};
    if (done = upsert_node(link, c); !done) break;
  }
  if (done) {
    for (auto const& [id, row] : before) {
      c.upsert(nodes_.at(id).row);
      slices_.machine_changed(id, c);
    }
    return ok();
  }
  for (auto const& [id, row] : before) {
    if (row) {
      nodes_.at(id).row = *row;
      auto const restored = upsert_node(nodes_.at(id), c);
      LEPTON_CHECK(restored.has_value(), "a node could not be set back");
    } else {
      nodes_.erase(id);
      if (cluster_.find(id) != nullptr) {
        auto const removed = cluster_.remove_node(id);
        LEPTON_CHECK(removed.has_value(), "a node could not be taken back");
      }
    }
  }
  return done;
}

Result<PoolRemoved> Deployer::remove_pool(PoolRemove const& m, Context& c) {
  if (m.pool.value == "default")
    return Error{Code::invalid, "pool: 'default' is of real nodes and cannot be removed"};
  for (auto const& [id, link] : nodes_)
    if (link.row.pool == m.pool && !link.is_simulated())
      return Error{Code::conflict, "pool " + m.pool.value + " has real nodes; drain them instead"};
  if (auto const slice = slices_.any_in(m.pool); !slice.empty())
    return Error{Code::conflict, "pool " + m.pool.value + " has to do with slice '" + slice +
                                     "'; `lepton slice release " + slice + "` first"};
  PoolRemoved removed;
  for (auto& [id, job] : jobs_) {
    if (job.row.pool != m.pool || is_final(job.run.state)) continue;
    queue_.erase(id);
    apply_event(job, Cancel{"pool " + m.pool.value + " is removed"}, c);
    auto const members = job.run.members;
    for (std::uint32_t i = 0; i < members.size(); ++i)
      if (!is_final(members[i].state))
        apply_event(job,
                    Report{members[i].node, attempt_id(id, i, job.run.round), AttemptState::exited,
                           143, 0, "pool removed"},
                    c);
    ++removed.jobs;
  }
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    if (it->second.row.pool == m.pool && cluster_.remove_node(it->first)) {
      c.erase(it->second.row);
      it = nodes_.erase(it);
      ++removed.nodes;
    } else {
      ++it;
    }
  }
  return removed;
}

Result<NodePage> Deployer::list_nodes(NodeList const& m, Context&) {
  NodePage page;
  for (auto const& [id, link] : nodes_) {
    if (!m.pool.empty() && link.row.pool != m.pool) continue;
    auto const& node = *cluster_.find(id);
    auto const gpu_free = node.free.gpu_milli();
    ++page.total;
    if (page.nodes.size() >= m.limit) continue;
    auto const& machine = cluster_.machine_of(id);
    NodeView v{id, link.row.pool, node.spec.state, link.row.engine, link.row.capacity};
    v.cpu_milli_free = node.free.cpu_milli();
    v.memory_mib_free = node.free.memory_mib();
    v.gpu_milli_free = gpu_free;
    v.attempts = static_cast<std::uint32_t>(node.holders.size());
    v.heard_at_ms = nodes_.at(machine).heard_at_ms;
    auto const detail = link.row.labels.find("detail");
    v.detail = detail == link.row.labels.end() ? "" : detail->second;
    if (link.row.slice) {
      v.machine = machine;
      v.detail = "slice of " + machine.value;
    }
    v.labels = node.spec.labels;
    v.taints = node.spec.taints;
    page.nodes.push_back(std::move(v));
  }
  auto const totals = m.pool.empty() ? cluster_.totals() : cluster_.totals(m.pool);
  page.gpu_milli = totals.gpu_milli;
  page.gpu_milli_free = totals.gpu_milli_free;
  return page;
}

}  // namespace lepton::deployer
