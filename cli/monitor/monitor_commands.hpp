#pragma once
// top, node show, alert list|rules|put|remove and scrape put|list|show|remove: how machines are,
// and what is wrong. One thread.

#include "cli/command.hpp"
#include "cli/output/table.hpp"
#include "schemas/monitor_alert.hpp"
#include "schemas/scrape.hpp"

namespace lepton::cli {

Commands monitor_commands();
Commands alert_commands();   // part of the former
Commands scrape_commands();  // likewise

// What a person types for `alert put`.
struct AlertOptions {
  std::string rule, series, above, below, summary, sample;
  std::string window = "1m", pending = "1m", resolve = "1m", severity = "warning";
  bool off = false;
};
// invalid, with the name of the option.
Result<AlertRulePut> alert_request(AlertOptions const& options);

// What a person types for `scrape put`.
struct ScrapeOptions {
  std::string name, url, keep;
  std::string every = "15s", timeout = "5s";
};
Result<ScrapePut> scrape_request(ScrapeOptions const& options);

Table top_table(NodeHealthPage const& page, WallMs now_ms);
// The sheet of one node; its GPUs and tasks, and its changes, below.
Table node_sheet(NodeStory const& story, WallMs now_ms);
Table part_table(NodeHealth const& health);
Table state_table(NodeStory const& story, WallMs now_ms);
Table alert_table(Alerts const& alerts, WallMs now_ms);
Table rule_table(AlertRules const& rules);
Table scrape_table(ScrapePage const& page, WallMs now_ms);

}  // namespace lepton::cli
