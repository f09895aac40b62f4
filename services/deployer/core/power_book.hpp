#pragma once
// Power caps: how much the GPUs of a rack, a row or a site (the nodes with one value of a label)
// may draw together. Counted as in the power model (power.hpp): a GPU draws its full power once any
// share of it is used, and its idle power before. What it draws at most stands in the label
// `gpu_watts` of its node, or is known by its model; one of which nobody knows it counts as the
// most there is. Follows the cluster by its list of changes, so that a question costs what has
// changed since. Owned by the deployer's actor; one thread. Units: watts.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

// The nodes with this label.
struct PowerDomain {
  std::string key;
  std::string value;

  auto operator<=>(PowerDomain const&) const = default;
};

struct PowerUse {
  std::int64_t cap_watts = 0;
  std::int64_t drawn_watts = 0;
  std::uint64_t nodes = 0;
};

// What starting there would need beyond what is left.
struct PowerExcess {
  PowerDomain domain;
  std::int64_t added_watts = 0;
  std::int64_t left_watts = 0;
};

// At most, of each GPU of the node at this place.
std::int64_t full_watts(NodeSpec const& node, std::size_t gpu);

class PowerBook {
 public:
  explicit PowerBook(Cluster const& cluster) : cluster_(cluster) {}

  void put(PowerDomain const& domain, std::int64_t cap_watts);
  bool remove(PowerDomain const& domain);
  bool empty() const { return caps_.empty(); }
  std::map<PowerDomain, PowerUse> const& uses();

  // Rises when somewhere less is drawn than before, or more may be.
  std::uint64_t freed();
  // The first domain whose cap does not allow work at these places; nothing: all do.
  std::optional<PowerExcess> excess(std::vector<Allocation> const& places);

 private:
  // Of one node, as it was last looked at.
  struct Seen {
    std::int64_t drawn_watts = 0;
    std::vector<PowerDomain> domains;
  };

  void follow();
  void look_anew();
  void look_at(Slot slot);
  void forget(Slot slot);
  std::map<PowerDomain, std::int64_t> added_by(std::vector<Allocation> const& places) const;

  Cluster const& cluster_;
  std::map<PowerDomain, PowerUse> caps_;
  std::vector<Seen> seen_;  // by slot
  std::uint64_t next_change_ = 0;
  std::uint64_t freed_ = 0;
};

}  // namespace lepton::deployer
