#pragma once
// Bandwidth as people write it, in specs and in the settings of a node. Grammar (no spaces inside):
//
//   bandwidth = number ( "Mbit" / "Gbit" / "Tbit" )                        10Gbit, 2.5Gbit, 800Mbit
//
// Per second, in powers of 1000 as the makers of networks use them; rounded up to whole Mbit/s.
// Bytes are refused: "10Gb" and "10GB" mean different things to different people.
// Errors: invalid, with the cure. Pure; any thread.

#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"

namespace lepton {

inline constexpr std::int64_t bandwidth_mbit_max = 1'000'000'000;

Result<std::int64_t> parse_bandwidth_mbit(std::string_view text);

}  // namespace lepton
