#include "common/sim/network.hpp"

#include <algorithm>

namespace lepton::sim {

TimeMs Network::delay() {
  auto const within = [this](TimeMs low, TimeMs high) {
    return low + static_cast<TimeMs>(chance_.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  if (faults_.slow > 0 && chance_.happens(faults_.slow))
    return within(faults_.delay_min_ms, std::max(faults_.delay_min_ms, faults_.slow_max_ms));
  return within(faults_.delay_min_ms, std::max(faults_.delay_min_ms, faults_.delay_max_ms));
}

Network::Fate Network::draw() {
  Fate fate;
  if (faults_.loss > 0 && chance_.happens(faults_.loss)) return fate;
  fate.copies = faults_.duplicate > 0 && chance_.happens(faults_.duplicate) ? 2 : 1;
  for (std::size_t i = 0; i < fate.copies; ++i) fate.delays[i] = delay();
  return fate;
}

void Network::cut(PartyIndex from, PartyIndex to, TimeMs until) {
  auto& healed_at = cuts_[{from, to}];
  healed_at = std::max(healed_at, until);
}

bool Network::is_cut(PartyIndex from, PartyIndex to, TimeMs now) const {
  if (cuts_.empty()) return false;
  auto const found = cuts_.find({from, to});
  return found != cuts_.end() && now < found->second;
}

void Network::heal(Faults const& faults) {
  faults_ = faults;
  cuts_.clear();
}

}  // namespace lepton::sim
