#pragma once
// What GPUs draw: known by model, as their makers name the board's power; one of which nobody knows
// it counts as the most there is. An idle GPU draws an eighth of it: those that Lettich et al.
// (CCGrid 2025) list lie between a fifth and a tenth. Read by power caps and by the policy that
// spares power.
// Pure. Units: watts.

#include <cstdint>
#include <string>

namespace lepton::deployer {

inline constexpr std::int64_t idle_part = 8;  // of its full power

// Under full load. A MIG instance of profile 2g.20gb draws two of seven parts; empty: a whole GPU.
std::int64_t model_watts(std::string const& model, std::string const& mig_profile = "");

}  // namespace lepton::deployer
