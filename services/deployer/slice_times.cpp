// Slices that begin and end: when their time has come, and whose work may start there.

#include "services/deployer/core/slice.hpp"
#include "services/deployer/slices.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {

void Slices::tick(Context& c) {
  auto const now = hooks_.now(c);
  drop_missed(now, c);
  for (auto const& name : planned_.due(now)) begin(name, c);
  if (restricted_.empty()) return;
  for (auto& [name, parts] : all()) {
    auto const ends = parts.front()->row.slice->window.ends_at_ms;
    if (ends > 0 && ends <= now) end(name, parts, c);
  }
}

// Their end has come before all of their room was there.
void Slices::drop_missed(WallMs now, Context& c) {
  std::vector<std::string> missed;
  for (auto const& [name, planned] : planned_.all())
    if (auto const ends = planned.row.wanted.window.ends_at_ms; ends > 0 && ends <= now)
      missed.push_back(name);
  for (auto const& name : missed) {
    auto planned = planned_.take(name, c);
    planned.hold.release(cluster_);
    c.audit(own_event("node/" + name, "deployer.slice.ended", AuditOutcome::failed,
                      "its end came before all of its room was free"));
    hooks_.room_changed(pool_of(planned.row.wanted), c);
  }
}

// A node may have come meanwhile into its pool, or that is called as one of its parts.
void Slices::begin(std::string const& name, Context& c) {
  auto planned = planned_.take(name, c);
  auto const& m = planned.row.wanted;
  auto good = check_pool(m);
  for (std::uint32_t i = 0; i < m.parts && good; ++i)
    if (nodes_.contains(part_name(m, i)))
      good = Error{Code::conflict, "there is a node '" + part_name(m, i).value + "' by now"};
  if (!good) {
    planned.hold.release(cluster_);
    c.audit(
        own_event("node/" + name, "deployer.slice.begun", AuditOutcome::failed, good.error().what));
    return hooks_.room_changed(pool_of(m), c);
  }
  for (std::uint32_t i = 0; i < m.parts; ++i) add(m, part_name(m, i), planned.row.places[i], c);
  c.audit(own_event("node/" + name, "deployer.slice.begun", AuditOutcome::done, ""));
  hooks_.room_changed(pool_of(m), c);
}

// Nothing starts there any more; it goes when the last has ended.
void Slices::end(std::string const& name, Parts const& parts, Context& c) {
  for (auto* part : parts)
    if (!cluster_.holders(part->row.node).empty()) return;
  auto const pool = parts.front()->row.pool;
  for (auto* part : parts) take_away(*part, c);
  c.audit(own_event("node/" + name, "deployer.slice.ended", AuditOutcome::done, ""));
  hooks_.room_changed(pool, c);
}

std::optional<std::string> Slices::objection(std::vector<Allocation> const& places,
                                             std::string const& owner, WallMs now,
                                             std::optional<WallMs> ends_by) const {
  if (restricted_.empty()) return std::nullopt;
  for (auto const& place : places) {
    auto const found = nodes_.find(place.node);
    if (found == nodes_.end() || !found->second.row.slice) continue;
    auto const& slice = *found->second.row.slice;
    if (auto why = deployer::objection(slice.window, slice.name, owner, now, ends_by)) return why;
  }
  return std::nullopt;
}

std::string Slices::any_in(PoolId const& pool) const {
  for (auto const& [id, link] : nodes_)
    if (link.row.slice &&
        (link.row.pool == pool || nodes_.at(link.row.slice->machine).row.pool == pool))
      return link.row.slice->name;
  for (auto const& [name, planned] : planned_.all())
    if (planned.row.wanted.from == pool || pool_of(planned.row.wanted) == pool) return name;
  return "";
}

}  // namespace lepton::deployer
