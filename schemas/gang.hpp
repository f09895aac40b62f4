#pragma once
// What the tasks of a gang tell each other about where they are. The deployer knows the places, the
// node sets the variables.

#include <array>
#include <cstdint>
#include <string>

#include "common/schema/schema.hpp"

namespace lepton {

// Set for each task of a gang, in the words of torch.distributed and TensorFlow; a spec may not.
inline constexpr auto gang_variables =
    std::to_array<char const*>({"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK",
                                "MASTER_ADDR", "MASTER_PORT", "TF_CONFIG"});

// What the tasks of an elastic job are told of it: how many there are at least and at most.
inline constexpr char const* nodes_min_variable = "LEPTON_NODES_MIN";
inline constexpr char const* nodes_max_variable = "LEPTON_NODES_MAX";

// Where a task of a gang can be reached by the others.
struct GangMember {
  std::string address;
  std::uint32_t port = 0;

  bool operator==(GangMember const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = GangMember;
    return schema::fields(
        field(1, "address", &T::address, "Name or address of its node."),
        field(2, "port", &T::port, "Port that is the gang's; 0: none.").bounds(0, 65535));
  }
};
static_assert(schema::complete<GangMember>());

}  // namespace lepton
