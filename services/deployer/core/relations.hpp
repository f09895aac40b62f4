#pragma once
// What jobs are to each other: one may wait for the end of others, and many may be one array. Pure.

#include <cstdint>
#include <map>
#include <string>

#include "common/base/result.hpp"
#include "schemas/array.hpp"
#include "schemas/states.hpp"
#include "schemas/values.hpp"

namespace lepton::deployer {

inline constexpr std::size_t dependencies_max = 64;

// Refuses by the field what no job could mean.
Status check_relations(JobId const& job, JobSpec const& spec);

// How a job stands to one that it waits for. An array counts as a job.
enum class Met : std::uint8_t { not_yet, met, never };
Met met(AfterEnd wanted, JobState other);

// Jobs of an array by state.
using StateCounts = std::map<JobState, std::uint32_t>;
// Of the array as a whole: running while one holds room, then queued while one waits; at its end
// succeeded when all have, else failed or cancelled, whichever there is.
JobState state_of(StateCounts const& counts);
std::string text_of(StateCounts const& counts);

JobId member_of_array(JobId const& array, std::uint32_t index);
// The spec of one job of the array, and the spec of the array as that job's shows it.
JobSpec member_spec(JobSpec const& array, std::uint32_t index);
JobSpec array_spec(JobSpec const& member);

}  // namespace lepton::deployer
