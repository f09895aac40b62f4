#include "services/deployer/core/replay.hpp"

#include <algorithm>

namespace lepton::deployer {
namespace {

DecisionOutcome outcome_of(GangPlacement result) {
  DecisionOutcome outcome;
  if (auto* misfit = std::get_if<Misfit>(&result))
    outcome.what = std::move(misfit->what);
  else
    outcome.places = std::move(std::get<std::vector<Allocation>>(result));
  return outcome;
}

DecisionOutcome beside(Cluster const& cluster, DecisionInput const& in, Policy const& policy) {
  DecisionOutcome outcome;
  if (auto places = place_beside(cluster, in.request, in.pool, in.tasks, policy, in.reserved,
                                 as_noted(in.ends)))
    outcome.places = std::move(*places);
  return outcome;
}

DecisionOutcome preempt(Cluster const& cluster, DecisionInput const& in, Policy const& policy) {
  Preemptor const job{in.request, in.pool, in.tasks, in.priority, in.owner, in.quotas, in.owed};
  DecisionOutcome outcome;
  if (auto plan = plan_preemption(cluster, job, in.running, in.now_ms, policy)) {
    outcome.places = std::move(plan->places);
    outcome.victims = std::move(plan->victims);
  }
  return outcome;
}

DecisionOutcome keep(Cluster const& cluster, DecisionInput const& in, Policy const& policy) {
  DecisionOutcome outcome;
  if (auto plan =
          reserve(cluster, in.job, in.request, in.pool, in.tasks, in.limited, in.now_ms, policy)) {
    outcome.places = std::move(plan->places);
    outcome.starts_by_ms = plan->starts_by_ms;
  }
  return outcome;
}

// Whether all of this is really held in the cluster: planning without it relies on that, and a
// record may have been changed by anybody.
class HeldCheck {
 public:
  explicit HeldCheck(Cluster const& cluster) {
    cluster.for_held(
        [this](AttemptId const&, Allocation const& a) { by_node_[a.node].push_back(a); });
  }
  bool take(std::vector<Allocation> const& held) {
    return std::all_of(held.begin(), held.end(), [this](Allocation const& a) {
      auto& here = by_node_[a.node];
      auto const found = std::find(here.begin(), here.end(), a);
      if (found == here.end()) return false;
      here.erase(found);
      return true;
    });
  }

 private:
  std::map<NodeId, std::vector<Allocation>> by_node_;
};

bool is_sound(Cluster const& cluster, DecisionInput const& in) {
  if (in.tasks < 1 || in.tasks > most_gang_tasks || !check_request(in.request)) return false;
  if (in.running.empty() && in.limited.empty()) return true;
  HeldCheck check(cluster);
  return std::all_of(in.running.begin(), in.running.end(),
                     [&](Running const& r) { return check.take(r.held); }) &&
         std::all_of(in.limited.begin(), in.limited.end(),
                     [&](Limited const& l) { return check.take(l.held); });
}

}  // namespace

std::vector<Step> snapshot_of(Cluster const& cluster, Placer const& placer) {
  std::vector<Step> steps;
  for (auto const& kind : cluster.gpu_kinds()) steps.emplace_back().kind = kind;
  for (auto const& pool : cluster.pools())
    for (auto slot : cluster.pool(pool)) steps.emplace_back().node = cluster.at(slot).spec;
  cluster.for_held([&](AttemptId const& attempt, Allocation const& allocation) {
    auto& step = steps.emplace_back();
    step.attempt = attempt;
    step.holds = allocation;
  });
  steps.emplace_back().mix = placer.memory();
  return steps;
}

Status Replay::apply(Step const& step) {
  if (step.kind) cluster_.know_kind(*step.kind);
  if (step.node) return cluster_.upsert_node(*step.node);
  if (step.gone) return cluster_.remove_node(*step.gone);
  if (step.attempt && step.holds) return hold(*step.attempt, *step.holds);
  if (step.attempt && !cluster_.release(*step.attempt))
    return Error{Code::invalid, "attempt " + step.attempt->value + " gave back what it never held"};
  for (auto& [name, placer] : placers_) {
    if (step.arrival) placer->observe(step.arrival->request, step.arrival->tasks);
    if (step.mix) placer->remember(*step.mix);
  }
  return ok();
}

Status Replay::hold(AttemptId const& attempt, Allocation const& allocation) {
  return cluster_.held(attempt) == nullptr ? cluster_.reserve(attempt, allocation)
                                           : cluster_.grow(attempt, allocation);
}

Placer* Replay::placer(std::string const& name) {
  auto found = placers_.find(name);
  if (found != placers_.end()) return found->second.get();
  constexpr auto names = enumerators(PlacementPolicy{});
  auto const at = std::find(names.begin(), names.end(), name);
  auto const policy =
      at == names.end() ? PlacementPolicy::unknown : PlacementPolicy(at - names.begin());
  if (policy == PlacementPolicy::unknown || policy == PlacementPolicy::bandit) return nullptr;
  found = placers_.emplace(name, std::make_unique<Placer>(cluster_, policy)).first;
  found->second->remember(placers_.at("foresight")->memory());
  return found->second.get();
}

Policy const* Replay::policy(std::string const& name, PoolId const& pool) {
  auto* by = placer(name);
  return by == nullptr ? nullptr : &by->policy(pool);
}

std::optional<DecisionOutcome> Replay::decide(DecisionInput const& in) {
  auto const* by = policy(in.policy, in.pool);
  if (by == nullptr) return std::nullopt;
  if (!is_sound(cluster_, in)) return DecisionOutcome{.what = "its input contradicts the record"};
  switch (in.kind) {
    case DecisionKind::place:
    case DecisionKind::wait:
      return outcome_of(placer(in.policy)->place_gang(in.request, in.pool, in.tasks));
    case DecisionKind::beside:
      return beside(cluster_, in, *by);
    case DecisionKind::preempt:
      return preempt(cluster_, in, *by);
    case DecisionKind::keep:
      return keep(cluster_, in, *by);
    case DecisionKind::unknown:
      break;
  }
  return std::nullopt;
}

}  // namespace lepton::deployer
