#pragma once
// Jobs as tables. Pure; any thread.

#include "cli/output/table.hpp"
#include "common/base/time.hpp"
#include "schemas/deployer.hpp"

namespace lepton::cli {

Table job_table(JobPage const& page, WallMs now_ms);
Table job_sheet(JobView const& job, WallMs now_ms);
Table task_table(JobView const& job);
Table accepted_sheet(JobAccepted const& accepted, std::string const& name);
Table plan_sheet(PlanView const& plan);

// "succeeded", or with how it ended: "failed: exit code 3".
std::string ending_words(JobView const& job);

}  // namespace lepton::cli
