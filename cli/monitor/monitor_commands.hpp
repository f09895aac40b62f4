#pragma once
// top, node show and alert list|rules|put|remove: how machines are, and what is wrong. One thread.

#include "cli/command.hpp"
#include "cli/output/table.hpp"
#include "schemas/monitor_alert.hpp"

namespace lepton::cli {

Commands monitor_commands();
Commands alert_commands();  // part of the former

// What a person types for `alert put`.
struct AlertOptions {
  std::string rule, series, above, below, summary;
  std::string window = "1m", pending = "1m", resolve = "1m", severity = "warning";
  bool off = false;
};
// invalid, with the name of the option.
Result<AlertRulePut> alert_request(AlertOptions const& options);

Table top_table(NodeHealthPage const& page, WallMs now_ms);
// The sheet of one node; its GPUs and tasks, and its changes, below.
Table node_sheet(NodeStory const& story, WallMs now_ms);
Table part_table(NodeHealth const& health);
Table state_table(NodeStory const& story, WallMs now_ms);
Table alert_table(Alerts const& alerts, WallMs now_ms);
Table rule_table(AlertRules const& rules);

}  // namespace lepton::cli
