#include "services/deployer/core/choices.hpp"

#include <algorithm>

#include "services/deployer/core/site.hpp"

namespace lepton::deployer {
namespace {

std::string phrase_of(std::string_view rule) {
  for (auto const& r : rules())
    if (r.name == rule) return std::string(r.phrase);
  return "no domain has room for all tasks";
}

}  // namespace

std::vector<RuleCount> rule_counts(Misfit const& misfit) {
  std::vector<RuleCount> named;
  for (auto const& r : misfit.rejected)
    named.push_back({std::string(r.rule), phrase_of(r.rule), r.nodes});
  return named;
}

std::vector<RuleLack> rule_lacks(Misfit const& misfit) {
  std::vector<RuleLack> named;
  for (auto const& l : misfit.lacks)
    named.push_back({std::string(l.rule), l.wants, l.has, std::string(l.unit)});
  return named;
}

std::vector<ScoreTerm> score_terms(std::vector<Term> const& terms) {
  std::vector<ScoreTerm> named;
  for (auto const& t : terms) named.push_back({std::string(t.name), t.value, std::string(t.unit)});
  return named;
}

RankedChoices ranked_choices(Draft const& draft, Cluster const& cluster,
                             ResourceRequest const& request, PoolId const& pool,
                             Policy const& policy, NodeId const& chosen, std::uint32_t most) {
  Ask const ask(cluster, request, pool);
  ShelfRange range;
  auto options = options_on(cluster.pool(pool), cluster, draft, ask, policy, range);
  std::sort(options.rbegin(), options.rend());
  RankedChoices ranked{static_cast<std::uint32_t>(options.size()), {}};
  for (std::uint32_t i = 0; i < options.size(); ++i) {
    auto const& node = cluster.at(options[i].slot);
    auto const is_chosen = node.spec.id == chosen;
    if (i >= most && !is_chosen) continue;
    NodeChoice choice{node.spec.id,           is_chosen, i + 1, options[i].rank.preference,
                      options[i].rank.wishes, {}};
    auto terms = policy.terms(node, draft.room(node.slot), ask);
    if (request.where.cheapest)
      terms.insert(terms.begin(), {"price", static_cast<double>(options[i].rank.cost) / 1e6,
                                   "an hour, before all else"});
    if (auto const& site = request.where.site; site.any()) {
      auto const lost = site_terms(site, node.spec.labels, node.spec.capacity.price_per_hour_micro);
      terms.insert(terms.begin(), lost.begin(), lost.end());
    }
    choice.terms = score_terms(terms);
    ranked.choices.push_back(std::move(choice));
  }
  return ranked;
}

}  // namespace lepton::deployer
