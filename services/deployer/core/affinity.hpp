#pragma once
// What a job says about the labels and taints of nodes, decided for one node. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/constraints.hpp"

namespace lepton::deployer {

using Labels = std::map<std::string, std::string>;

// Refuses what no node could read a meaning into, with the field of the spec named.
Status check_constraints(Constraints const& c, std::uint32_t tasks);
Status check_taint(Taint const& t);
Status check_label(std::string const& key, std::string const& value);

bool passes(LabelRule const& rule, Labels const& labels);
bool tolerates(Constraints const& c, Taint const& taint);

// How many hard taints keep the work away.
std::int64_t hard_taints(Constraints const& c, std::vector<Taint> const& taints);
std::int64_t requirements_met(Constraints const& c, Labels const& labels);
bool in_region(Constraints const& c, Labels const& labels);

// What the node leaves to be wished for; 0 is best. A soft taint that is not tolerated weighs more
// than all preferences, and each preference more than those after it.
std::uint32_t wishes_missed(Constraints const& c, Labels const& labels,
                            std::vector<Taint> const& taints);

// As specs write it: "zone=a|b", "!zone=a", "nvme", "!nvme".
std::string text_of(LabelRule const& rule);
std::string text_of(Taint const& taint);

}  // namespace lepton::deployer
