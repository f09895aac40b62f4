#pragma once
// A service under load, replayed in virtual time: one first-come-first-served queue before equal
// replicas of `slots` requests each, a fixed service time and a fixed cold start. One thread; the
// same arrivals and scaler give the same outcome.
//
// - A request starts at once on the least loaded ready replica with a free slot, else it waits.
// - A replica is billed from its creation (cold start included) until it is gone (drain included).
// - Scaling down takes starting replicas first, then ready ones, the newest first; those drain.
// - At one instant: completions, readiness, arrivals, the sample of the second, the decision.
// - At the beginning ceil(mean rate of the first minute x service / (0.7 slots)) are ready.
// - From zero replicas the first request starts one.
// - Samples each second: the means of requests in flight and waiting, of busy slots, and the number
//   of arrivals.
// Times in seconds.

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/autoscale/trace.hpp"
#include "services/scaler/core/scale.hpp"

namespace lepton::bench {

struct ServiceModel {
  double service_s = 2;
  int slots = 4;
  double cold_s = 60;
  double allowed_wait_s = 1;
  std::uint32_t min = 1;
  std::uint32_t max = 10'000;
};

struct Outcome {
  double replica_hours = 0;
  std::uint64_t requests = 0;
  std::uint64_t violations = 0;  // waited longer than allowed
  double wait_mean_s = 0;
  double wait_p99_s = 0;
  double wait_max_s = 0;
  int starts = 0;
  int peak = 0;

  double violation_pct() const {
    return requests == 0 ? 0
                         : 100.0 * static_cast<double>(violations) / static_cast<double>(requests);
  }
};

// Asked every `every_s` seconds of the run; answers the replicas wanted.
struct Scaler {
  std::int64_t every_s = 1;
  std::function<std::uint32_t(scaler::Observation const&, TimeMs now_ms)> ask;
};
// A policy within limits, with a memory of its own; both arguments must outlive it.
Scaler scaler_of(scaler::Policy const& policy, scaler::Limits const& limits);
Scaler constant(std::uint32_t replicas);

std::uint32_t first_replicas(Arrivals const& arrivals, ServiceModel const& model);
Outcome replay(Arrivals const& arrivals, ServiceModel const& model, Scaler const& scaler,
               std::uint32_t replicas_at_begin);

}  // namespace lepton::bench
