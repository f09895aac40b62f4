#pragma once
// Placer: placement decisions one after another on a cluster that changes in between. Keeps for
// each kind of request its ranking of nodes, and judges only those that changed since. With the
// default policy it also keeps the outlook on the mix of tasks and each pool's prices; the answers
// are those of place_gang() with policy(pool). With a bandit the policy changes from one epoch to
// the next, by placed() and nothing else.
// Owned by the deployer's actor, beside its cluster, which must outlive it; one thread. Reads the
// cluster and changes nothing there: the caller reserves what comes back.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "services/deployer/core/arms.hpp"
#include "services/deployer/core/foresight.hpp"
#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

// What a placer has learned of the mix. One that is given it back places as this one does.
struct MixMemory {
  std::vector<ClassCount> counts;
  std::uint64_t seen = 0;
  std::uint64_t next_look = 0;
  Mix in_force;

  bool operator==(MixMemory const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = MixMemory;
    return schema::fields(
        field(1, "counts", &T::counts, "Arrivals by kind."),
        field(2, "seen", &T::seen, "Arrivals so far."),
        field(3, "next_look", &T::next_look, "The outlook is worked out anew after so many."),
        field(4, "in_force", &T::in_force, "The mix that the outlook was made of."));
  }
};
static_assert(schema::complete<MixMemory>());

class Placer {
 public:
  static constexpr std::size_t most_rankings = 512;  // per pool; then the longest unused goes

  // Without a mix it learns from observe(). Not ranked: the models that a request names are equally
  // welcome. The seed is the bandit's.
  explicit Placer(Cluster const& cluster, PlacementPolicy policy = PlacementPolicy::foresight,
                  std::uint64_t seed = 1);
  Placer(Cluster const& cluster, Mix const& mix, bool ranked_models = true,
         PlacementPolicy policy = PlacementPolicy::foresight, std::uint64_t seed = 1);
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
  Outlook const* outlook() const { return outlook_.get(); }  // nothing where no policy reads it
  MixMemory memory() const;
  void remember(MixMemory const& memory);  // of a placer that learns; this one must, too

  // What came back is about to be reserved: the bandit learns from it. Once per job, with the
  // cluster as it still stands.
  void placed(std::vector<Allocation> const& members);
  Bandit const* bandit() const { return bandit_ ? &*bandit_ : nullptr; }

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

  std::size_t arm() const { return bandit_ ? bandit_->chosen() : 0; }
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
  std::vector<PlacementPolicy> arms_;           // one, or those of the bandit
  std::vector<std::unique_ptr<Policy>> named_;  // by arm; nothing for foresight
  std::optional<Bandit> bandit_;
  Epoch epoch_;
  std::optional<PowerModel> power_;  // of foresight_power
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
