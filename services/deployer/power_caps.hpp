#pragma once
// Power caps of people (schemas/power.hpp), kept as rows, and asked before each start (core/
// power_book). A part of the deployer, on its thread.

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "common/actor/actor.hpp"
#include "schemas/power.hpp"
#include "services/deployer/core/placer.hpp"
#include "services/deployer/core/power_book.hpp"

namespace lepton::deployer {

struct PowerCapRow {
  static constexpr std::string_view table = "power_cap";
  std::string key;
  std::string value;
  std::int64_t cap_watts = 0;

  static consteval auto fields() {
    using schema::field;
    using R = PowerCapRow;
    return schema::fields(field(1, "key", &R::key, "Key of the label.").key(),
                          field(2, "value", &R::value, "Its value.").key(),
                          field(3, "cap_watts", &R::cap_watts, "What its nodes' GPUs may draw."));
  }
};
static_assert(schema::complete<PowerCapRow>());

class PowerCaps {
 public:
  using Context = actor::Context;
  static constexpr std::size_t caps_max = 1'000;

  // `room_changed`: who waits may find room now.
  PowerCaps(Cluster& cluster, Placer& placer, std::function<void(Context&)> room_changed)
      : placer_(placer), book_(cluster), room_changed_(std::move(room_changed)) {}

  void restore(actor::Rows const& rows);
  Result<PowerCapLine> put(PowerCapPut const& m, Context& c);
  Result<PowerCapLine> remove(PowerCapRemove const& m, Context& c);
  Result<PowerCapPage> list(PowerCapList const& m, Context& c);

  bool empty() const { return book_.empty(); }
  // As Placer::place_gang(), where the caps allow it: domains that have too little left are left
  // out one after the other, and the request says so.
  GangPlacement place_gang(ResourceRequest& request, PoolId const& pool, std::uint32_t tasks);
  // Pools in which somebody was kept back for power since this was asked last.
  // Empty until power was freed somewhere.
  std::set<PoolId> take_short();
  void note_short(PoolId const& pool) { short_.insert(pool); }
  // The same for a look, or without caps.
  GangPlacement look_for(ResourceRequest request, PoolId const& pool, std::uint32_t tasks) {
    return empty() ? placer_.place_gang(request, pool, tasks) : place_gang(request, pool, tasks);
  }
  // Why nothing may start at these places; nothing: it may.
  std::optional<std::string> objection(std::vector<Allocation> const& places);

 private:
  Placer& placer_;
  PowerBook book_;
  std::function<void(Context&)> room_changed_;
  std::set<PoolId> short_;
  std::uint64_t freed_ = 0;  // PowerBook::freed when it was last looked at
};

}  // namespace lepton::deployer
