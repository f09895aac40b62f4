#pragma once
// What migration adds to the experiment, as a table and as JSON.

#include <string>
#include <vector>

#include "bench/placement/trace.hpp"

namespace lepton::bench {

struct MigrationBench {
  std::vector<deployer::NodeSpec> const& nodes;
  std::vector<Trace> const& traces;
  std::vector<std::string> const& policies;
  std::vector<std::uint64_t> const& seeds;
  std::vector<std::uint64_t> const& moves_per_hour;
  double load = 1.3;
  double arrivals_per_hour = 0;  // for lists without times
};

// Replays, prints, and gives the fields migration, migration_end, migration_moves and
// migration_gpu_hours_lost: by trace ("trace/policy" where that is not ours), then by moves per
// hour ("0": none).
std::string report_migration(MigrationBench const& bench);

}  // namespace lepton::bench
