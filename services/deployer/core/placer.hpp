#pragma once
// Placer: placement decisions one after another on a cluster that changes in between. Keeps for
// each kind of request its ranking of nodes, and judges only those that changed since. With the
// default policy it also keeps the outlook on the mix of tasks and each pool's prices; the answers
// are those of place_gang() with policy(pool).
// Owned by the deployer's actor, beside its cluster, which must outlive it; one thread. Reads the
// cluster and changes nothing there: the caller reserves what comes back.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "services/deployer/core/foresight.hpp"
#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

class Placer {
 public:
  static constexpr std::size_t most_rankings = 512;  // per pool; then the longest unused goes

  // The default policy, Foresight. Without a mix it learns from observe(). Not ranked: the models
  // that a request names are equally welcome.
  explicit Placer(Cluster const& cluster);
  Placer(Cluster const& cluster, Mix const& mix, bool ranked_models = true);
  // The same, sparing power: an added watt counts as this many milli of stranded GPU.
  Placer(Cluster const& cluster, Mix const& mix, bool ranked_models, PowerModel const& power,
         double watt_milli);
  // A policy of the caller's, which must outlive the placer.
  Placer(Cluster const& cluster, Policy const& policy, bool ranked_models = true);
  ~Placer();

  // An arrival: once per job, before its first placement. The same arrivals give the same answers.
  // At growing intervals this works out the outlook anew: some milliseconds.
  void observe(ResourceRequest const& request, std::uint32_t tasks);

  // As place() and place_gang().
  Placement place(ResourceRequest const& request, PoolId const& pool);
  GangPlacement place_gang(ResourceRequest const& request, PoolId const& pool, std::uint32_t tasks);
  // The same without the reason: nothing where it does not fit.
  std::optional<std::vector<Allocation>> find(ResourceRequest const& request, PoolId const& pool,
                                              std::uint32_t tasks = 1);
  // As it stands: with the prices of this pool.
  Policy const& policy(PoolId const& pool);
  Outlook const* outlook() const { return outlook_.get(); }  // nothing under a caller's policy

 private:
  struct Pool;
  // Where a node was last seen.
  struct Seen {
    Pool* pool = nullptr;
    Shapes::Id shape = 0;
    std::array<Shapes::Id, 3> apart{};  // among those of Pool::apart that are there
    Shapes::Member member;
    Supply supply;
  };

  void look_ahead(Mix const& mix);
  void forget();
  void sync();
  void see(Slot slot);
  void unsee(Slot slot);
  Pool& pool(PoolId const& id);
  Policy const& current(Pool& pool);
  Shapes const& shapes_for(Pool& pool, ResourceRequest const& request, PoolId const& id);
  Ranking& ranking(Pool& pool, ResourceRequest const& request, PoolId const& id);
  bool fill(Draft& draft, Ranking& ranking, Policy const& policy, std::uint32_t tasks);

  Cluster const& cluster_;
  Policy const* fixed_ = nullptr;
  PowerModel const* power_ = nullptr;
  double watt_milli_ = 0;
  bool ranked_models_ = true;
  bool learning_ = false;
  MixCounter counter_;
  Mix mix_;
  std::uint64_t next_look_ = 0;  // arrivals
  std::unique_ptr<Outlook> outlook_;
  std::size_t models_ = 0;  // of the cluster, when the outlook was made
  std::map<PoolId, std::unique_ptr<Pool>> pools_;
  std::vector<Seen> seen_;
  std::uint64_t next_change_ = 0;  // of the cluster
  std::uint64_t uses_ = 0;
};

}  // namespace lepton::deployer
