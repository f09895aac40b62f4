#pragma once
// Perfect foresight: the cheapest plan in which no request waits. Replica k is on while at least k
// are needed; a gap no longer than a cold start is bridged, every start pays the cold start.

#include <vector>

namespace lepton::bench {

struct Step {
  double at_s = 0;
  int in_flight = 0;
};

// Requests in flight if nobody ever waited.
std::vector<Step> levels(std::vector<double> const& arrivals_s, double service_s);
// The replicas that the highest level takes; at least 1.
int peak_replicas(std::vector<Step> const& steps, int slots);

struct Plan {
  double replica_hours = 0;
  int starts = 0;
  int peak = 0;
};
// `steps` must not be empty.
Plan oracle(std::vector<Step> const& steps, int slots, double cold_s, double length_s, int min);

}  // namespace lepton::bench
