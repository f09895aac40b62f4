#pragma once
// Messages that explain a placement: why a job waits and what would help, or why its node was
// chosen. Worked out when asked, exactly, from the state as it stands. The deployer serves them.

#include <cstdint>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"
#include "schemas/states.hpp"

namespace lepton {

// Nodes of the pool that a rule rejects, each counted under the first that does.
struct RuleCount {
  std::string rule;
  std::string phrase;
  std::uint32_t nodes = 0;

  bool operator==(RuleCount const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = RuleCount;
    return schema::fields(field(1, "rule", &T::rule, "Name of the rule."),
                          field(2, "phrase", &T::phrase, "The same for people."),
                          field(3, "nodes", &T::nodes, "How many nodes it rejects."));
  }
};
static_assert(schema::complete<RuleCount>());

struct RuleLack {
  std::string rule;
  std::int64_t wants = 0;
  std::int64_t has = 0;
  std::string unit;

  bool operator==(RuleLack const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = RuleLack;
    return schema::fields(field(1, "rule", &T::rule, "Name of the rule."),
                          field(2, "wants", &T::wants, "What the job asks for."),
                          field(3, "has", &T::has, "What the nearest node has."),
                          field(4, "unit", &T::unit, "Unit of both."));
  }
};
static_assert(schema::complete<RuleLack>());

struct ScoreTerm {
  std::string name;
  double value = 0;
  std::string unit;

  static consteval auto fields() {
    using schema::field;
    using T = ScoreTerm;
    return schema::fields(field(1, "name", &T::name, "What is weighed."),
                          field(2, "value", &T::value, "Its amount; less is better."),
                          field(3, "unit", &T::unit, "Unit of the amount."));
  }
};
static_assert(schema::complete<ScoreTerm>());

struct NodeChoice {
  NodeId node;
  bool chosen = false;
  std::uint32_t rank = 0;
  std::uint32_t gpu_preference = 0;
  std::uint32_t wishes_missed = 0;
  std::vector<ScoreTerm> terms;

  static consteval auto fields() {
    using schema::field;
    using T = NodeChoice;
    return schema::fields(
        field(1, "node", &T::node, "Name."), field(2, "chosen", &T::chosen, "The job runs there."),
        field(3, "rank", &T::rank, "Place among the nodes that fit, from 1."),
        field(4, "gpu_preference", &T::gpu_preference,
              "Place of its GPU model in the list of the job; decides first, less is better."),
        field(5, "wishes_missed", &T::wishes_missed,
              "Weight of the preferences that it does not meet; decides second, less is better."),
        field(6, "terms", &T::terms, "What its score is made of; decides last."));
  }
};
static_assert(schema::complete<NodeChoice>());

struct JobExplanation {
  JobId job;
  JobState state = JobState::unknown;
  std::string what;
  std::string nearest_miss;
  bool never = false;
  std::uint32_t pool_nodes = 0;
  std::uint32_t tasks = 1;
  std::uint32_t fit_now = 0;
  std::vector<RuleCount> rejected;
  NodeId nearest;
  std::vector<RuleLack> lacks;
  std::uint64_t ahead = 0;
  std::int64_t starts_by_ms = 0;
  bool reserved = false;
  JobId starts_after;
  std::string policy;
  std::uint32_t nodes_that_fit = 0;
  std::vector<NodeChoice> choices;

  static consteval auto fields() {
    using schema::field;
    using T = JobExplanation;
    return schema::fields(
        field(1, "job", &T::job, "Identity."), field(2, "state", &T::state, "State."),
        field(3, "what", &T::what, "The reason in a sentence."),
        field(4, "nearest_miss", &T::nearest_miss,
              "What would have to be free on the nearest node; empty: that alone does not help."),
        field(5, "never", &T::never, "It cannot start here even if all was empty."),
        field(6, "pool_nodes", &T::pool_nodes, "Nodes of the pool."),
        field(7, "tasks", &T::tasks, "Tasks that start together."),
        field(8, "fit_now", &T::fit_now, "Of these would fit now."),
        field(9, "rejected", &T::rejected, "Nodes that each rule rejects."),
        field(10, "nearest", &T::nearest, "The node that lacks least; empty: none."),
        field(11, "lacks", &T::lacks, "What it lacks."),
        field(12, "ahead", &T::ahead, "Jobs that stand before it in its pool."),
        field(13, "starts_by_ms", &T::starts_by_ms,
              "When room is there at the latest by the time limits of what runs, ms since 1970; "
              "0: they do not say."),
        field(14, "reserved", &T::reserved, "That room is reserved: nothing later delays it."),
        field(15, "starts_after", &T::starts_after, "The job whose end makes that room."),
        field(16, "policy", &T::policy, "Policy that ranks the nodes."),
        field(17, "nodes_that_fit", &T::nodes_that_fit, "Nodes that could take a task now."),
        field(18, "choices", &T::choices, "The best of them, as they stand now, best first."));
  }
};
static_assert(schema::complete<JobExplanation>());

struct JobExplain {
  static constexpr std::string_view topic = "deployer.job.explain";
  static constexpr Verb verb = Verb::read;
  using Reply = JobExplanation;
  JobId job;
  std::uint32_t choices = 5;

  static consteval auto fields() {
    using schema::field;
    using T = JobExplain;
    return schema::fields(
        field(1, "job", &T::job, "Identity, a unique start of it, or the name of one's newest."),
        field(2, "choices", &T::choices, "At most so many nodes are compared.")
            .bounds(0, 100)
            .optional());
  }
};
static_assert(schema::complete<JobExplain>());

}  // namespace lepton
