#include "services/deployer/core/gang.hpp"

#include <algorithm>

namespace lepton::deployer {
namespace {

constexpr char const* this_machine = "127.0.0.1";

bool is_loopback(std::string const& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

std::string label(GangPlace const& place, char const* name) {
  auto const found = place.labels.find(name);
  return found == place.labels.end() ? "" : found->second;
}

std::string address_of(GangPlace const& place, bool alone) {
  auto const address = label(place, "address");
  if (alone) return address.empty() ? this_machine : address;
  if (!address.empty() && !is_loopback(address)) return address;
  auto const hostname = label(place, "hostname");
  return hostname.empty() ? place.node.value : hostname;
}

}  // namespace

std::vector<GangMember> gang_members(std::vector<GangPlace> const& places, bool open) {
  auto const alone =
      !open && std::all_of(places.begin(), places.end(), [&](GangPlace const& place) {
        return place.node == places.front().node;
      });
  std::vector<GangMember> members;
  for (auto const& place : places) members.push_back({address_of(place, alone), place.port});
  return members;
}

}  // namespace lepton::deployer
