#pragma once
// The CURVE keys of a control plane: of each service, of its administrator and of its node. One
// thread. Errors as in common/bus/keys.hpp.

#include "cli/up/plan.hpp"

namespace lepton::cli {

// Reads them, or makes them at the first start; the plan then knows the public ones.
Status prepare_keys(StackPlan& plan);

}  // namespace lepton::cli
