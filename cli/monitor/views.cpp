#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/monitor/monitor_commands.hpp"
#include "cli/output/words.hpp"

namespace lepton::cli {
namespace {

constexpr char const* absent = "-";

std::optional<double> value_of(NodeHealth const& h, Series series, std::string const& part = "") {
  for (auto const& m : h.values)
    if (m.series == series && m.part == part) return m.value;
  return std::nullopt;
}

// Over the parts, as of all GPUs of a node.
std::optional<double> mean_of(NodeHealth const& h, Series series) {
  double sum = 0;
  int count = 0;
  for (auto const& m : h.values)
    if (m.series == series) sum += m.value, ++count;
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

std::size_t parts_of(NodeHealth const& h, Series series) {
  return static_cast<std::size_t>(
      std::count_if(h.values.begin(), h.values.end(),
                    [&](auto const& m) { return m.series == series && !m.part.empty(); }));
}

std::string percent(std::optional<double> use) {
  return use ? fmt::format("{:.0f}%", *use * 100) : absent;
}

std::string number(std::optional<double> value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : absent;
}

// "1.2 MB/s"
std::string rate(std::optional<double> bytes_per_s) {
  if (!bytes_per_s) return absent;
  constexpr char const* units[] = {"B/s", "kB/s", "MB/s", "GB/s"};
  auto value = *bytes_per_s;
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, units[unit]);
}

std::string heard(NodeHealth const& h, WallMs now_ms) {
  return h.heard_at_ms ? ago(*h.heard_at_ms, now_ms) : "never";
}

std::string threshold(AlertSide side, double value) {
  return fmt::format("{} {:g}", schema::name_of(side), value);
}

}  // namespace

Table top_table(NodeHealthPage const& page, WallMs now_ms) {
  Table table({"NODE", "STATUS", "CPU", "LOAD", "MEMORY", "DISK", "NET IN", "NET OUT", "GPUS",
               "GPU", "GPU MEMORY", "TASKS", "ALERTS", "HEARD"});
  for (auto const& h : page.nodes) {
    auto const tasks =
        std::max(parts_of(h, Series::task_memory_mib), parts_of(h, Series::task_cpu_cores));
    table.row({h.node.value, std::string(schema::name_of(h.state)),
               percent(value_of(h, Series::cpu_use)), number(value_of(h, Series::load_1m), 1),
               percent(value_of(h, Series::memory_use)), percent(value_of(h, Series::disk_use)),
               rate(value_of(h, Series::network_receive_bytes_per_s)),
               rate(value_of(h, Series::network_send_bytes_per_s)),
               std::to_string(parts_of(h, Series::gpu_use)), percent(mean_of(h, Series::gpu_use)),
               percent(mean_of(h, Series::gpu_memory_use)), std::to_string(tasks),
               std::to_string(h.alerts), heard(h, now_ms)});
  }
  return table;
}

Table node_sheet(NodeStory const& story, WallMs now_ms) {
  auto const& h = story.health;
  auto sheet = Table::sheet();
  sheet.row({"NODE", h.node.value})
      .row({"STATUS", std::string(schema::name_of(h.state))})
      .row({"SINCE", ago(h.since_ms, now_ms)})
      .row({"WHY", h.reason})
      .row({"HEARD", heard(h, now_ms)})
      .row({"SUSPICION", number(h.suspicion, 1)})
      .row({"CPU", percent(value_of(h, Series::cpu_use))})
      .row({"LOAD", number(value_of(h, Series::load_1m), 2)})
      .row({"MEMORY", percent(value_of(h, Series::memory_use))})
      .row({"DISK", percent(value_of(h, Series::disk_use))})
      .row({"DISK READ", rate(value_of(h, Series::disk_read_bytes_per_s))})
      .row({"DISK WRITE", rate(value_of(h, Series::disk_write_bytes_per_s))})
      .row({"NET IN", rate(value_of(h, Series::network_receive_bytes_per_s))})
      .row({"NET OUT", rate(value_of(h, Series::network_send_bytes_per_s))})
      .row({"ALERTS", std::to_string(h.alerts)});
  if (h.dropped > 0) sheet.row({"SAMPLES LOST", std::to_string(h.dropped)});
  if (!h.detail.empty()) sheet.row({"DETAIL", h.detail});
  return sheet;
}

Table part_table(NodeHealth const& health) {
  Table table({"PART", "SERIES", "VALUE"});
  for (auto const& m : health.values)
    if (!m.part.empty())
      table.row({m.part, std::string(schema::name_of(m.series)), fmt::format("{:.3g}", m.value)});
  return table;
}

Table state_table(NodeStory const& story, WallMs now_ms) {
  Table table({"WHEN", "FROM", "STATUS", "WHY"});
  for (auto const& c : story.changes)
    table.row({ago(c.at_ms, now_ms), std::string(schema::name_of(c.before)),
               std::string(schema::name_of(c.state)), c.reason});
  return table;
}

Table alert_table(Alerts const& alerts, WallMs now_ms) {
  Table table({"RULE", "SEVERITY", "STATUS", "NODE", "PART", "VALUE", "SINCE", "WHAT"});
  for (auto const& a : alerts.alerts)
    table.row({a.rule, std::string(schema::name_of(a.severity)),
               std::string(schema::name_of(a.state)), a.node, a.part.empty() ? absent : a.part,
               a.value ? fmt::format("{:g}", *a.value) : absent, ago(a.since_ms, now_ms),
               a.summary});
  return table;
}

Table rule_table(AlertRules const& rules) {
  Table table({"RULE", "ON", "SEVERITY", "SERIES", "BAD", "WINDOW", "FOR", "WHAT"});
  for (auto const& r : rules.rules)
    table.row({r.name, r.enabled ? "yes" : "no", std::string(schema::name_of(r.severity)),
               std::string(schema::name_of(r.series)), threshold(r.side, r.threshold),
               duration_words(r.window_ms), duration_words(r.pending_ms), r.summary});
  return table;
}

}  // namespace lepton::cli
