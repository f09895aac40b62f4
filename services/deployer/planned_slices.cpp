#include "services/deployer/planned_slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "services/deployer/core/slice.hpp"

namespace lepton::deployer {
namespace {

Hold hold_of(SliceCreate const& wanted, std::vector<Allocation> const& places) {
  std::vector<AttemptId> holders;
  for (std::uint32_t i = 0; i < places.size(); ++i)
    holders.push_back(holder_of(part_name(wanted, i)));
  return Hold(std::move(holders), places);
}

}  // namespace

NodeId part_name(SliceCreate const& m, std::uint32_t index) {
  return NodeId{m.parts == 1 ? m.name : fmt::format("{}-{}", m.name, index)};
}

void PlannedSlices::restore(actor::Rows const& rows) {
  for (auto& row : rows.of<PlannedSliceRow>()) {
    auto hold = hold_of(row.wanted, row.places);
    by_name_.emplace(row.name, Planned{row, std::move(hold)});
  }
}

void PlannedSlices::top_up() {
  for (auto& [name, planned] : by_name_) planned.hold.top_up(cluster_);
}

void PlannedSlices::add(SliceCreate const& wanted, std::vector<Allocation> places, Context& c) {
  PlannedSliceRow row{wanted.name, wanted, std::move(places)};
  auto hold = hold_of(row.wanted, row.places);
  c.upsert(row);
  by_name_.emplace(wanted.name, Planned{std::move(row), std::move(hold)});
  top_up();
}

PlannedSlices::Planned PlannedSlices::take(std::string const& name, Context& c) {
  auto node = by_name_.extract(name);
  c.erase(node.mapped().row);
  return std::move(node.mapped());
}

std::vector<Hold*> PlannedSlices::lenders(PoolId const& pool, WallMs ends_by_ms) {
  std::vector<Hold*> holds;
  for (auto& [name, planned] : by_name_)
    if (planned.row.wanted.from == pool && ends_by_ms <= planned.begins_at_ms())
      holds.push_back(&planned.hold);
  return holds;
}

bool PlannedSlices::has_part(NodeId const& node) const {
  for (auto const& [name, planned] : by_name_)
    for (std::uint32_t i = 0; i < planned.row.wanted.parts; ++i)
      if (part_name(planned.row.wanted, i) == node) return true;
  return false;
}

bool PlannedSlices::restricts(PoolId const& pool) const {
  return std::any_of(by_name_.begin(), by_name_.end(), [&](auto const& one) {
    auto const& wanted = one.second.row.wanted;
    return pool_of(wanted) == pool && is_restricted(wanted.window);
  });
}

std::vector<std::string> PlannedSlices::due(WallMs now_ms) {
  std::vector<std::string> names;
  for (auto& [name, planned] : by_name_)
    if (planned.begins_at_ms() <= now_ms && planned.hold.top_up(cluster_)) names.push_back(name);
  return names;
}

std::string PlannedSlices::kept_in(PoolId const& pool, WallMs now_ms) const {
  std::set<std::pair<WallMs, std::string>> by_time;
  for (auto const& [name, planned] : by_name_) {
    auto const held = planned.hold.has(cluster_);
    auto const has_some = [](Allocation const& a) { return !a.node.empty(); };
    if (planned.row.wanted.from == pool && std::any_of(held.begin(), held.end(), has_some))
      by_time.emplace(planned.begins_at_ms(), name);
  }
  std::string words;
  std::size_t told = 0;
  for (auto const& [begins_at_ms, name] : by_time) {
    auto const minutes = double(std::max<WallMs>(0, begins_at_ms - now_ms)) / 60'000.0;
    words += fmt::format("{}slice '{}' in {:.1f} min", told == 0 ? "; room is kept for " : ", ",
                         name, minutes);
    if (++told == 3 && by_time.size() > 3)
      return words + fmt::format(" and {} more", by_time.size() - 3);
  }
  return words;
}

bool PlannedSlices::wants(Allocation const& held) const {
  return std::any_of(by_name_.begin(), by_name_.end(),
                     [&](auto const& one) { return one.second.hold.wants_of(cluster_, held); });
}

}  // namespace lepton::deployer
