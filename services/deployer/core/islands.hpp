#pragma once
// Devices that are near each other: islands share a fast link (NVLink, say), NUMA nodes a part of
// the host's memory and CPUs. Whole GPUs of one task come from as few islands as they can, from the
// smallest that has room; a task may insist on one island, on one NUMA node, or on both. Devices
// that name no island are of island 0, those of which no NUMA node is known count as of one. Pure.

#include <cstdint>
#include <vector>

#include "services/deployer/core/feasible.hpp"

namespace lepton::deployer {

// The most free whole devices of this model, with memory enough, that are as near to each other as
// the task insists.
std::uint32_t most_together(Room const& room, ModelIndex model, Ask const& ask);
// How many tasks that each insist on it the devices of this model take.
std::uint64_t members_together(Room const& room, ModelIndex model, Ask const& ask);
// The whole devices that the task gets, rising; fewer than it asks for where there are no more.
std::vector<std::uint32_t> choose_devices(Room const& room, ModelIndex model, Ask const& ask);

}  // namespace lepton::deployer
