#pragma once
// The experiment with migration: while work waits that fits nowhere, running work is moved within a
// budget per hour, planned twice an hour, and what waits is tried again. Without migration
// waiting is the same as being dropped, because nothing ever ends. Arrivals come evenly, at the
// trace's own rate; when they have reached the capacity they stop, and moving goes on until there
// was nothing to gain for two hours. Every task saves its work once an hour, counted from its
// start.

#include "bench/placement/experiment.hpp"

namespace lepton::bench {

struct Migrated {
  double arrived_percent = 0;  // GPU unallocated when arrivals have reached the capacity
  double end_percent = 0;      // and when moving has ended
  double moves = 0, moves_by_arrival = 0;  // in all, and until the arrivals ended
  double lost_gpu_hours = 0;
  double hours = 0, hours_after = 0;  // of arrivals; and of moving after them
};

// So many moves in any hour, and as many GPU-hours of work lost; none: without migration.
Migrated replay_migrating(Run& run, std::vector<ResourceRequest> const& pods,
                          deployer::Mix const& mix, double arrivals_per_hour,
                          std::uint64_t moves_per_hour);

}  // namespace lepton::bench
