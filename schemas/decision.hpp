#pragma once
// Messages about what was decided: the decisions that the deployer keeps, and their repetition from
// the record of what they were made from. The deployer serves them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/explain.hpp"
#include "schemas/ids.hpp"

namespace lepton {

// What keeps a job waiting. Of one whose places are kept: until when at most.
struct DecisionWait {
  std::vector<RuleCount> rejected;
  NodeId nearest;
  std::vector<RuleLack> lacks;
  std::int64_t starts_by_ms = 0;
  JobId starts_after;

  bool operator==(DecisionWait const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = DecisionWait;
    return schema::fields(
        field(1, "rejected", &T::rejected, "Nodes that each rule rejects."),
        field(2, "nearest", &T::nearest, "The node that lacks least; empty: none."),
        field(3, "lacks", &T::lacks, "What it lacks."),
        field(4, "starts_by_ms", &T::starts_by_ms,
              "It starts then at the latest, ms since 1970; 0: nobody knows."),
        field(5, "starts_after", &T::starts_after, "The job whose end makes its room."));
  }
};
static_assert(schema::complete<DecisionWait>());

struct DecisionLine {
  std::int64_t number = 0;
  std::int64_t at_ms = 0;
  std::string kind;
  JobId job;
  PoolId pool;
  std::string policy;
  std::vector<NodeId> nodes;
  std::vector<JobId> victims;
  std::string why;
  std::vector<ScoreTerm> terms;
  std::optional<DecisionWait> waits;

  static consteval auto fields() {
    using schema::field;
    using T = DecisionLine;
    return schema::fields(
        field(1, "number", &T::number, "Its number, rising."),
        field(2, "at_ms", &T::at_ms, "When, ms since 1970."),
        field(3, "kind", &T::kind, "place, beside, wait, preempt or keep."),
        field(4, "job", &T::job, "For which job."), field(5, "pool", &T::pool, "In which pool."),
        field(6, "policy", &T::policy, "Policy that ranked the nodes."),
        field(7, "nodes", &T::nodes, "Where its tasks go, in their order; none: it waits."),
        field(8, "victims", &T::victims, "Jobs that stop for it."),
        field(9, "why", &T::why, "Why it waits."),
        field(10, "terms", &T::terms, "What the cost of its first node was made of."),
        field(11, "waits", &T::waits, "What keeps it waiting.").since(5));
  }
};
static_assert(schema::complete<DecisionLine>());

struct DecisionPage {
  std::vector<DecisionLine> decisions;

  static consteval auto fields() {
    using T = DecisionPage;
    return schema::fields(schema::field(1, "decisions", &T::decisions, "The newest first."));
  }
};
static_assert(schema::complete<DecisionPage>());

struct DecisionList {
  static constexpr std::string_view topic = "deployer.decision.list";
  static constexpr Verb verb = Verb::read;
  using Reply = DecisionPage;
  JobId job;
  std::int64_t before = 0;
  std::uint32_t limit = 50;

  static consteval auto fields() {
    using schema::field;
    using T = DecisionList;
    return schema::fields(
        field(1, "job", &T::job,
              "Only about this job; empty: about all, for who may read every job.")
            .optional(),
        field(2, "before", &T::before, "Only with a lower number; 0: the newest.").optional(),
        field(3, "limit", &T::limit, "At most so many.").bounds(1, 1000).optional());
  }
};
static_assert(schema::complete<DecisionList>());

// What came of making decisions again.
struct DecisionsReplayed {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t next = 0;
  std::uint64_t replayed = 0;
  std::uint64_t given = 0;
  std::vector<std::int64_t> different;
  std::vector<DecisionLine> decision;
  std::vector<NodeId> nodes;
  std::string why;
  std::uint32_t pool_nodes = 0;
  std::uint32_t nodes_that_fit = 0;
  std::vector<NodeChoice> choices;

  static consteval auto fields() {
    using schema::field;
    using T = DecisionsReplayed;
    return schema::fields(
        field(1, "first", &T::first, "The state was built from this record on."),
        field(2, "last", &T::last, "To this one."),
        field(3, "next", &T::next, "Where to go on; 0: that was all."),
        field(4, "replayed", &T::replayed, "Decisions that were made again."),
        field(5, "given", &T::given, "Decisions whose input is not kept; taken as they were."),
        field(6, "different", &T::different, "Those that came out otherwise; at most 100."),
        field(7, "decision", &T::decision, "The one that was asked for, as it was made then."),
        field(8, "nodes", &T::nodes, "Its nodes, as they came out now."),
        field(9, "why", &T::why, "Why it would wait now."),
        field(10, "pool_nodes", &T::pool_nodes, "Nodes that the pool had then."),
        field(11, "nodes_that_fit", &T::nodes_that_fit, "Nodes that could take a task then."),
        field(12, "choices", &T::choices, "The best of them, as they stood then, best first."));
  }
};
static_assert(schema::complete<DecisionsReplayed>());

struct DecisionReplay {
  static constexpr std::string_view topic = "deployer.decision.replay";
  static constexpr Verb verb = Verb::read;
  using Reply = DecisionsReplayed;
  JobId job;
  std::int64_t number = 0;
  std::int64_t from = 0;
  std::uint32_t choices = 5;

  static consteval auto fields() {
    using schema::field;
    using T = DecisionReplay;
    return schema::fields(
        field(1, "job", &T::job, "The newest decision about this job; empty: see below.")
            .optional(),
        field(2, "number", &T::number, "Without a job: this decision; 0: see below.").optional(),
        field(3, "from", &T::from,
              "Without both: all from the first snapshot that is not before "
              "this, to the next one.")
            .optional(),
        field(4, "choices", &T::choices, "Of one decision at most so many nodes are compared.")
            .bounds(0, 100)
            .optional());
  }
};
static_assert(schema::complete<DecisionReplay>());

}  // namespace lepton
