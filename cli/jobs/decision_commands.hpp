#pragma once
// Commands about what the deployer has decided: `lepton decision ...`, and what of it `lepton job
// explain --replay` shows. One thread.

#include "cli/command.hpp"
#include "cli/output/table.hpp"
#include "schemas/decision.hpp"

namespace lepton::cli {

Commands decision_commands();

// The newest decision about a job, made again: what was decided, and the nodes as they stood then.
Result<int> replay_job(Shell& shell, std::string const& job);

Table decision_table(DecisionPage const& page);
Table replay_sheet(DecisionsReplayed const& r);

}  // namespace lepton::cli
