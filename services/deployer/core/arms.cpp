#include "services/deployer/core/arms.hpp"

#include <algorithm>
#include <map>

#include "services/deployer/core/baseline.hpp"
#include "services/deployer/core/fgd.hpp"

namespace lepton::deployer {

std::vector<PlacementPolicy> arms_of(PlacementPolicy setting) {
  using enum PlacementPolicy;
  LEPTON_CHECK(setting != unknown, "a placer needs a policy that is known");
  if (setting == bandit) return {foresight, fgd, best_fit, packing};
  return {setting};
}

std::unique_ptr<Policy> make_policy(PlacementPolicy arm, Mix const& mix,
                                    std::vector<std::string> const& models) {
  switch (arm) {
    case PlacementPolicy::fgd:
      return std::make_unique<Fgd>(typical_tasks(mix), models);
    case PlacementPolicy::best_fit:
      return std::make_unique<BestFit>();
    case PlacementPolicy::spread:
      return std::make_unique<Spread>();
    case PlacementPolicy::packing:
      return std::make_unique<Packing>();
    case PlacementPolicy::dotprod:
      return std::make_unique<DotProduct>();
    case PlacementPolicy::clustering:
      return std::make_unique<Clustering>();
    case PlacementPolicy::foresight:
    case PlacementPolicy::foresight_power:
    case PlacementPolicy::bandit:
    case PlacementPolicy::unknown:
      return nullptr;
  }
  return nullptr;
}

void Epoch::add(double stranded_milli, double placed_milli) {
  ++tasks_;
  stranded_milli_ += stranded_milli;
  placed_milli_ += placed_milli;
}

double Epoch::reward() const {
  if (placed_milli_ <= 0) return 0;
  return std::clamp(-stranded_milli_ / placed_milli_, -most_stranded, most_stranded);
}

double stranded_by(Cluster const& cluster, Outlook const& outlook,
                   std::vector<Allocation> const& members) {
  std::map<Slot, Room> rooms;
  double rise = 0;
  for (auto const& member : members) {
    auto const* node = cluster.find(member.node);
    LEPTON_CHECK(node != nullptr, "a placement is on a node that is not known");
    auto& room = rooms.try_emplace(node->slot, node->free).first->second;
    auto const before = outlook.stranded(Parts(room));
    LEPTON_CHECK(room.take(member).has_value(), "a placement does not fit");
    rise += outlook.stranded(Parts(room)) - before;
  }
  return rise;
}

}  // namespace lepton::deployer
