#pragma once
// How a gang lies over the domains of a label, such as racks. Pack: all tasks in one domain, the
// tightest that takes them; nodes without the label are of none. Spread: each next task goes to a
// domain where the fewest of the gang are, as far as there is room; nodes without the label are one
// domain together. Looks at every node of the pool. Pure.

#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

// The draft may hold back room, but must not have taken tasks.
GangPlacement place_by_topology(Draft& draft, Cluster const& cluster, Ask const& ask,
                                Policy const& policy, std::uint32_t tasks);

}  // namespace lepton::deployer
