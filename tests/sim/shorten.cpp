// The smallest plan that still fails: fewer jobs, less time, no queries, one kind of fault after
// the other left out, settings as usual. Greedy, and bounded by a number of runs.

#include "tests/sim/suite.hpp"

namespace lepton::sim {

std::string failure_of(Plan const& plan) {
  Suite suite(plan);
  try {
    suite.run();
  } catch (Failure const& failure) {
    return failure.what();
  }
  return "";
}

namespace {

void take_out(Plan& plan, std::string const& option, std::string const& value) {
  auto& words = plan.taken_out;
  auto const found = std::find(words.begin(), words.end(), option);
  if (found != words.end())
    *(found + 1) = value;
  else
    words.insert(words.end(), {option, value});
}

std::vector<Plan> smaller(Plan const& plan) {
  std::vector<Plan> plans;
  auto const with = [&](std::string const& option, std::string const& value, auto const& change) {
    auto less = plan;
    change(less);
    take_out(less, option, value);
    plans.push_back(std::move(less));
  };
  if (plan.jobs > 1) with("--jobs", std::to_string(plan.jobs / 2), [](Plan& p) { p.jobs /= 2; });
  if (plan.trouble_ms > 10'000)
    with("--trouble-ms", std::to_string(plan.trouble_ms / 2), [](Plan& p) { p.trouble_ms /= 2; });
  if (plan.queries) with("--queries", "no", [](Plan& p) { p.queries = false; });
  if (!plan.knobs.drawn.empty())
    with("--settings", "usual", [](Plan& p) { p.knobs = Knobs::usual(); });
  std::string without;
  for (auto const kind : Faults::kinds())
    if (Faults::draw(plan.seed).has(kind) && !plan.faults.has(kind))
      without += std::string(kind) + ",";
  for (auto const kind : Faults::kinds())
    if (plan.faults.has(kind))
      with("--without", without + std::string(kind),
           [kind](Plan& p) { p.faults = p.faults.without(kind); });
  return plans;
}

}  // namespace

Shortened shorten(Plan plan, std::string failure, int tries_max) {
  Shortened best{std::move(plan), std::move(failure), 0};
  for (bool better = true; better;) {
    better = false;
    for (auto& candidate : smaller(best.plan)) {
      if (best.tries++ >= tries_max) return best;
      auto why = failure_of(candidate);
      if (why.empty()) continue;
      best.plan = std::move(candidate);
      best.failure = std::move(why);
      better = true;
      break;
    }
  }
  return best;
}

}  // namespace lepton::sim
