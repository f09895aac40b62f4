#pragma once
// Messages of the monitor: what nodes measure, whether they live, and what is wrong. Owned by the
// monitor. Rules and alerts: schemas/monitor_alert.hpp.
//
// Conversation of a node (N the node, M the monitor), about once a second, beside its sync with the
// deployer:
//   report = N:NodeReport ( M:ReportTaken / M:Refusal )    ; a lost report is only a gap

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"
#include "schemas/states.hpp"

namespace lepton {

// What is measured. `_use` is a share, 0 to 1. The part says of what: a GPU's UUID, an attempt; ""
// is the node itself.
enum class Series : std::uint8_t {
  unknown,
  cpu_use,
  load_1m,
  memory_use,
  disk_use,
  disk_read_bytes_per_s,
  disk_write_bytes_per_s,
  network_receive_bytes_per_s,
  network_send_bytes_per_s,
  gpu_use,
  gpu_memory_use,
  gpu_power_watts,
  gpu_temperature_celsius,
  task_cpu_cores,
  task_memory_mib,
  silence_s,  // since the node was last heard; measured by the monitor, never reported
  scraped     // from an exporter, read by the monitor; the part is the sample's name and labels
};
consteval auto enumerators(Series) {
  return std::to_array<std::string_view>(
      {"unknown", "cpu_use", "load_1m", "memory_use", "disk_use", "disk_read_bytes_per_s",
       "disk_write_bytes_per_s", "network_receive_bytes_per_s", "network_send_bytes_per_s",
       "gpu_use", "gpu_memory_use", "gpu_power_watts", "gpu_temperature_celsius", "task_cpu_cores",
       "task_memory_mib", "silence_s", "scraped"});
}

struct Measure {
  Series series = Series::unknown;
  std::string part;
  double value = 0;

  bool operator==(Measure const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "series", &Measure::series, "What was measured."),
                          field(2, "part", &Measure::part, "Of what; empty: the node.").optional(),
                          field(3, "value", &Measure::value, "In the unit of the series."));
  }
};
static_assert(schema::complete<Measure>());

struct TelemetrySample {
  std::int64_t age_ms = 0;
  std::vector<Measure> values;

  static consteval auto fields() {
    using schema::field;
    using T = TelemetrySample;
    return schema::fields(
        field(1, "age_ms", &T::age_ms, "Taken so long before it was sent, ms.").bounds(0, 600'000),
        field(2, "values", &T::values, "What does not exist there is absent, never 0."));
  }
};
static_assert(schema::complete<TelemetrySample>());

struct ReportTaken {
  NodeState state = NodeState::unknown;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "state", &ReportTaken::state, "How the monitor sees the node now."));
  }
};
static_assert(schema::complete<ReportTaken>());

// A sign of life, with what was measured since the last one.
struct NodeReport {
  static constexpr std::string_view topic = "monitor.node.report";
  static constexpr Verb verb = Verb::write;
  using Reply = ReportTaken;
  NodeId node;
  std::string boot_id;
  bool draining = false;
  std::vector<TelemetrySample> samples;
  std::uint64_t dropped = 0;
  std::string detail;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeReport;
    return schema::fields(
        field(1, "node", &T::node, "Name; must be the caller's own."),
        field(2, "boot_id", &T::boot_id, "Changes with each boot."),
        field(3, "draining", &T::draining, "The deployer told it so."),
        field(4, "samples", &T::samples, "Oldest first; at most 30, 2,000 values in all."),
        field(5, "dropped", &T::dropped,
              "Samples that found no room while the monitor was away, since the daemon's start."),
        field(6, "detail", &T::detail, "What it cannot measure, and why.").optional());
  }
};
static_assert(schema::complete<NodeReport>());

// How one node is.
struct NodeHealth {
  NodeId node;
  NodeState state = NodeState::unknown;
  WallMs since_ms = 0;
  std::string reason;
  std::optional<WallMs> heard_at_ms;
  double suspicion = 0;
  std::vector<Measure> values;
  std::uint64_t dropped = 0;
  std::uint32_t alerts = 0;
  std::string detail;

  static consteval auto fields() {
    using schema::field;
    using T = NodeHealth;
    return schema::fields(
        field(1, "node", &T::node, "Name."), field(2, "state", &T::state, "State."),
        field(3, "since_ms", &T::since_ms, "In this state since, ms since 1970."),
        field(4, "reason", &T::reason, "Why it is in this state."),
        field(5, "heard_at_ms", &T::heard_at_ms,
              "Last report, ms since 1970; nothing since the monitor started."),
        field(6, "suspicion", &T::suspicion,
              "Phi: minus the decimal logarithm of the chance that such a silence means nothing."),
        field(7, "values", &T::values, "Newest of each series."),
        field(8, "dropped", &T::dropped, "Samples that the node could not send."),
        field(9, "alerts", &T::alerts, "Alerts that fire for it."),
        field(10, "detail", &T::detail, "What it cannot measure, and why."));
  }
};
static_assert(schema::complete<NodeHealth>());

struct NodeHealthPage {
  std::vector<NodeHealth> nodes;
  std::uint64_t total = 0;

  static consteval auto fields() {
    using schema::field;
    using T = NodeHealthPage;
    return schema::fields(field(1, "nodes", &T::nodes, "By name."),
                          field(2, "total", &T::total, "How many there are in all."));
  }
};
static_assert(schema::complete<NodeHealthPage>());

struct NodeHealthList {
  static constexpr std::string_view topic = "monitor.node.list";
  static constexpr Verb verb = Verb::list;
  using Reply = NodeHealthPage;
  std::string after;
  std::uint32_t limit = 50;

  std::string resource() const { return "node"; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeHealthList;
    return schema::fields(
        field(1, "after", &T::after, "Only names after this one.").optional(),
        field(2, "limit", &T::limit, "At most so many.").bounds(0, 200).optional());
  }
};
static_assert(schema::complete<NodeHealthList>());

// A change of state, in the order of its number. Rows, and what `lepton node show` lists.
struct NodeChange {
  static constexpr std::string_view table = "node_change";
  std::string node;
  std::uint64_t number = 0;
  WallMs at_ms = 0;
  NodeState before = NodeState::unknown;
  NodeState state = NodeState::unknown;
  std::string reason;

  bool operator==(NodeChange const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = NodeChange;
    return schema::fields(
        field(1, "node", &T::node, "Name of the node.").key(),
        field(2, "number", &T::number, "Rises with each change of the node.").key(),
        field(3, "at_ms", &T::at_ms, "When it was noticed, ms since 1970."),
        field(4, "before", &T::before, "State before."),
        field(5, "state", &T::state, "State from then on."),
        field(6, "reason", &T::reason, "A sentence for people."));
  }
};
static_assert(schema::complete<NodeChange>());

struct NodeStory {
  NodeHealth health;
  std::vector<NodeChange> changes;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "health", &NodeStory::health, "How it is now."),
                          field(2, "changes", &NodeStory::changes, "Of its state, newest first."));
  }
};
static_assert(schema::complete<NodeStory>());

struct NodeShow {
  static constexpr std::string_view topic = "monitor.node.show";
  static constexpr Verb verb = Verb::read;
  using Reply = NodeStory;
  NodeId node;
  std::uint32_t limit = 10;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = NodeShow;
    return schema::fields(
        field(1, "node", &T::node, "Name."),
        field(2, "limit", &T::limit, "At most so many changes.").bounds(0, 1000).optional());
  }
};
static_assert(schema::complete<NodeShow>());

enum class RollupSpan : std::uint8_t { unknown, minute, hour };
consteval auto enumerators(RollupSpan) {
  return std::to_array<std::string_view>({"unknown", "minute", "hour"});
}

// What a series did in a minute or an hour.
struct Rollup {
  WallMs at_ms = 0;
  std::uint32_t samples = 0;
  double mean = 0;
  double low = 0;
  double high = 0;

  bool operator==(Rollup const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = Rollup;
    return schema::fields(field(1, "at_ms", &T::at_ms, "Its beginning, ms since 1970."),
                          field(2, "samples", &T::samples, "How many it is made of."),
                          field(3, "mean", &T::mean, "Their mean."),
                          field(4, "low", &T::low, "The lowest."),
                          field(5, "high", &T::high, "The highest."));
  }
};
static_assert(schema::complete<Rollup>());

struct SeriesHistory {
  std::vector<Rollup> rollups;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "rollups", &SeriesHistory::rollups, "Newest first; gaps are silence."));
  }
};
static_assert(schema::complete<SeriesHistory>());

struct SeriesRead {
  static constexpr std::string_view topic = "monitor.series.read";
  static constexpr Verb verb = Verb::read;
  using Reply = SeriesHistory;
  NodeId node;
  Series series = Series::cpu_use;
  std::string part;
  RollupSpan span = RollupSpan::minute;
  WallMs from_ms = 0;
  std::uint32_t limit = 60;

  std::string resource() const { return "node/" + node.value; }
  static consteval auto fields() {
    using schema::field;
    using T = SeriesRead;
    return schema::fields(
        field(1, "node", &T::node, "Name."), field(2, "series", &T::series, "What."),
        field(3, "part", &T::part, "Of what; empty: the node.").optional(),
        field(4, "span", &T::span, "Minutes or hours.").optional(),
        field(5, "from_ms", &T::from_ms, "Not older, ms since 1970.").optional(),
        field(6, "limit", &T::limit, "At most so many.").bounds(1, 1500).optional());
  }
};
static_assert(schema::complete<SeriesRead>());

// Event of the stream "nodes".
struct NodeStateChanged {
  static constexpr std::string_view topic = "monitor.node.changed";
  NodeChange change;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "change", &NodeStateChanged::change, "What changed."));
  }
};
static_assert(schema::complete<NodeStateChanged>());

// The state behind that stream, for a consumer that comes late.
struct NodeStates {
  std::vector<NodeChange> nodes;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "nodes", &NodeStates::nodes, "The last change of each node."));
  }
};
static_assert(schema::complete<NodeStates>());

}  // namespace lepton
