#include "services/deployer/core/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/random.hpp"
#include "schemas/mig.hpp"

namespace lepton::deployer {

namespace {

Error no_node(NodeId const& id) {
  return {Code::not_found, fmt::format("node {} is not known", id.value)};
}

Status check_spec(NodeSpec const& s) {
  auto const bad = [&](std::string_view why) {
    return Error{Code::invalid, fmt::format("node '{}' {}", s.id.value, why)};
  };
  auto const& c = s.capacity;
  if (s.id.empty()) return bad("has no name");
  if (s.pool.empty()) return bad("has no pool");
  if (c.cpu_milli < 0 || c.memory_mib < 0 || c.disk_mib < 0 || c.bandwidth_mbit < 0)
    return bad("has a negative capacity");
  if (c.price_per_hour_micro < 0 || c.price_per_hour_micro > price_micro_max)
    return bad("has a price below 0 or above a million an hour");
  if (c.gpus.size() > 1024) return bad("has more than 1024 GPUs");
  for (auto const& gpu : c.gpus) {
    if (gpu.numa < -1 || gpu.numa > 1023) return bad("has a GPU on a NUMA node beyond 1023");
    if (gpu.milli > whole_gpu) return bad("offers more of a GPU than all of it");
    if (gpu.milli < whole_gpu && s.machine.empty())
      return bad("offers a part of a GPU, which only slices do");
    if (!gpu.mig_profile.empty() && !is_mig_profile(gpu.mig_profile))
      return bad(
          fmt::format("has a MIG instance of profile '{}', which is none; write for example "
                      "1g.10gb",
                      gpu.mig_profile.substr(0, 64)));
  }
  if (std::uint64_t{c.port_first} + c.port_count > 65536) return bad("offers ports above 65535");
  return ok();
}

}  // namespace

std::size_t kind_of(Allocation const& a) {
  return kind_of(static_cast<std::uint32_t>(a.gpus.size()), a.gpus.empty() ? 0 : a.gpus[0].milli);
}

std::size_t kind_of(std::uint32_t gpus, std::uint32_t gpu_milli) {
  if (gpus <= 1) return gpus == 0 ? 0 : gpu_milli < whole_gpu ? 1 : 2;
  return gpus == 2 ? 3 : gpus <= 4 ? 4 : 5;
}

std::string text_of(GpuKind const& kind) {
  return kind.mig_profile.empty() ? kind.model : kind.model + " " + kind.mig_profile;
}

void Cluster::changed(Slot slot) {
  ++nodes_[slot].version;
  changes_.push_back(slot);
  if (changes_.size() <= 2 * std::max<std::size_t>(nodes_.size(), 4096)) return;
  auto const old = changes_.size() / 2;
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(old));
  first_change_ += old;
}

ModelIndex Cluster::model_index(GpuKind const& kind) {
  auto const i = std::find(gpu_kinds_.begin(), gpu_kinds_.end(), kind) - gpu_kinds_.begin();
  if (static_cast<std::size_t>(i) == gpu_kinds_.size()) {
    gpu_kinds_.push_back(kind);
    models_.push_back(text_of(kind));
    has_instances_ = has_instances_ || !kind.mig_profile.empty();
    if (watcher_ != nullptr) watcher_->kind_is(kind);
  }
  return static_cast<ModelIndex>(i);
}

Room Cluster::room_of(NodeCapacity const& capacity) {
  std::vector<ModelIndex> models;
  models.reserve(capacity.gpus.size());
  for (auto const& g : capacity.gpus) models.push_back(model_index({g.model, g.mig_profile}));
  return Room(capacity, models);
}

Status Cluster::upsert_node(NodeSpec spec) {
  if (auto good = check_spec(spec); !good) return good;
  auto const known = by_id_.find(spec.id);
  return known == by_id_.end() ? add(std::move(spec)) : change(known->second, std::move(spec));
}

Slot Cluster::new_slot() {
  if (unused_.empty()) {
    nodes_.emplace_back();
    return static_cast<Slot>(nodes_.size() - 1);
  }
  auto const slot = unused_.back();
  unused_.pop_back();
  return slot;
}

Status Cluster::add(NodeSpec spec) {
  if (spec.order == 0) spec.order = last_order_ + 1;
  if (by_order_.contains(spec.order))
    return Error{Code::conflict, fmt::format("node {} has registration number {}, which is taken",
                                             spec.id.value, spec.order)};
  last_order_ = std::max(last_order_, spec.order);
  auto const slot = new_slot();
  auto tie = spec.order;  // neighbours in order become strangers in tie
  auto& node = nodes_[slot];
  // A slot may be used again: its version goes on, so that a cache never takes the new for the old.
  node = Node{{}, splitmix(tie), node.version, {}, {}, {}, {}, slot};
  node.free = node.full = room_of(spec.capacity);
  by_id_[spec.id] = slot;
  by_order_[spec.order] = slot;
  node.spec = std::move(spec);
  if (!node.spec.machine.empty()) slices_[node.spec.machine].push_back(slot);
  join_pool(slot);
  changed(slot);
  if (watcher_ != nullptr) watcher_->node_is(node.spec);
  return ok();
}

// What would be free under another capacity, with everything that is held still in its place.
Result<Room> Cluster::room_after(Node const& node, NodeCapacity const& capacity) {
  auto const refuse = [&](AttemptId const& attempt, std::string_view why) {
    return Error{Code::conflict,
                 fmt::format("node {} now offers less than attempt {} holds there ({}); drain the "
                             "node, or let the attempt end, and register it again",
                             node.spec.id.value, attempt.value, why)};
  };
  auto room = room_of(capacity);
  for (auto const& attempt : node.holders) {
    auto const& held = held_.at(attempt).allocation;
    for (auto const& s : held.gpus) {
      auto const i = s.index;
      if (i < capacity.gpus.size() && capacity.gpus[i].uuid != node.spec.capacity.gpus[i].uuid)
        return refuse(attempt, fmt::format("GPU {} is another device", i));
    }
    if (auto taken = room.take(held); !taken) return refuse(attempt, taken.error().what);
  }
  return room;
}

// A link that has come back slower takes nothing from what runs: bandwidth is only counted.
void Cluster::keep_bandwidth_of(Node const& node, NodeCapacity& capacity) const {
  std::int64_t held = 0;
  for (auto const& attempt : node.holders) held += held_.at(attempt).allocation.bandwidth_mbit;
  capacity.bandwidth_mbit = std::max(capacity.bandwidth_mbit, held);
}

Status Cluster::change(Slot slot, NodeSpec spec) {
  auto& node = nodes_[slot];
  if (spec.order != 0 && spec.order != node.spec.order)
    return Error{Code::conflict, fmt::format("node {} is registered as number {}, not {}",
                                             spec.id.value, node.spec.order, spec.order)};
  if (spec.machine != node.spec.machine)
    return Error{Code::conflict, fmt::format("node {} cannot become a slice of another machine, or "
                                             "a slice at all",
                                             spec.id.value)};
  spec.order = node.spec.order;
  keep_bandwidth_of(node, spec.capacity);
  auto room = room_after(node, spec.capacity);
  if (!room) return room.error();
  leave_pool(slot);
  node.free = std::move(*room);
  node.full = room_of(spec.capacity);
  node.spec = std::move(spec);
  join_pool(slot);
  changed(slot);
  if (watcher_ != nullptr) watcher_->node_is(node.spec);
  return ok();
}

void Cluster::join_pool(Slot slot) {
  auto& pool = pools_[nodes_[slot].spec.pool];
  auto const at =
      std::lower_bound(pool.slots.begin(), pool.slots.end(), nodes_[slot].spec.order,
                       [&](Slot s, std::uint64_t order) { return nodes_[s].spec.order < order; });
  pool.slots.insert(at, slot);
  ++pool.freed;
}

void Cluster::leave_pool(Slot slot) {
  auto& slots = pools_.at(nodes_[slot].spec.pool).slots;
  slots.erase(std::find(slots.begin(), slots.end(), slot));
}

Status Cluster::set_state(NodeId const& id, NodeState state) {
  auto const found = by_id_.find(id);
  if (found == by_id_.end()) return no_node(id);
  auto& node = nodes_[found->second];
  if (node.spec.state == state) return ok();
  node.spec.state = state;
  changed(found->second);
  if (state == NodeState::ready) ++pools_.at(node.spec.pool).freed;
  if (watcher_ != nullptr) watcher_->node_is(node.spec);
  return ok();
}

Status Cluster::remove_node(NodeId const& id) {
  auto const found = by_id_.find(id);
  if (found == by_id_.end()) return no_node(id);
  auto const slot = found->second;
  auto& node = nodes_[slot];
  if (!node.holders.empty())
    return Error{Code::conflict,
                 fmt::format("node {} still holds {} attempts, the first is {}; drain it first",
                             id.value, node.holders.size(), node.holders.front().value)};
  leave_pool(slot);
  if (auto const of = slices_.find(node.spec.machine); of != slices_.end())
    std::erase(of->second, slot);
  by_order_.erase(node.spec.order);
  by_id_.erase(found);
  node = Node{{}, 0, node.version, {}, {}, {}, {}, slot};
  changed(slot);
  unused_.push_back(slot);
  if (watcher_ != nullptr) watcher_->node_gone(id);
  return ok();
}

Status Cluster::reserve(AttemptId const& attempt, Allocation const& allocation) {
  if (attempt.empty()) return Error{Code::invalid, "an attempt without an identity"};
  if (auto const h = held_.find(attempt); h != held_.end()) {
    if (h->second.allocation == allocation) return ok();
    return Error{Code::conflict, fmt::format("attempt {} holds another allocation, on node {}",
                                             attempt.value, h->second.allocation.node.value)};
  }
  auto const found = by_id_.find(allocation.node);
  if (found == by_id_.end()) return no_node(allocation.node);
  auto& node = nodes_[found->second];
  if (auto taken = node.free.take(allocation); !taken)
    return Error{taken.error().code,
                 fmt::format("node {}: {}", allocation.node.value, taken.error().what)};
  held_.emplace(attempt, Held{found->second, allocation});
  node.holders.insert(std::upper_bound(node.holders.begin(), node.holders.end(), attempt), attempt);
  ++node.residents[kind_of(allocation)];
  changed(found->second);
  if (watcher_ != nullptr) watcher_->holds(attempt, allocation);
  return ok();
}

Status Cluster::grow(AttemptId const& attempt, Allocation const& allocation) {
  auto const h = held_.find(attempt);
  if (h == held_.end() || h->second.allocation.node != allocation.node)
    return Error{Code::conflict, fmt::format("attempt {} holds nothing on node {}", attempt.value,
                                             allocation.node.value)};
  auto& node = nodes_[h->second.slot];
  auto room = node.free;
  room.give(h->second.allocation);
  if (auto taken = room.take(allocation); !taken) return taken;
  node.free = std::move(room);
  --node.residents[kind_of(h->second.allocation)];
  ++node.residents[kind_of(allocation)];
  h->second.allocation = allocation;
  changed(h->second.slot);
  if (watcher_ != nullptr) watcher_->holds(attempt, allocation);
  return ok();
}

Status Cluster::resize(AttemptId const& attempt, Allocation const& allocation) {
  if (auto changed = grow(attempt, allocation); !changed) return changed;
  ++pools_.at(nodes_[held_.at(attempt).slot].spec.pool).freed;
  return ok();
}

bool Cluster::release(AttemptId const& attempt) {
  auto const h = held_.find(attempt);
  if (h == held_.end()) return false;
  auto& node = nodes_[h->second.slot];
  node.free.give(h->second.allocation);
  if (planted("capacity_released_twice")) node.free.give(h->second.allocation);
  auto const at = std::lower_bound(node.holders.begin(), node.holders.end(), attempt);
  LEPTON_CHECK(at != node.holders.end() && *at == attempt, "a holder is missing on its node");
  node.holders.erase(at);
  --node.residents[kind_of(h->second.allocation)];
  changed(h->second.slot);
  ++pools_.at(node.spec.pool).freed;
  if (watcher_ != nullptr) watcher_->released(attempt);
  held_.erase(h);
  return true;
}

Allocation const* Cluster::held(AttemptId const& attempt) const {
  auto const h = held_.find(attempt);
  return h == held_.end() ? nullptr : &h->second.allocation;
}

std::vector<AttemptId> Cluster::holders(NodeId const& id) const {
  auto const* node = find(id);
  return node ? node->holders : std::vector<AttemptId>{};
}

std::vector<NodeId> Cluster::slices_of(NodeId const& machine) const {
  std::vector<NodeId> ids;
  if (auto const found = slices_.find(machine); found != slices_.end())
    for (auto const slot : found->second) ids.push_back(nodes_[slot].spec.id);
  return ids;
}

std::vector<AttemptId> Cluster::holders_on_machine(NodeId const& id) const {
  auto all = holders(id);
  for (auto const& slice : slices_of(id)) {
    auto const& more = find(slice)->holders;
    all.insert(all.end(), more.begin(), more.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

NodeId const& Cluster::machine_of(NodeId const& id) const {
  auto const* node = find(id);
  return node == nullptr || node->spec.machine.empty() ? id : node->spec.machine;
}

void Cluster::for_held(std::function<void(AttemptId const&, Allocation const&)> const& each) const {
  for (auto const& [attempt, held] : held_) each(attempt, held.allocation);
}

Node const* Cluster::find(NodeId const& id) const {
  auto const found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &nodes_[found->second];
}

std::vector<Slot> const& Cluster::pool(PoolId const& pool) const {
  static std::vector<Slot> const none;
  auto const found = pools_.find(pool);
  return found == pools_.end() ? none : found->second.slots;
}

std::vector<PoolId> Cluster::pools() const {
  std::vector<PoolId> ids;
  for (auto const& [id, pool] : pools_)
    if (!pool.slots.empty()) ids.push_back(id);
  return ids;
}

std::uint64_t Cluster::freed(PoolId const& pool) const {
  auto const found = pools_.find(pool);
  return found == pools_.end() ? 0 : found->second.freed;
}

void Cluster::add_to(Totals& t, Node const& n) const {
  ++t.nodes;
  t.ready_nodes += n.spec.state == NodeState::ready ? 1 : 0;
  t.cpu_milli += n.full.cpu_milli();
  t.cpu_milli_free += n.free.cpu_milli();
  t.memory_mib += n.full.memory_mib();
  t.memory_mib_free += n.free.memory_mib();
  t.gpu_milli += n.full.gpu_milli();
  t.gpu_milli_free += n.free.gpu_milli();
  for (auto const& g : n.free.groups()) t.gpus_whole_free += g.whole_free;
  auto const slices = slices_.find(n.spec.id);
  if (slices == slices_.end()) return;
  for (auto const slot : slices->second) {
    auto const& given = nodes_[slot].full;
    t.cpu_milli -= given.cpu_milli();
    t.memory_mib -= given.memory_mib();
    t.gpu_milli -= given.gpu_milli();
  }
}

Totals Cluster::totals() const {
  Totals t;
  for (auto const& [id, pool] : pools_)
    for (auto slot : pool.slots) add_to(t, nodes_[slot]);
  return t;
}

Totals Cluster::totals(PoolId const& id) const {
  Totals t;
  for (auto slot : pool(id)) add_to(t, nodes_[slot]);
  return t;
}

}  // namespace lepton::deployer
