#pragma once
// Labels and taints as people write them.
//
//   rule  = [ "!" ] key [ "=" value *( "|" value ) ]      nvme, !spot, zone=eu-1|eu-2, !zone=eu-3
//   label = key "=" value                                 rack=r7
//   taint = key [ "=" value ]                             maintenance=planned
//
// Errors: invalid, with the cure. Pure; any thread.

#include <optional>
#include <string>
#include <utility>

#include "common/base/result.hpp"
#include "schemas/constraints.hpp"

namespace lepton::cli {

// Nothing for what is no label; the value may be empty.
std::optional<std::pair<std::string, std::string>> label_in(std::string const& text);
Result<LabelRule> parse_label_rule(std::string const& text);
Result<Taint> parse_taint(std::string const& text);
std::string text_of(Taint const& taint);

}  // namespace lepton::cli
