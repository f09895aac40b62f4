// The smallest plan that still fails: fewer jobs, less time, no chores, one kind of chore or fault
// after the other left out, settings as usual. Greedy, and bounded by a number of runs.

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

std::vector<std::string_view> kinds_of(Plan const& plan) {
  auto kinds = Faults::kinds();
  for (auto const chore : Plan::chore_kinds()) kinds.push_back(chore);
  std::erase_if(kinds, [&](auto kind) { return !plan.has(kind); });
  return kinds;
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
  if (!plan.knobs.drawn.empty())
    with("--settings", "usual", [](Plan& p) { p.knobs = Knobs::usual(); });
  auto const whole = Plan::draw(plan.seed);
  std::string without;
  for (auto const kind : kinds_of(whole))
    if (!plan.has(kind)) without += std::string(kind) + ",";
  if (plan.chores.size() > 1) {
    std::string all;
    for (auto const chore : plan.chores) all += "," + std::string(chore);
    with("--without", without + all.substr(1), [](Plan& p) { p.chores.clear(); });
  }
  for (auto const kind : kinds_of(plan))
    with("--without", without + std::string(kind), [kind](Plan& p) { p.leave_out(kind); });
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
