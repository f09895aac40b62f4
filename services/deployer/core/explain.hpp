#pragma once
// Why nothing fits: how many nodes each rule rejected, which node came nearest and what it lacks,
// and whether waiting can help at all. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/deployer/core/feasible.hpp"

namespace lepton::deployer {

struct Rejection {
  std::string_view rule;  // RuleInfo::name
  std::uint32_t nodes = 0;
  bool operator==(Rejection const&) const = default;
};

// What the nearest node has of what a rule wants there.
struct Lack {
  std::string_view rule;
  std::int64_t wants = 0, has = 0;
  std::string_view unit;  // RuleInfo::unit; of amounts that add up
  bool operator==(Lack const&) const = default;
};

struct Misfit {
  std::vector<Rejection> rejected;  // in the order of the rules, each node under its first; gangs:
                                    // after the members that fit were placed
  std::uint32_t pool_nodes = 0;     // the sum of rejected
  NodeId nearest;                   // empty when the pool has no nodes
  std::uint32_t tasks = 1;          // members asked for
  std::uint32_t fit_now = 0;        // members that would fit now
  bool never = false;               // not even if every node of the pool were ready and empty
  std::string what;                 // one sentence for people, without a trailing period
  std::vector<Lack> lacks;          // of the nearest node
  bool for_room = true;             // false: a limit or another's reservation keeps it back
};

// For a request whose members no longer fit after `rooms` (one per slot of the pool, in its order).
Misfit explain(Cluster const& cluster, Ask const& ask, std::vector<Room const*> const& rooms,
               std::uint32_t tasks, std::uint32_t fit_now);

// How many equal members the room takes.
std::uint64_t members_in(View const& view, Ask const& ask);

}  // namespace lepton::deployer
