#pragma once
// What a node offers to work: what its machine has, as its settings name or limit it. Pure; at the
// start of the daemon. Errors: invalid, with the setting named.

#include "common/base/result.hpp"
#include "schemas/values.hpp"
#include "services/node/node_config.hpp"
#include "services/node/telemetry/machine.hpp"

namespace lepton::node {

Result<NodeCapacity> offer_of(NodeConfig const& config, MachineFacts const& facts);

}  // namespace lepton::node
