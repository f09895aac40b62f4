#include "services/deployer/core/power_book.hpp"

#include <algorithm>
#include <set>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "services/deployer/core/watts.hpp"

namespace lepton::deployer {
namespace {

constexpr std::int64_t label_max = 100'000;

}  // namespace

std::int64_t full_watts(NodeSpec const& node, std::size_t gpu) {
  if (auto const label = node.labels.find("gpu_watts"); label != node.labels.end())
    if (auto const said = text::parse_int(label->second); said && *said > 0 && *said <= label_max)
      return *said;
  auto const& device = node.capacity.gpus.at(gpu);
  return model_watts(device.model, device.mig_profile);
}

void PowerBook::put(PowerDomain const& domain, std::int64_t cap_watts) {
  auto const is_new = !caps_.contains(domain);
  caps_[domain].cap_watts = cap_watts;
  ++freed_;
  if (is_new) look_anew();
}

bool PowerBook::remove(PowerDomain const& domain) {
  if (caps_.erase(domain) == 0) return false;
  ++freed_;
  look_anew();
  return true;
}

std::map<PowerDomain, PowerUse> const& PowerBook::uses() {
  follow();
  return caps_;
}

void PowerBook::follow() {
  if (caps_.empty()) return;
  if (next_change_ < cluster_.first_change()) return look_anew();
  std::set<Slot> changed;
  for (; next_change_ < cluster_.next_change(); ++next_change_)
    changed.insert(cluster_.changes()[next_change_ - cluster_.first_change()]);
  for (auto const slot : changed) look_at(slot);
}

void PowerBook::look_anew() {
  for (auto& [domain, use] : caps_) use.drawn_watts = 0, use.nodes = 0;
  seen_.clear();
  ++freed_;  // what was free meanwhile is not known
  next_change_ = cluster_.next_change();
  for (Slot slot = 0; slot < cluster_.slot_count(); ++slot) look_at(slot);
}

void PowerBook::forget(Slot slot) {
  auto& seen = seen_[slot];
  for (auto const& domain : seen.domains) {
    auto& use = caps_.at(domain);
    use.drawn_watts -= seen.drawn_watts;
    --use.nodes;
  }
  seen = {};
}

// What a slice has is in use on its machine, which draws the power for it.
void PowerBook::look_at(Slot slot) {
  if (slot >= seen_.size()) seen_.resize(cluster_.slot_count());
  auto const before = seen_[slot];
  forget(slot);
  auto const& node = cluster_.at(slot);
  if (!cluster_.in_use(slot) || !node.spec.machine.empty()) {
    if (before.drawn_watts > 0) ++freed_;
    return;
  }
  Seen now;
  for (std::size_t i = 0; i < node.spec.capacity.gpus.size(); ++i) {
    auto const watts = full_watts(node.spec, i);
    auto const used = node.free.devices()[i].free_milli < node.full.devices()[i].full_milli;
    now.drawn_watts += used ? watts : watts / idle_part;
  }
  for (auto const& [key, value] : node.spec.labels) {
    auto const cap = caps_.find({key, value});
    if (cap == caps_.end()) continue;
    now.domains.push_back(cap->first);
    cap->second.drawn_watts += now.drawn_watts;
    ++cap->second.nodes;
  }
  if (now.drawn_watts < before.drawn_watts || now.domains != before.domains) ++freed_;
  seen_[slot] = std::move(now);
}

// Each GPU that nothing uses yet, once.
std::map<PowerDomain, std::int64_t> PowerBook::added_by(
    std::vector<Allocation> const& places) const {
  std::set<std::pair<Slot, std::uint32_t>> woken;
  for (auto const& place : places) {
    auto const* node = cluster_.find(place.node);
    if (node == nullptr || !node->spec.machine.empty()) continue;
    for (auto const& share : place.gpus)
      if (auto const& device = node->free.devices().at(share.index);
          device.free_milli == device.full_milli)
        woken.insert({node->slot, share.index});
  }
  std::map<PowerDomain, std::int64_t> added;
  for (auto const& [slot, gpu] : woken) {
    auto const watts = full_watts(cluster_.at(slot).spec, gpu);
    for (auto const& domain : seen_.at(slot).domains) added[domain] += watts - watts / idle_part;
  }
  return added;
}

std::uint64_t PowerBook::freed() {
  follow();
  return freed_;
}

std::optional<PowerExcess> PowerBook::excess(std::vector<Allocation> const& places) {
  if (caps_.empty() || planted("cap_unasked")) return std::nullopt;
  follow();
  for (auto const& [domain, added] : added_by(places)) {
    auto const& use = caps_.at(domain);
    auto const left = std::max<std::int64_t>(0, use.cap_watts - use.drawn_watts);
    if (added > left) return PowerExcess{domain, added, left};
  }
  return std::nullopt;
}

}  // namespace lepton::deployer
