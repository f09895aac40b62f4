#pragma once
// Replay: builds the state that decisions were made from, step by step from a record, and decides
// anew. The same steps give the same decisions: all that decides is pure (architecture, section 6).
// Owned by whoever replays; one thread. Errors: a record that contradicts itself.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/deployer/core/decision.hpp"
#include "services/deployer/core/placer.hpp"

namespace lepton::deployer {

struct Arrival {
  ResourceRequest request;
  std::uint32_t tasks = 1;

  static consteval auto fields() {
    using schema::field;
    using T = Arrival;
    return schema::fields(field(1, "request", &T::request, "What each task asks for."),
                          field(2, "tasks", &T::tasks, "How many tasks."));
  }
};
static_assert(schema::complete<Arrival>());

// One thing that happened. Of its parts exactly one is there: `attempt` alone gave back what it
// held, with `holds` it holds that from now on.
struct Step {
  std::optional<GpuKind> kind;  // the next kind of GPU by number
  std::optional<NodeSpec> node;
  std::optional<NodeId> gone;
  std::optional<AttemptId> attempt;
  std::optional<Allocation> holds;
  std::optional<Arrival> arrival;
  std::optional<MixMemory> mix;
  std::optional<Decision> decision;

  static consteval auto fields() {
    using schema::field;
    using T = Step;
    return schema::fields(field(1, "kind", &T::kind, "A kind of GPU gets the next number."),
                          field(2, "node", &T::node, "A node is new, or otherwise than before."),
                          field(3, "gone", &T::gone, "A node is gone."),
                          field(4, "attempt", &T::attempt, "An attempt gives back what it holds."),
                          field(5, "holds", &T::holds, "Instead of that it holds this."),
                          field(6, "arrival", &T::arrival, "A job came in."),
                          field(7, "mix", &T::mix, "What was learned of the mix so far."),
                          field(8, "decision", &T::decision, "Something was decided."));
  }
};
static_assert(schema::complete<Step>());

struct Steps {
  std::vector<Step> steps;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "steps", &Steps::steps, "In the order of time."));
  }
};
static_assert(schema::complete<Steps>());

// All that it takes to go on from here. The placer is one that learns.
std::vector<Step> snapshot_of(Cluster const& cluster, Placer const& placer);

class Replay {
 public:
  Replay() { placers_.try_emplace("foresight", std::make_unique<Placer>(cluster_)); }

  // Whatever is no decision changes the state; a decision changes nothing by itself.
  Status apply(Step const& step);
  // Nothing under a policy that this version does not have.
  std::optional<DecisionOutcome> decide(DecisionInput const& input);

  Cluster const& cluster() const { return cluster_; }
  // The policy of that name as it stands in this pool; nullptr where there is none.
  Policy const* policy(std::string const& name, PoolId const& pool);

 private:
  Status hold(AttemptId const& attempt, Allocation const& allocation);
  // That places by the policy of this name; nullptr where there is none.
  Placer* placer(std::string const& name);

  Cluster cluster_;
  std::map<std::string, std::unique_ptr<Placer>> placers_;  // by policy; they know the same mix
};

}  // namespace lepton::deployer
