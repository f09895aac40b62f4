#include "services/deployer/core/islands.hpp"

#include <algorithm>
#include <map>

namespace lepton::deployer {
namespace {

// To the indexes of the devices that are near each other.
using Nearness = std::pair<std::int32_t, std::uint32_t>;  // NUMA node, island; 0 where none counts
using Islands = std::map<Nearness, std::vector<std::uint32_t>>;

Nearness nearness(Device const& d, Constraints const& where) {
  auto const by_numa = where.one_numa;
  return {by_numa ? d.numa : 0, where.one_island || !by_numa ? d.island : 0};
}

Islands free_islands(Room const& room, ModelIndex model, Ask const& ask) {
  Islands islands;
  for (std::uint32_t i = 0; i < room.devices().size(); ++i) {
    auto const& d = room.devices()[i];
    if (d.model == model && d.free_milli == whole_gpu && d.memory_mib >= ask.request.gpu_memory_mib)
      islands[nearness(d, ask.request.where)].push_back(i);
  }
  return islands;
}

}  // namespace

std::uint32_t most_together(Room const& room, ModelIndex model, Ask const& ask) {
  std::size_t most = 0;
  for (auto const& [near, devices] : free_islands(room, model, ask))
    most = std::max(most, devices.size());
  return static_cast<std::uint32_t>(most);
}

std::uint64_t members_together(Room const& room, ModelIndex model, Ask const& ask) {
  std::uint64_t members = 0;
  for (auto const& [near, devices] : free_islands(room, model, ask))
    members += devices.size() / std::max(1u, ask.request.gpus);
  return members;
}

// The smallest island that is enough; else the largest ones first, so that few are touched.
std::vector<std::uint32_t> choose_devices(Room const& room, ModelIndex model, Ask const& ask) {
  std::vector<std::vector<std::uint32_t>> islands;
  for (auto& [near, devices] : free_islands(room, model, ask))
    islands.push_back(std::move(devices));
  std::stable_sort(islands.begin(), islands.end(),
                   [](auto const& a, auto const& b) { return a.size() < b.size(); });
  auto const enough = std::find_if(islands.begin(), islands.end(), [&](auto const& devices) {
    return devices.size() >= ask.request.gpus;
  });
  if (enough != islands.end())
    std::rotate(islands.begin(), enough, enough + 1);
  else
    std::reverse(islands.begin(), islands.end());
  std::vector<std::uint32_t> chosen;
  for (auto const& devices : islands)
    for (auto i : devices)
      if (chosen.size() < ask.request.gpus) chosen.push_back(i);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace lepton::deployer
