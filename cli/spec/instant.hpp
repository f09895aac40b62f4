#pragma once
// Instants as people write them:
//
//   instant = date "T" hours ":" minutes [ ":" seconds ] "Z"      2026-11-24T08:00Z, always UTC
//           / "+" duration                                       +2h, from `base` on
//
// Durations are those of specs (amounts.hpp). Errors: invalid, with the cure. Pure; any thread.

#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace lepton::cli {

Result<WallMs> parse_instant_ms(std::string const& text, WallMs base_ms);

}  // namespace lepton::cli
