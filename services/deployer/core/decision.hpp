#pragma once
// Decision: what the deployer decided, and everything that it decided it from beside the cluster
// and the mix; so that the same can be decided again (replay.hpp). Values that are kept as rows.
// Units: ms since 1970; amounts as in ResourceRequest.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/values.hpp"
#include "services/deployer/core/backfill.hpp"
#include "services/deployer/core/preempt.hpp"

namespace lepton::deployer {

enum class DecisionKind : std::uint8_t {
  unknown,
  place,    // it starts at these places
  beside,   // the same, and leaves what the first in line has reserved whole
  wait,     // nothing takes it as things stand
  preempt,  // others stop for it, and it gets these places
  keep      // it has waited for long: these places are kept for it as they become free
};
consteval auto enumerators(DecisionKind) {
  return std::to_array<std::string_view>({"unknown", "place", "beside", "wait", "preempt", "keep"});
}

// When what an attempt holds is given back at the latest.
struct AttemptEnd {
  AttemptId attempt;
  bool known = false;
  WallMs ends_by_ms = 0;

  bool operator==(AttemptEnd const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = AttemptEnd;
    return schema::fields(field(1, "attempt", &T::attempt, "The attempt."),
                          field(2, "known", &T::known, "Its limit says when it ends."),
                          field(3, "ends_by_ms", &T::ends_by_ms, "At the latest, ms since 1970."));
  }
};
static_assert(schema::complete<AttemptEnd>());

// Of these only what the kind reads is set.
struct DecisionInput {
  DecisionKind kind = DecisionKind::unknown;
  JobId job;
  PoolId pool;
  ResourceRequest request;
  std::uint32_t tasks = 1;
  std::string policy;
  WallMs now_ms = 0;
  std::int32_t priority = 0;
  std::string owner;
  bool quotas = false;
  bool owed = false;
  Reservation reserved;
  std::vector<AttemptEnd> ends;
  std::vector<Running> running;
  std::vector<Limited> limited;

  static consteval auto fields() {
    using schema::field;
    using T = DecisionInput;
    return schema::fields(
        field(1, "kind", &T::kind, "What was to be decided."),
        field(2, "job", &T::job, "For which job."), field(3, "pool", &T::pool, "In which pool."),
        field(4, "request", &T::request, "What each task asks for."),
        field(5, "tasks", &T::tasks, "Tasks that start together."),
        field(6, "policy", &T::policy, "Policy that ranks the nodes."),
        field(7, "now_ms", &T::now_ms, "When, ms since 1970."),
        field(8, "priority", &T::priority, "Its priority, to preempt with."),
        field(9, "owner", &T::owner, "Whose it is, to preempt with."),
        field(10, "quotas", &T::quotas, "The pool has quotas."),
        field(11, "owed", &T::owed, "Its owner is owed the place."),
        field(12, "reserved", &T::reserved, "What the first in line has reserved."),
        field(13, "ends", &T::ends, "When work beside that ends."),
        field(14, "running", &T::running, "Work that might give way."),
        field(15, "limited", &T::limited, "When what runs gives back what it holds."));
  }
};
static_assert(schema::complete<DecisionInput>());

struct DecisionOutcome {
  std::vector<Allocation> places;
  std::vector<JobId> victims;
  WallMs starts_by_ms = 0;
  std::string what;

  bool operator==(DecisionOutcome const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = DecisionOutcome;
    return schema::fields(
        field(1, "places", &T::places, "Where its tasks go, in their order; none: it waits."),
        field(2, "victims", &T::victims, "Jobs that stop for it."),
        field(3, "starts_by_ms", &T::starts_by_ms, "When what is kept is free at the latest."),
        field(4, "what", &T::what, "Why it waits."));
  }
};
static_assert(schema::complete<DecisionOutcome>());

struct Decision {
  std::int64_t number = 0;
  DecisionInput input;
  DecisionOutcome outcome;
  bool whole = true;  // else the input was too long to be kept, and cannot be decided again

  static consteval auto fields() {
    using schema::field;
    using T = Decision;
    return schema::fields(field(1, "number", &T::number, "Its number, rising."),
                          field(2, "input", &T::input, "What it was made from."),
                          field(3, "outcome", &T::outcome, "What was decided."),
                          field(4, "whole", &T::whole, "The input is all here."));
  }
};
static_assert(schema::complete<Decision>());

// Answers as `ends` does and notes each answer, for DecisionInput::ends.
using NotedEnds = std::map<AttemptId, AttemptEnd>;
EndsBy noting(EndsBy const& ends, NotedEnds& noted);
std::vector<AttemptEnd> listed(NotedEnds const& noted);
// The reverse: answers what was noted.
EndsBy as_noted(std::vector<AttemptEnd> const& noted);

}  // namespace lepton::deployer
