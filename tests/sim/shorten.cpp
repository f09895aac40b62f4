// The smallest plan that still fails: fewer jobs, less time, no chores, one kind of chore or fault
// after the other left out, settings as usual. Greedy, and bounded by a number of runs.

#include "common/base/text.hpp"
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

std::vector<std::string_view> kinds_of(Plan const& plan) {
  auto kinds = Faults::kinds();
  for (auto const chore : Plan::chore_kinds()) kinds.push_back(chore);
  std::erase_if(kinds, [&](auto kind) { return !plan.has(kind); });
  return kinds;
}

std::vector<Plan> smaller(Plan const& plan) {
  std::vector<Plan> plans;
  auto const with = [&](char const* option, std::string const& value) {
    auto less = plan;
    LEPTON_CHECK(less.change(option, value), "a plan cannot be made smaller like this");
    plans.push_back(std::move(less));
  };
  if (plan.jobs > 1) with("--jobs", std::to_string(plan.jobs / 2));
  if (plan.trouble_ms > 10'000) with("--trouble-ms", std::to_string(plan.trouble_ms / 2));
  if (!plan.knobs.drawn.empty()) with("--settings", "usual");
  if (plan.chores.size() > 1)
    with("--without", lepton::text::join({plan.chores.begin(), plan.chores.end()}, ","));
  for (auto const kind : kinds_of(plan)) with("--without", std::string(kind));
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
