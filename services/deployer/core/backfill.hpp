#pragma once
// Backfill: the first job of a pool that finds no room gets a reservation, worked out from the time
// limits of what runs; later work may start before it as long as the reserved places are free at
// the reserved instant. So no later job delays it. Pure. Owned by the deployer's actor; one thread.
// Lifka, The ANL/IBM SP scheduling system, 1995 (EASY); here the places are named, so that work
// beside them is never held up.
// Units: ms since 1970. Work without a time limit counts as never ending.

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "common/base/time.hpp"
#include "services/deployer/core/place.hpp"

namespace lepton::deployer {

// What holds room and when it will have given it back at the latest.
struct Limited {
  JobId job;
  WallMs ends_by_ms = 0;
  std::vector<Allocation> held;

  static consteval auto fields() {
    using schema::field;
    using T = Limited;
    return schema::fields(field(1, "job", &T::job, "The job."),
                          field(2, "ends_by_ms", &T::ends_by_ms, "At the latest, ms since 1970."),
                          field(3, "held", &T::held, "What its tasks hold."));
  }
};
static_assert(schema::complete<Limited>());

struct Reservation {
  JobId job;                // whose it is
  WallMs starts_by_ms = 0;  // at the latest
  JobId last;               // the job whose end makes it possible; empty: none need end
  std::vector<Allocation> places;

  static consteval auto fields() {
    using schema::field;
    using T = Reservation;
    return schema::fields(
        field(1, "job", &T::job, "Whose it is; empty: nobody's."),
        field(2, "starts_by_ms", &T::starts_by_ms, "At the latest, ms since 1970."),
        field(3, "last", &T::last, "The job whose end makes it possible; empty: none need end."),
        field(4, "places", &T::places, "What is reserved."));
  }
};
static_assert(schema::complete<Reservation>());

// The earliest instant at which all tasks of the job have a place once the limits have passed, and
// those places. Nothing when they would not have one even then. `limited` in any order.
std::optional<Reservation> reserve(Cluster const& cluster, JobId const& job,
                                   ResourceRequest const& request, PoolId const& pool,
                                   std::uint32_t tasks, std::vector<Limited> limited, WallMs now_ms,
                                   Policy const& policy);

// When what an attempt holds is given back at the latest; nothing: not known.
using EndsBy = std::function<std::optional<WallMs>(AttemptId const&)>;

// What must stay free on this node now, so that the reserved places there are free in time: what is
// reserved less what others give back before.
Allocation kept_on(Cluster const& cluster, NodeId const& node, Reservation const& reservation,
                   EndsBy const& ends_by);

// Whether a start at these places, which are free now and will be given back by then (nothing: not
// known), leaves the reservation whole.
bool leaves_whole(Cluster const& cluster, Reservation const& reservation, EndsBy const& ends_by,
                  std::vector<Allocation> const& start, std::optional<WallMs> start_ends_by_ms);

// Places for later work that leave the reservation whole; nothing where there are none. As
// place_gang(), of which it is the slow form.
std::optional<std::vector<Allocation>> place_beside(
    Cluster const& cluster, ResourceRequest const& request, PoolId const& pool, std::uint32_t tasks,
    Policy const& policy, Reservation const& reservation, EndsBy const& ends_by);

}  // namespace lepton::deployer
