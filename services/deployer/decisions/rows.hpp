#pragma once
// The rows of what was decided (schemas/sql/deployer/0007): each holds what happened since the one
// before it, and mostly ends with a decision.

#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/schema/schema.hpp"
#include "schemas/decision.hpp"
#include "schemas/ids.hpp"

namespace lepton::deployer {

// Kinds of rows that hold no decision: the first of a snapshot, and others.
inline constexpr std::string_view snapshot_row = "snapshot", state_row = "state";

struct DecisionRow {
  static constexpr std::string_view table = "decision";
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
  Bytes steps;
  std::optional<DecisionWait> waits;

  static consteval auto fields() {
    using schema::field;
    using R = DecisionRow;
    return schema::fields(
        field(1, "number", &R::number, "Rising, without gaps but for what never took effect.")
            .key(),
        field(2, "at_ms", &R::at_ms, "When, ms since 1970."),
        field(3, "kind", &R::kind, "What was decided; snapshot and state: nothing was."),
        field(4, "job", &R::job, "For which job; empty: no decision."),
        field(5, "pool", &R::pool, "In which pool."),
        field(6, "policy", &R::policy, "Policy that ranked the nodes."),
        field(7, "nodes", &R::nodes, "Where its tasks go, in their order."),
        field(8, "victims", &R::victims, "Jobs that stop for it."),
        field(9, "why", &R::why, "Why it waits."),
        field(10, "terms", &R::terms, "What the cost of its first node was made of."),
        field(11, "steps", &R::steps, "What happened since the row before, and the decision."),
        field(12, "waits", &R::waits, "What keeps it waiting."));
  }
};
static_assert(schema::complete<DecisionRow>());

struct DecisionLogRow {
  static constexpr std::string_view table = "decision_log";
  std::string log = "deployer";
  std::int64_t next = 1;
  std::vector<std::int64_t> snapshots;

  static consteval auto fields() {
    using schema::field;
    using R = DecisionLogRow;
    return schema::fields(
        field(1, "log", &R::log, "There is one.").key(),
        field(2, "next", &R::next, "Number of the next row."),
        field(3, "snapshots", &R::snapshots, "Numbers of the rows at which one begins, rising."));
  }
};
static_assert(schema::complete<DecisionLogRow>());

}  // namespace lepton::deployer
