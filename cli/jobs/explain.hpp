#pragma once
// job explain: why a job waits and what would help, or why its node was chosen
// (schemas/explain.hpp). One thread.

#include "cli/command.hpp"
#include "cli/output/table.hpp"
#include "schemas/explain.hpp"

namespace lepton::cli {

Command explain_command();

// Pure.
Table explanation_sheet(JobExplanation const& e, std::int64_t now_ms);
Table rejection_table(JobExplanation const& e);
std::string cost_words(std::vector<ScoreTerm> const& terms);
Table choice_table(std::vector<NodeChoice> const& choices);

}  // namespace lepton::cli
