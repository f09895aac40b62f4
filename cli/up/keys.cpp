#include "cli/up/keys.hpp"

#include "common/bus/keys.hpp"
#include "common/crypto/entropy.hpp"

namespace lepton::cli {

Status prepare_keys(StackPlan& plan) {
  auto names = service_names();
  names.insert(names.end(), {"admin", "node"});
  crypto::SystemEntropy entropy;
  for (auto const& name : names) {
    auto const keys = bus::read_or_create_keys(plan.layout.keys(name), entropy);
    if (!keys) return keys.error();
    plan.public_keys[name] = keys->public_key;
  }
  return ok();
}

}  // namespace lepton::cli
