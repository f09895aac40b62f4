#pragma once
// Hold: the places of a job that waits for other work to end, taken piece by piece as they become
// free, so that nobody else gets them in between. What is held stands in the cluster under the
// attempts of the job's next round; capacity is never given out twice.
// Owned by the deployer's actor; one thread. In memory only: after a restart the job is planned
// anew.

#include <functional>
#include <vector>

#include "schemas/ids.hpp"
#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

// What of `wanted` is free in the room.
Allocation part_of(Room const& room, Allocation const& wanted);

// Whether what an attempt holds is never given back, as far as anybody knows.
using Stays = std::function<bool(AttemptId const&)>;

class Hold {
 public:
  // The attempts of the round to come, one for each place.
  Hold(std::vector<AttemptId> attempts, std::vector<Allocation> places);

  // Takes what has become free. True when all places are held whole.
  bool top_up(Cluster& cluster);
  // Whether a node of its places is not ready any more: then it will not do.
  bool is_broken(Cluster const& cluster) const;
  // Whether its places can never become whole as things stand: a node is gone, not in this pool or
  // too small by now. One whose word is late may come back.
  bool is_lost(Cluster const& cluster, PoolId const& pool) const;
  // Whether its places are whole once all has ended but what stays.
  bool can_be_whole(Cluster const& cluster, Stays const& stays) const;
  // To other places, which are free but for what it holds itself.
  void move(Cluster& cluster, std::vector<Allocation> places);
  void release(Cluster& cluster);
  std::vector<Allocation> const& places() const { return places_; }
  // Whether something of what is missing may come from this, which others hold.
  bool wants_of(Cluster const& cluster, Allocation const& held) const;
  // What it has by now, place by place; nothing of one: an empty allocation.
  std::vector<Allocation> has(Cluster const& cluster) const;
  // Gives all back for a moment, until the next top_up(); no word of room that was freed goes out.
  void step_aside(Cluster& cluster);

 private:
  Room room_in_the_end(Cluster const& cluster, Node const& node, Stays const& stays) const;

  std::vector<AttemptId> attempts_;
  std::vector<Allocation> places_;
  std::vector<bool> whole_;
};

}  // namespace lepton::deployer
