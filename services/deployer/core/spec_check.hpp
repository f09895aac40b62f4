#pragma once
// Refuses a job that could not run as written: names, sizes, limits. Pure; the error names the
// field.

#include "common/base/result.hpp"
#include "schemas/values.hpp"

namespace lepton::deployer {

Status check_spec(JobId const& job, JobSpec const& spec);

}  // namespace lepton::deployer
