// What a person types for a rule, and what is shown of machines and alerts.

#include <gtest/gtest.h>

#include "cli/monitor/monitor_commands.hpp"

namespace lepton::cli {
namespace {

AlertOptions hot() {
  AlertOptions o;
  o.rule = "gpu-hot";
  o.series = "gpu_temperature_celsius";
  o.above = "88.5";
  return o;
}

TEST(AlertPut, WhatIsTypedBecomesTheRequest) {
  auto o = hot();
  o.window = "30s";
  o.pending = "2m";
  o.resolve = "1h";
  o.severity = "critical";
  o.summary = "too hot";
  o.off = true;
  auto const put = alert_request(o);
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(put->rule,
            (AlertRule{"gpu-hot", Series::gpu_temperature_celsius, AlertSide::above, 88.5, 30'000,
                       120'000, 3'600'000, AlertSeverity::critical, "too hot", false}));
}

TEST(AlertPut, BelowIsASideToo) {
  auto o = hot();
  o.above = "";
  o.below = "-2";
  auto const put = alert_request(o);
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(put->rule.side, AlertSide::below);
  EXPECT_EQ(put->rule.threshold, -2);
}

TEST(AlertPut, WrongOptionsAreRefusedByName) {
  struct Case {
    char const* option;
    void (*change)(AlertOptions&);
  };
  for (auto const& [option, change] : std::initializer_list<Case>{
           {"--series", [](AlertOptions& o) { o.series = "gpu_temperature"; }},
           {"--series", [](AlertOptions& o) { o.series = "unknown"; }},
           {"--severity", [](AlertOptions& o) { o.severity = "bad"; }},
           {"--above", [](AlertOptions& o) { o.above = "88x"; }},
           {"--above", [](AlertOptions& o) { o.above = ""; }},
           {"--below", [](AlertOptions& o) { o.below = "1"; }},
           {"--window", [](AlertOptions& o) { o.window = "long"; }},
           {"--for", [](AlertOptions& o) { o.pending = "-1s"; }},
           {"--resolve", [](AlertOptions& o) { o.resolve = ""; }}}) {
    auto o = hot();
    change(o);
    auto const put = alert_request(o);
    ASSERT_FALSE(put) << option;
    EXPECT_NE(put.error().what.find(option), std::string::npos) << put.error().what;
  }
  auto o = hot();
  o.series = "gpu_powr_watts";
  EXPECT_NE(alert_request(o).error().what.find("did you mean 'gpu_power_watts'"),
            std::string::npos);
}

NodeHealth busy() {
  NodeHealth h;
  h.node = NodeId{"gpu-7"};
  h.state = NodeState::suspect;
  h.since_ms = 60'000;
  h.reason = "silent for 4.0 s, phi 9.0";
  h.heard_at_ms = 61'000;
  h.values = {{Series::cpu_use, "", 0.256},
              {Series::network_send_bytes_per_s, "", 1'250'000},
              {Series::gpu_use, "GPU-a", 1},
              {Series::gpu_use, "GPU-b", 0.5},
              {Series::task_memory_mib, "j-0-1", 512}};
  h.alerts = 2;
  return h;
}

TEST(Top, ShowsWhatIsKnownAndADashForTheRest) {
  auto const text = top_table({{busy()}, 1}, 65'000).text(false);
  for (auto const* part : {"gpu-7", "suspect", "26%", "1.2 MB/s", "75%", "4s ago"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_NE(text.find(" - "), std::string::npos) << text;
}

TEST(NodeSheet, SaysWhyAndListsParts) {
  NodeStory const story{busy(),
                        {{"gpu-7", 2, 60'000, NodeState::ready, NodeState::suspect, "silent"}}};
  auto const sheet = node_sheet(story, 65'000).text(false);
  EXPECT_NE(sheet.find("silent for 4.0 s"), std::string::npos) << sheet;
  auto const parts = part_table(story.health).text(false);
  for (auto const* part : {"GPU-a", "GPU-b", "j-0-1", "task_memory_mib", "512"})
    EXPECT_NE(parts.find(part), std::string::npos) << parts;
  EXPECT_EQ(parts.find("cpu_use"), std::string::npos);
  EXPECT_NE(state_table(story, 65'000).text(false).find("suspect"), std::string::npos);
}

TEST(AlertTables, ShowRuleAndWhatItIsAbout) {
  Alerts const alerts{{{"gpu-hot", "gpu-7", "GPU-a", 60'000, AlertState::firing, 61'000, 95.5, 90,
                        AlertSeverity::critical, "too hot"}},
                      1};
  auto const text = alert_table(alerts, 65'000).text(false);
  for (auto const* part : {"gpu-hot", "critical", "firing", "GPU-a", "95.5", "too hot"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  auto const rules = rule_table({{alert_request(hot())->rule}}).text(false);
  EXPECT_NE(rules.find("above 88.5"), std::string::npos) << rules;
}

}  // namespace
}  // namespace lepton::cli
