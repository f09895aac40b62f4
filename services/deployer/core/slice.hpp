#pragma once
// Slices: a part of a machine that placement sees as a node (schemas/slice.hpp). What it has is
// held on the machine under a name of its own, and offered again as the capacity of a node that
// numbers its GPUs as the machine does, so that what is given there can be used without a
// translation. Pure. Units: CPU in thousandths of a core, memory and disk in MiB, GPU in
// thousandths of one.

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "schemas/slice.hpp"
#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

// Refuses a size that nothing could be, such as a share of several GPUs.
Status check_size(SliceSize const& size);
// With the fields of the change that are not below 0.
Result<SliceSize> meant(SliceSize size, SliceResize const& change);

// What is asked of the machine for one part; never of another slice.
ResourceRequest request_for(SliceSize const& size, std::vector<std::string> const& gpu_models);

// Who holds on the machine what a slice has: no attempt of a job can be called so.
AttemptId holder_of(NodeId const& slice);

// What a slice offers that holds this on the machine. Its price is the machine's, by the largest of
// its shares.
NodeCapacity capacity_of(NodeCapacity const& machine, Allocation const& held);
SliceSize size_of_slice(Allocation const& held);

// Why work of this owner may not start in the slice now; nothing: it may. `ends_by_ms`: when it has
// ended at the latest; nothing: nobody knows.
std::optional<std::string> objection(SliceWindow const& window, std::string const& slice,
                                     std::string const& owner, WallMs now_ms,
                                     std::optional<WallMs> ends_by_ms);

// Another size for a slice in use: what it would hold on its machine then. GPUs that are used stay,
// the others that it has come next; what is missing are more of the machine's, of the same model.
// `conflict`: more is used than would be left; `exhausted`: the machine lacks GPUs.
Result<Allocation> resized(Cluster const& cluster, Node const& slice, SliceSize const& size);

}  // namespace lepton::deployer
