#pragma once
// Labels and taints as people write them.
//
//   rule  = [ "!" ] key [ "=" value *( "|" value ) ]      nvme, !spot, zone=eu-1|eu-2, !zone=eu-3
//   label = key "=" value                                 rack=r7
//   taint = key [ "=" value ]                             maintenance=planned
//
// Errors: invalid, with the cure. Pure; any thread.

#include <string>

#include "common/base/result.hpp"
#include "schemas/constraints.hpp"

namespace lepton::cli {

Result<LabelRule> parse_label_rule(std::string const& text);
Result<Taint> parse_taint(std::string const& text);
std::string text_of(Taint const& taint);

}  // namespace lepton::cli
