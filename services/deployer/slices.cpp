#include "services/deployer/slices.hpp"

#include <fmt/format.h>

#include "common/bus/access/path.hpp"
#include "services/deployer/core/slice.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

NodeId part_name(SliceCreate const& m, std::uint32_t index) {
  return NodeId{m.parts == 1 ? m.name : fmt::format("{}-{}", m.name, index)};
}

std::map<std::string, std::string> labels_for(NodeRow const& machine, std::string const& slice) {
  auto labels = labels_of(machine);
  labels[slice_label] = slice;
  return labels;
}

Error not_there(std::string const& name) {
  return {Code::not_found, "there is no slice '" + name + "'; `lepton slice list` shows all"};
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

Result<SliceView> Slices::create(SliceCreate const& m, Context& c) {
  if (auto good = check(m); !good) return good.error();
  auto places = places_for(m);
  if (!places) return places.error();
  for (std::uint32_t i = 0; i < m.parts; ++i) {
    auto const added = add(m, part_name(m, i), std::move(places->at(i)), c);
    if (added) continue;
    while (i-- > 0) take_away(part_name(m, i));
    return added.error();
  }
  auto const parts = parts_of(m.name);
  for (auto const* part : *parts) c.upsert(part->row);
  c.note("parts", std::to_string(m.parts));
  room_changed_(c);
  return view_of(*parts);
}

Status Slices::check(SliceCreate const& m) const {
  if (!text::is_dns_label(m.name))
    return Error{Code::invalid, "name: '" + m.name.substr(0, 64) +
                                    "' is not a DNS label; write for example team-a"};
  if (auto good = check_size(m.size); !good) return good;
  if (!m.pool.empty())
    if (auto good = access::check_segment("pool", m.pool.value); !good) return good;
  if (nodes_.size() + m.parts > nodes_max)
    return Error{Code::exhausted, "there are at most 20,000 nodes, slices among them"};
  for (auto const& [id, link] : nodes_)
    if (link.row.slice && link.row.slice->name == m.name)
      return Error{Code::conflict, "there is a slice '" + m.name +
                                       "'; change it with `lepton slice resize`, or choose "
                                       "another name"};
  for (std::uint32_t i = 0; i < m.parts; ++i)
    if (auto const name = part_name(m, i); nodes_.contains(name))
      return Error{Code::conflict, "name: there is a node '" + name.value + "' already"};
  return ok();
}

Result<std::vector<Allocation>> Slices::places_for(SliceCreate const& m) {
  auto const request = request_for(m.size, m.gpu_models);
  if (!m.machine.empty()) return places_on(m.machine, request, m.parts);
  auto found = placer_.place_gang(request, m.from, m.parts);
  if (auto const* misfit = std::get_if<Misfit>(&found))
    return Error{misfit->never ? Code::invalid : Code::exhausted,
                 "no machine of pool '" + m.from.value + "' has room for it: " + misfit->what};
  return std::move(std::get<std::vector<Allocation>>(found));
}

Result<std::vector<Allocation>> Slices::places_on(NodeId const& machine,
                                                  ResourceRequest const& request,
                                                  std::uint32_t parts) {
  auto const* node = cluster_.find(machine);
  if (node == nullptr)
    return Error{Code::not_found,
                 "machine: there is no node '" + machine.value + "'; `lepton node list` shows all"};
  if (!node->spec.machine.empty())
    return Error{Code::invalid, "machine: '" + machine.value + "' is itself a slice, of " +
                                    node->spec.machine.value};
  Ask const ask(cluster_, request, node->spec.pool);
  Draft draft(cluster_);
  if (fill_on({node->slot}, draft, cluster_, ask, placer_.policy(node->spec.pool), parts))
    return std::move(draft.taken());
  auto const view = with_room(*node, draft.room(node->slot));
  auto const& rule = rules()[first_rejection(view, ask)];
  auto const unit = rule.unit.empty() ? "" : " " + std::string(rule.unit);
  return Error{Code::exhausted,
               fmt::format("machine {} takes {} of {} parts: {} ({} wanted, {} there{})",
                           machine.value, draft.taken().size(), parts, rule.phrase, rule.wants(ask),
                           rule.has(view, ask), unit)};
}

Status Slices::add(SliceCreate const& m, NodeId const& id, Allocation place, Context& c) {
  auto const& machine = nodes_.at(place.node).row;
  if (m.ports > 0) {
    auto const first = cluster_.find(place.node)->free.ports().lowest_free_run(m.ports);
    if (!first)
      return Error{Code::exhausted, fmt::format("ports: machine {} has no {} free ones in a row",
                                                place.node.value, m.ports)};
    for (std::uint32_t i = 0; i < m.ports; ++i) place.ports.push_back(*first + i);
  }
  auto const held = cluster_.reserve(holder_of(id), place);
  LEPTON_CHECK(held.has_value(), "a slice has a place where it does not fit");
  NodeLink part;
  part.row.node = id;
  part.row.pool = m.pool.empty() ? PoolId{m.name} : m.pool;
  part.row.engine = machine.engine;
  part.row.state = NodeState::ready;
  part.row.capacity = capacity_of(machine.capacity, place);
  part.row.labels = labels_for(machine, m.name);
  part.row.queue_order = std::int64_t(order_++);
  part.row.joined_at_ms = c.wall();
  part.row.slice = SliceOf{m.name, machine.node, std::move(place)};
  auto const added = cluster_.upsert_node(spec_of(part));
  LEPTON_CHECK(added.has_value(), "a slice cannot be a node");
  nodes_.emplace(id, std::move(part));
  return ok();
}

// Of a part in which nothing is held.
void Slices::take_away(NodeId const& id) {
  auto const removed = cluster_.remove_node(id);
  LEPTON_CHECK(removed.has_value(), "a part of a slice is in use");
  cluster_.release(holder_of(id));
  nodes_.erase(id);
}

Result<SliceView> Slices::resize(SliceResize const& m, Context& c) {
  auto const parts = parts_of(m.name);
  if (!parts) return parts.error();
  auto const from = size_of_slice(parts->front()->row.slice->held);
  auto const to = meant(from, m);
  if (!to) return to.error();
  if (*to == from) return Error{Code::conflict, "slice '" + m.name + "' has that size already"};
  std::vector<Allocation> before;
  for (auto* part : *parts) {
    auto const was = part->row.slice->held;
    auto next = resized(cluster_, *cluster_.find(part->row.node), *to);
    auto const given = next ? give(*part, *next) : Status(next.error());
    if (!given) {
      for (std::size_t i = 0; i < before.size(); ++i) {
        auto const back = give(*parts->at(i), before[i]);
        LEPTON_CHECK(back.has_value(), "what a slice had before is free no more");
      }
      return given.error();
    }
    before.push_back(was);
  }
  for (auto const* part : *parts) c.upsert(part->row);
  c.note("size", fmt::format("{:g} CPU, {} MiB, {:g} GPU", double(to->cpu_milli) / 1000.0,
                             to->memory_mib, double(to->gpus * to->gpu_milli) / 1000.0));
  room_changed_(c);
  return view_of(*parts);
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

Result<SliceReleased> Slices::release(SliceRelease const& m, Context& c) {
  auto const parts = parts_of(m.name);
  if (!parts) return parts.error();
  for (auto const* part : *parts)
    if (auto const used = cluster_.holders(part->row.node).size(); used > 0)
      return Error{Code::conflict,
                   fmt::format("{} attempts hold something in '{}'; end them with `lepton job "
                               "cancel`, or give it no new work with `lepton node drain {}` and "
                               "wait until they have ended",
                               used, part->row.node.value, part->row.node.value)};
  SliceReleased const released{m.name, static_cast<std::uint32_t>(parts->size())};
  for (auto const* part : *parts) {
    auto const id = part->row.node;
    c.erase(part->row);
    take_away(id);
  }
  c.note("parts", std::to_string(released.parts));
  room_changed_(c);
  return released;
}

Result<SlicePage> Slices::list(SliceList const& m, Context&) {
  std::map<std::string, Parts> by_name;
  for (auto& [id, link] : nodes_)
    if (link.row.slice && (m.name.empty() || link.row.slice->name == m.name))
      by_name[link.row.slice->name].push_back(&link);
  if (by_name.empty() && !m.name.empty()) return not_there(m.name);
  SlicePage page;
  for (auto const& [name, parts] : by_name) page.slices.push_back(view_of(parts));
  return page;
}

Result<Slices::Parts> Slices::parts_of(std::string const& name) {
  Parts parts;
  for (auto& [id, link] : nodes_)
    if (link.row.slice && link.row.slice->name == name) parts.push_back(&link);
  if (parts.empty()) return not_there(name);
  return parts;
}

SlicePart Slices::view_of(NodeLink const& part) const {
  auto const& node = *cluster_.find(part.row.node);
  SlicePart v{part.row.node, part.row.slice->machine, node.spec.state, part.row.slice->held.gpus};
  v.cpu_milli_free = node.free.cpu_milli();
  v.memory_mib_free = node.free.memory_mib();
  v.gpu_milli_free = node.free.gpu_milli();
  v.attempts = static_cast<std::uint32_t>(node.holders.size());
  return v;
}

SliceView Slices::view_of(Parts const& parts) const {
  auto const& row = parts.front()->row;
  SliceView v{row.slice->name, row.pool, size_of_slice(row.slice->held), {}};
  for (auto const* part : parts) v.parts.push_back(view_of(*part));
  return v;
}

void Slices::hold_all() {
  for (auto const& [id, link] : nodes_) {
    if (!link.row.slice) continue;
    auto const held = cluster_.reserve(holder_of(id), link.row.slice->held);
    LEPTON_CHECK(held.has_value(), "a stored slice does not fit its machine");
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

std::string Slices::any_in(PoolId const& pool) const {
  for (auto const& [id, link] : nodes_)
    if (link.row.slice &&
        (link.row.pool == pool || nodes_.at(link.row.slice->machine).row.pool == pool))
      return link.row.slice->name;
  return "";
}

}  // namespace lepton::deployer
