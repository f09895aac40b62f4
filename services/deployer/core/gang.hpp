#pragma once
// Where the tasks of a gang find each other. Pure.

#include <map>
#include <string>
#include <vector>

#include "schemas/gang.hpp"
#include "schemas/ids.hpp"

namespace lepton::deployer {

struct GangPlace {
  NodeId node;
  std::map<std::string, std::string> labels;  // of the node: address and hostname count
  std::uint32_t port = 0;                     // the gang's own of the task; 0: none
};

// In the order of the tasks. A node is known by its address; where that is one of this machine
// alone (the node stands beside the deployer) and the gang is on others too, by its host name.
// With `open` others may join from elsewhere: then no address is of this machine alone.
std::vector<GangMember> gang_members(std::vector<GangPlace> const& places, bool open = false);

}  // namespace lepton::deployer
