#pragma once
// Islands: devices of one node that share a fast link (NVLink, say). Whole GPUs of one task come
// from as few islands as they can, from the smallest that has room; a task may insist on one.
// Devices that name no island are of island 0. Pure.

#include <cstdint>
#include <vector>

#include "services/deployer/core/feasible.hpp"

namespace lepton::deployer {

// The most free whole devices of this model, with memory enough, that one island has.
std::uint32_t most_in_island(Room const& room, ModelIndex model, Ask const& ask);
// How many tasks that each insist on one island the devices of this model take.
std::uint64_t members_by_island(Room const& room, ModelIndex model, Ask const& ask);
// The whole devices that the task gets, rising; fewer than it asks for where there are no more.
std::vector<std::uint32_t> choose_devices(Room const& room, ModelIndex model, Ask const& ask);

}  // namespace lepton::deployer
