#pragma once
// Small clusters, requests and generators for the tests of the deployer's core.

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

NodeCapacity capacity(std::int64_t cpu, std::int64_t memory, std::uint32_t gpus = 0,
                      std::string const& model = "A100");
NodeSpec node(std::string id, NodeCapacity c, std::uint64_t order = 0);
Cluster cluster_of(std::vector<NodeSpec> const& nodes);
ResourceRequest ask_cpu(std::int64_t cpu, std::int64_t memory);
ResourceRequest ask_gpus(std::uint32_t gpus, std::uint32_t milli = 1000,
                         std::vector<std::string> models = {});

void must(Status const& s);

// Drawn by rapidcheck, so within a property only.
NodeCapacity any_capacity();
Constraints any_constraints();
ResourceRequest any_request();
NodeState any_state();
// Work that mostly wants GPUs, and machines that mostly have them: so that places are found, and
// found no more once they are taken. Half of all that is drawn is like that.
ResourceRequest plain_request(int gpus_most);
std::vector<NodeSpec> plain_nodes(int count);
std::vector<NodeSpec> any_nodes(int most);  // registration numbers in the order of the list

inline PoolId const default_pool{"default"};

}  // namespace lepton::deployer
