#pragma once
// Ranking: the shapes that admit one kind of request, best first by a policy, kept up to date as
// shapes change: only what changed since the last question is judged again. One heap per shelf,
// because a shelf's price may change without its nodes.
// Owned by the placer; one thread.

#include <cstdint>
#include <optional>
#include <vector>

#include "services/deployer/core/score.hpp"
#include "services/deployer/core/shapes.hpp"
#include "services/deployer/core/site.hpp"

namespace lepton::deployer {

// What a node, or the shape it stands for, is worth to a request. The better one comes first.
struct Rank {
  std::uint32_t preference = 0;  // place of the GPU model in the request's list
  std::uint32_t wishes = 0;      // wishes_missed() of the node
  std::int64_t cost = 0;         // cost_of() the node
  std::int64_t score = 0;        // after the price
  std::uint64_t tie = 0, order = 0;
  bool better_than(Rank const& o) const {
    if (preference != o.preference) return preference < o.preference;
    if (wishes != o.wishes) return wishes < o.wishes;
    if (cost != o.cost) return cost < o.cost;
    if (score != o.score) return score > o.score;
    return tie != o.tie ? tie < o.tie : order < o.order;
  }
};

inline std::uint32_t wishes_missed(Ask const& ask, Node const& node) {
  auto const& where = ask.request.where;
  auto missed = where.preferences.empty() && node.spec.taints.empty()
                    ? 0
                    : wishes_missed(where, node.spec.labels, node.spec.taints);
  if (!where.data.name.empty()) missed = missed << 1 | (has_data(where, node.spec.labels) ? 0 : 1);
  if (where.spot != SpotUse::preferred) return missed;
  return missed << 1 | (misses_spot(where, node.spec.capacity) ? 1 : 0);
}

// Of its price, or of the loss by the weights that the job gives to sites.
inline std::int64_t cost_of(Ask const& ask, Node const& node) {
  auto const& where = ask.request.where;
  auto const& capacity = node.spec.capacity;
  if (!where.site.any()) return cost_of(where, capacity);
  return site_loss_micro(where.site, node.spec.labels, capacity.price_per_hour_micro);
}

class Ranking {
 public:
  // All of them outlive the ranking.
  Ranking(Cluster const& cluster, Shapes const& shapes, ResourceRequest request, PoolId pool,
          bool ranked_models);
  Ranking(Ranking const&) = delete;
  Ranking& operator=(Ranking const&) = delete;

  struct Best {
    Shapes::Id shape = 0;
    Rank rank;
  };
  void update(Policy const& policy);
  // The best shape that is not hidden.
  std::optional<Best> best(Policy const& policy, ShelfRange range);
  // Of the shapes that are not hidden.
  ShelfRange range();
  // Leaves the best shape out until show() is called.
  void hide(Best const& best);
  void show();

  Ask const& ask() const { return ask_; }
  Shapes const& shapes() const { return shapes_; }
  std::uint64_t last_used = 0;  // for the owner, who keeps the latest

 private:
  struct Entry {
    std::int64_t cost = 0;
    std::int64_t score = 0;
    std::uint64_t tie = 0, order = 0;
    Shapes::Id shape = 0;
    std::uint32_t version = 0;
    bool operator<(Entry const& o) const;  // worse: for the heap functions of <algorithm>
  };
  struct Shelf {
    std::uint32_t preference = 0, wishes = 0;
    std::uint64_t shelf = 0;
    std::vector<Entry> heap;
  };
  struct Hidden {
    std::size_t shelf = 0;
    Entry entry;
  };

  void judge(Policy const& policy, Shapes::Id id);
  Shelf& shelf(std::uint32_t preference, std::uint32_t wishes, std::uint64_t shelf);
  bool stale(Entry const& e) const { return shapes_.version(e.shape) != e.version; }
  void drop_stale();
  bool clean(Shelf& s);

  Cluster const& cluster_;
  Shapes const& shapes_;
  ResourceRequest request_;
  PoolId pool_;
  Ask ask_;
  bool started_ = false;
  std::uint64_t seen_ = 0;             // changes of the shapes
  std::vector<std::uint64_t> judged_;  // by shape: in which update
  std::uint64_t updates_ = 0;
  std::size_t entries_ = 0;
  std::vector<Shelf> shelves_;
  std::vector<Hidden> hidden_;
};

}  // namespace lepton::deployer
