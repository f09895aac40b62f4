#pragma once
// The hostile network: what becomes of one message, and which links are cut. Links have a
// direction; a cut link also swallows what is under way on it. Pure but for its Chance; owned by
// World; one thread.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "common/base/random.hpp"
#include "common/base/time.hpp"
#include "common/sim/faults.hpp"

namespace lepton::sim {

using PartyIndex = std::uint32_t;

class Network {
 public:
  Network(std::uint64_t seed, Faults const& faults) : chance_(seed), faults_(faults) {}

  // The delays of the copies that arrive: none when it is lost, two when it is duplicated.
  struct Fate {
    std::size_t copies = 0;
    TimeMs delays[2] = {0, 0};
  };
  Fate draw();

  void cut(PartyIndex from, PartyIndex to, TimeMs until);
  bool is_cut(PartyIndex from, PartyIndex to, TimeMs now) const;
  void heal(Faults const& faults);

 private:
  TimeMs delay();
  Chance chance_;
  Faults faults_;
  std::map<std::pair<PartyIndex, PartyIndex>, TimeMs> cuts_;  // link to the time when it heals
};

}  // namespace lepton::sim
