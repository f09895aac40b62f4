#pragma once
// The nodes that could take a task, best first, with what the cost of each is made of: for
// explanations. Pure; looks at every node of the pool.

#include <cstdint>
#include <vector>

#include "schemas/explain.hpp"
#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

// As messages and rows name them.
std::vector<ScoreTerm> score_terms(std::vector<Term> const& terms);
std::vector<RuleCount> rule_counts(Misfit const& misfit);
std::vector<RuleLack> rule_lacks(Misfit const& misfit);

struct RankedChoices {
  std::uint32_t nodes_that_fit = 0;
  std::vector<NodeChoice> choices;  // the best, and the chosen one wherever it stands
};

RankedChoices ranked_choices(Draft const& draft, Cluster const& cluster,
                             ResourceRequest const& request, PoolId const& pool,
                             Policy const& policy, NodeId const& chosen, std::uint32_t most);

}  // namespace lepton::deployer
