#pragma once
// The variables by which the task of a gang finds the others, in the words of torch.distributed
// (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT) and TensorFlow (TF_CONFIG). Pure.
//
// Each task is its own "node" to these launchers: its GPUs are numbered from 0 whatever else runs
// on the machine, so LOCAL_RANK is 0 and NODE_RANK is RANK.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/gang.hpp"

namespace lepton::node {

// Empty for a single task. Without ports there are neither MASTER_PORT nor TF_CONFIG.
std::map<std::string, std::string> gang_environment(std::uint32_t index,
                                                    std::vector<GangMember> const& gang);

// Of an elastic job, also of one that joins it later: how many tasks there are at least and at
// most, its number among them, and where the first of them is. The launcher finds out who is there
// (torch calls it a rendezvous), so there is no WORLD_SIZE.
std::map<std::string, std::string> elastic_environment(std::uint32_t index, std::uint32_t least,
                                                       std::uint32_t most,
                                                       std::vector<GangMember> const& gang);

}  // namespace lepton::node
