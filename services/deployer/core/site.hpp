#pragma once
// Sites: how much a job loses by running on a node of a site, by weights of its own,
//
//   L = performance x (1 - P) + availability x (1 - A) + cost x C
//
// with P and A from the labels `performance` and `availability` of the node, 0 to 1 (not said: 0),
// and C what an hour of it costs. Tasks go where L is least, before any score; each task adds the L
// of its node and nothing else, so the sum over all is least, too (a property in the tests).
// Pure. Units: millionths; weights in thousandths.

#include <cstdint>
#include <vector>

#include "common/base/result.hpp"
#include "services/deployer/core/affinity.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

// With the field of the spec named.
Status check_site(Constraints const& c);

std::int64_t site_loss_micro(SiteWeights const& w, Labels const& labels,
                             std::int64_t price_per_hour_micro);
// Its parts by name, those that have a weight.
std::vector<Term> site_terms(SiteWeights const& w, Labels const& labels,
                             std::int64_t price_per_hour_micro);

}  // namespace lepton::deployer
