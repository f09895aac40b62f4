#include "services/deployer/core/shapes.hpp"

#include <algorithm>

namespace lepton::deployer {

namespace {

void put(std::string& key, std::int64_t value) {
  key.append(reinterpret_cast<char const*>(&value), sizeof value);
}

void put(std::string& key, std::string const& text) {
  put(key, static_cast<std::int64_t>(text.size()));
  key += text;
}

// Everything of a node that a rule, or a policy that judges by room, may read. The devices' order
// does not matter.
std::string key_of(Node const& node, Shapes::By by) {
  std::string key;
  auto const& free = node.free;
  key.reserve(64 + 24 * free.devices().size());
  for (auto const* room : {&free, &node.full}) {
    put(key, room->cpu_milli());
    put(key, room->memory_mib());
    put(key, room->disk_mib());
    put(key, room->bandwidth_mbit());
    put(key, room->ports().free());
  }
  put(key, static_cast<std::int64_t>(free.devices().size()));
  auto devices = free.devices();
  auto const fields = [](Device const& d) {
    return std::tuple(d.model, d.memory_mib, d.free_milli, d.island, d.numa, d.full_milli);
  };
  std::sort(devices.begin(), devices.end(),
            [&](Device const& a, Device const& b) { return fields(a) < fields(b); });
  for (auto const& d : devices) {
    put(key, std::int64_t{d.model} << 32 | std::int64_t{d.island} << 10 | d.free_milli);
    put(key, d.memory_mib << 22 | std::int64_t{d.full_milli} << 12 | (d.numa + 1));
  }
  for (auto const& t : node.spec.taints) {
    put(key, t.key);
    put(key, t.value);
    put(key, t.soft ? 1 : 0);
  }
  if (by.prices) {
    put(key, node.spec.capacity.price_per_hour_micro);
    put(key, node.spec.capacity.spot ? 1 : 0);
  }
  if (by.labels) {
    put(key, static_cast<std::int64_t>(node.spec.taints.size()));
    for (auto const& [name, value] : node.spec.labels) {
      put(key, name);
      put(key, value);
    }
  }
  return key;
}

}  // namespace

void Shapes::changed(Id id) {
  ++shapes_[id].version;
  changes_.push_back(id);
  if (changes_.size() <= 4 * std::max<std::size_t>(shapes_.size(), 4096)) return;
  auto const old = changes_.size() / 2;
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(old));
  first_change_ += old;
}

Shapes::Id Shapes::add(Node const& node, Slot slot) {
  auto key = key_of(node, by_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    auto id = static_cast<Id>(shapes_.size());
    if (unused_.empty()) {
      shapes_.emplace_back();
    } else {
      id = unused_.back();
      unused_.pop_back();
    }
    shapes_[id].key = key;
    found = by_key_.emplace(std::move(key), id).first;
  }
  auto const id = found->second;
  auto& members = shapes_[id].members;
  auto const at = members.insert({node.tie, node.spec.order, slot}).first;
  if (at == members.begin()) changed(id);
  return id;
}

void Shapes::remove(Id id, Member const& member) {
  auto& shape = shapes_[id];
  auto const at = shape.members.find(member);
  LEPTON_CHECK(at != shape.members.end(), "a node is missing in its shape");
  auto const first = at == shape.members.begin();
  shape.members.erase(at);
  if (first) changed(id);
  if (!shape.members.empty()) return;
  by_key_.erase(shape.key);
  unused_.push_back(id);
}

}  // namespace lepton::deployer
