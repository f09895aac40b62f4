#pragma once
// The rows of the monitor (schemas/sql/monitor), beside those that travel as they are: NodeChange,
// AlertRule, AlertChange. Times are wall ms: the service's own clock begins anew with the machine.

#include "schemas/monitor_alert.hpp"

namespace lepton::monitor {

// Replaced at each change of its state.
struct NodeRow {
  static constexpr std::string_view table = "node";
  std::string node;
  std::string boot_id;
  NodeChange last;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "node", &NodeRow::node, "Name of the node.").key(),
                          field(2, "boot_id", &NodeRow::boot_id, "Boot it was last heard in."),
                          field(3, "last", &NodeRow::last, "How it came into its state."));
  }
};
static_assert(schema::complete<NodeRow>());

template <RollupSpan span>
struct RollupRow {
  static constexpr std::string_view table =
      span == RollupSpan::minute ? "rollup_minute" : "rollup_hour";
  std::string node;
  Series series = Series::unknown;
  std::string part;
  WallMs at_ms = 0;
  std::uint32_t samples = 0;
  double mean = 0;
  double low = 0;
  double high = 0;

  static consteval auto fields() {
    using schema::field;
    using R = RollupRow;
    return schema::fields(field(1, "node", &R::node, "Name of the node.").key(),
                          field(2, "series", &R::series, "What was measured.").key(),
                          field(3, "part", &R::part, "Of what; empty: the node.").key(),
                          field(4, "at_ms", &R::at_ms, "Its beginning, ms since 1970.").key(),
                          field(5, "samples", &R::samples, "How many it is made of."),
                          field(6, "mean", &R::mean, "Their mean."),
                          field(7, "low", &R::low, "The lowest."),
                          field(8, "high", &R::high, "The highest."));
  }
};
using MinuteRow = RollupRow<RollupSpan::minute>;
using HourRow = RollupRow<RollupSpan::hour>;
static_assert(schema::complete<MinuteRow>() && schema::complete<HourRow>());

struct FiringRow {
  static constexpr std::string_view table = "alert_firing";
  std::string rule;
  std::string node;
  std::string part;
  AlertChange change;

  static consteval auto fields() {
    using schema::field;
    using R = FiringRow;
    return schema::fields(field(1, "rule", &R::rule, "Name of the rule.").key(),
                          field(2, "node", &R::node, "Node that it is about.").key(),
                          field(3, "part", &R::part, "Part of the node.").key(),
                          field(4, "change", &R::change, "How it began to fire."));
  }
};
static_assert(schema::complete<FiringRow>());

// Asks the database to make and drop partitions.
struct UpkeepRow {
  static constexpr std::string_view table = "upkeep";
  std::int64_t id = 0;
  WallMs at_ms = 0;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "id", &UpkeepRow::id, "Always 0.").key(),
                          field(2, "at_ms", &UpkeepRow::at_ms, "When, ms since 1970."));
  }
};
static_assert(schema::complete<UpkeepRow>());

}  // namespace lepton::monitor
