#pragma once
// Elastic jobs: `nodes` tasks that start together, and workers that join them up to `nodes_max`.
// Pure.

#include <cstdint>

#include "common/base/result.hpp"
#include "services/deployer/core/lifecycle.hpp"

namespace lepton::deployer {

// Below its job's, so that it gives way first: about 100 minutes of age in the queue.
inline constexpr std::int32_t worker_priority_less = 10;
// Of one job, for room.
inline constexpr std::uint32_t workers_waiting_max = 4;

// With the field of the spec named.
Status check_elastic(JobId const& job, JobSpec const& spec);
inline bool is_elastic(JobSpec const& spec) {
  return spec.nodes_max > spec.nodes;
}
// All of its tasks run, and none has ended yet.
bool takes_workers(JobSpec const& spec, JobRun const& run);
// Of a worker: one task, which comes back when it is interrupted.
JobSpec worker_spec(JobSpec spec);
// Of the worker with this number in this round of its job: ID-w0-r1. People's jobs are not called
// so.
JobId worker_id(JobId const& job, std::uint32_t number, std::uint32_t round);
bool is_worker_id(JobId const& job);

}  // namespace lepton::deployer
