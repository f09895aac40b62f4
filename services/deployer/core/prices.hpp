#pragma once
// What a node costs and whether its owner may take it away (spot), decided for one node. A node
// without a price costs nothing. Prices are of the whole node, whatever a task gets of it, in
// millionths of the site's currency an hour. Pure.

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "schemas/values.hpp"

namespace lepton::deployer {

// Refuses what no node could read a meaning into, with the field of the spec named.
Status check_prices(JobSpec const& spec);

bool within_price(Constraints const& c, NodeCapacity const& node);
bool may_use(Constraints const& c, NodeCapacity const& node);  // as a spot node, or as none
// Whether it is one that the job would rather have.
bool misses_spot(Constraints const& c, NodeCapacity const& node);
// What counts of its price before the score; 0 where the job does not ask for the cheapest.
std::int64_t cost_of(Constraints const& c, NodeCapacity const& node);

// Of an array or a service with an on_demand_base none goes to a spot node before so many others of
// it stand on nodes that are not: what the next of it asks for, when `on_demand` of them do.
ResourceRequest asked_now(JobSpec const& spec, std::uint32_t on_demand);

std::string price_in_words(std::int64_t per_hour_micro);  // "2.1"

}  // namespace lepton::deployer
