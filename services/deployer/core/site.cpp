#include "services/deployer/core/site.hpp"

#include <algorithm>

namespace lepton::deployer {
namespace {

constexpr std::int64_t weight_milli_max = 1'000'000;

// Not known counts as nothing.
std::int64_t share_milli(Labels const& labels, char const* key) {
  auto const found = labels.find(key);
  auto const known = found == labels.end() ? std::nullopt : milli_of(found->second);
  return std::min<std::int64_t>(known.value_or(0), 1'000);
}

struct Losses {
  std::int64_t performance = 0, availability = 0, cost = 0;
};

Losses losses(SiteWeights const& w, Labels const& labels, std::int64_t price_micro) {
  return {w.performance_milli * (1'000 - share_milli(labels, "performance")),
          w.availability_milli * (1'000 - share_milli(labels, "availability")),
          w.cost_milli * price_micro / 1'000};
}

}  // namespace

Status check_site(Constraints const& c) {
  auto const& w = c.site;
  for (auto const weight : {w.performance_milli, w.availability_milli, w.cost_milli})
    if (weight < 0 || weight > weight_milli_max)
      return Error{Code::invalid, "site: a weight must be from 0 to 1000"};
  if (w.any() && c.cheapest)
    return Error{Code::invalid, "site: weighs the cost itself; leave out price.prefer"};
  return ok();
}

std::int64_t site_loss_micro(SiteWeights const& w, Labels const& labels,
                             std::int64_t price_per_hour_micro) {
  auto const l = losses(w, labels, price_per_hour_micro);
  return l.performance + l.availability + l.cost;
}

std::vector<Term> site_terms(SiteWeights const& w, Labels const& labels,
                             std::int64_t price_per_hour_micro) {
  auto const l = losses(w, labels, price_per_hour_micro);
  std::vector<Term> terms;
  auto const add = [&](char const* name, std::int64_t weight, std::int64_t micro) {
    if (weight > 0) terms.push_back({name, static_cast<double>(micro) / 1e6, "of the site's loss"});
  };
  add("performance", w.performance_milli, l.performance);
  add("availability", w.availability_milli, l.availability);
  add("cost", w.cost_milli, l.cost);
  return terms;
}

}  // namespace lepton::deployer
