#pragma once
// Settings of the deployer. Times in ms; limits are counts unless they say otherwise.

#include <cstdint>
#include <string>

#include "common/base/time.hpp"
#include "schemas/placement.hpp"
#include "services/deployer/core/depot.hpp"
#include "services/deployer/decisions/decision_log.hpp"

namespace lepton::deployer {

struct Settings {
  TimeMs suspect_after_ms = 4'000;       // a sync is late
  TimeMs unreachable_after_ms = 15'000;  // leases are running out
  TimeMs tick_ms = 500;
  std::uint32_t tries_per_pass = 256;
  std::size_t jobs_max = 500'000;           // unfinished jobs
  std::size_t finished_kept_max = 100'000;  // in memory; the view job_in_use has this number, too
  std::size_t preempting_max = 8;           // jobs that wait for victims to stop, at one time
  std::size_t preemption_plans_per_tick = 4;
  TimeMs preemption_pause_ms = 5'000;    // before a job without a plan is planned again
  TimeMs preemption_margin_ms = 60'000;  // victims may take so much longer than their grace
  TimeMs balance_every_ms = 1'000;       // also when nothing has changed
  TimeMs report_every_ms = 1'000;        // to the scaler
  std::uint32_t entrance_first = 0;      // ports of the balancer
  std::uint32_t entrance_count = 0;
  std::string entrance_address = "127.0.0.1";
  TimeMs reservation_pause_ms = 1'000;  // before an earlier instant is looked for
  TimeMs overrun_max_ms = 60'000;       // beyond its limit of time, work is still about to end
  TimeMs patience_ms = 86'400'000;      // who has waited for longer is first in line
  TimeMs patience_check_ms = 10'000;    // how often it is looked for them
  TimeMs trust_ms = 86'400'000;         // after its limit of time, a job will not end any more
  TimeMs doubt_max_ms = 60'000;         // their places may be on nodes that are not ready
  PlacementPolicy placement_policy = PlacementPolicy::foresight;
  DepotLimits folders;
  DecisionLimits decisions;
  TimeMs waits_told_every_ms = 60'000;  // of one job, why it waits is kept no more often
};

}  // namespace lepton::deployer
