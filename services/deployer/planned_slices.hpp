#pragma once
// Slices that begin later: reservations. Their places are chosen so that what holds them now ends
// in time by its limits, and are kept piece by piece as they become free (core/hold), over restarts
// too. Until a slice begins, what it keeps is lent to work that ends before. Times are WallMs of
// the deployer's life (Deployer::instant). A part of Slices, on the deployer's thread.

#include <map>
#include <string>
#include <vector>

#include "common/actor/actor.hpp"
#include "services/deployer/core/backfill.hpp"
#include "services/deployer/core/hold.hpp"
#include "services/deployer/rows.hpp"

namespace lepton::deployer {

class PlannedSlices {
 public:
  using Context = actor::Context;
  static constexpr std::size_t planned_max = 1'000;
  struct Planned {
    PlannedSliceRow row;
    Hold hold;
    std::int64_t begins_at_ms() const { return row.wanted.window.begins_at_ms; }
  };

  explicit PlannedSlices(Cluster& cluster) : cluster_(cluster) {}

  void restore(actor::Rows const& rows);
  // In a new life, after what jobs hold.
  void top_up();
  void add(SliceCreate const& wanted, std::vector<Allocation> places, Context& c);
  // Without its places. The caller takes them at once, or gives them back by `hold`.
  Planned take(std::string const& name, Context& c);

  std::map<std::string, Planned> const& all() const { return by_name_; }
  // Those that begin no earlier than this work of the pool has ended.
  std::vector<Hold*> lenders(PoolId const& pool, WallMs ends_by_ms);
  // Whether a part of one is to be a node of this name.
  bool has_part(NodeId const& node) const;
  // Whether one of them will matter whose work it is there, or when that ends.
  bool restricts(PoolId const& pool) const;
  // Those that could begin: their time has come, and all of their places are theirs.
  std::vector<std::string> due(WallMs now_ms);
  // For people, behind a reason: which of them, the first three, have room of this pool by now, and
  // when they begin. Empty: none.
  std::string kept_in(PoolId const& pool, WallMs now_ms) const;
  // Whether this is to be a slice's when it is given back.
  bool wants(Allocation const& held) const;

 private:
  Cluster& cluster_;
  std::map<std::string, Planned> by_name_;
};

// Its parts as nodes.
NodeId part_name(SliceCreate const& m, std::uint32_t index);
inline bool is_restricted(SliceWindow const& w) {
  return w.ends_at_ms > 0 || !w.users.empty();
}
inline PoolId pool_of(SliceCreate const& m) {
  return m.pool.empty() ? PoolId{m.name} : m.pool;
}

}  // namespace lepton::deployer
