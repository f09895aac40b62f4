#pragma once
// Credentials of an image's registry travel with a task's secrets under this name, from the vault
// over the deployer to the node's runner. Tasks do not see them.

namespace lepton {

inline constexpr char const* registry_secret = "LEPTON_REGISTRY_CREDENTIALS";

}  // namespace lepton
