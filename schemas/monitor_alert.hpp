#pragma once
// Rules and alerts, as messages and rows. Owned by the monitor. A rule is data: a series, a
// threshold, and how long it must be crossed.

#include "schemas/monitor.hpp"

namespace lepton {

enum class AlertSide : std::uint8_t { unknown, above, below };
consteval auto enumerators(AlertSide) {
  return std::to_array<std::string_view>({"unknown", "above", "below"});
}
enum class AlertSeverity : std::uint8_t { unknown, info, warning, critical };
consteval auto enumerators(AlertSeverity) {
  return std::to_array<std::string_view>({"unknown", "info", "warning", "critical"});
}
// pending: crossed, but not yet for long enough.
enum class AlertState : std::uint8_t { unknown, pending, firing, resolved };
consteval auto enumerators(AlertState) {
  return std::to_array<std::string_view>({"unknown", "pending", "firing", "resolved"});
}

struct AlertRule {
  static constexpr std::string_view table = "alert_rule";
  std::string name;
  Series series = Series::unknown;
  AlertSide side = AlertSide::above;
  double threshold = 0;
  std::int64_t window_ms = 60'000;
  std::int64_t pending_ms = 60'000;
  std::int64_t resolve_ms = 60'000;
  AlertSeverity severity = AlertSeverity::warning;
  std::string summary;
  bool enabled = true;
  std::string sample;

  bool operator==(AlertRule const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using R = AlertRule;
    return schema::fields(
        field(1, "name", &R::name, "Name of the rule, a DNS label.").key(),
        field(2, "series", &R::series, "What it looks at, on every node and part."),
        field(3, "side", &R::side, "Which side of the threshold is bad.").optional(),
        field(4, "threshold", &R::threshold, "In the unit of the series."),
        field(5, "window_ms", &R::window_ms, "The mean over so long is looked at, ms.")
            .bounds(1'000, 120'000)
            .optional(),
        field(6, "pending_ms", &R::pending_ms, "Bad for so long before it fires, ms.")
            .bounds(0, 86'400'000)
            .optional(),
        field(7, "resolve_ms", &R::resolve_ms, "Good for so long before it is resolved, ms.")
            .bounds(0, 86'400'000)
            .optional(),
        field(8, "severity", &R::severity, "info, warning or critical.").optional(),
        field(9, "summary", &R::summary, "What it means, for people.").optional(),
        field(10, "enabled", &R::enabled, "A rule that is off looks at nothing.").optional(),
        field(140, "sample", &R::sample,
              "With series scraped: name of the exporters' samples, whatever their labels.")
            .since(4));
  }
};
static_assert(schema::complete<AlertRule>());

// One alert at one of its steps; rows for fired and resolved.
struct AlertChange {
  static constexpr std::string_view table = "alert_change";
  std::string rule;
  std::string node;
  std::string part;
  WallMs since_ms = 0;
  AlertState state = AlertState::unknown;
  WallMs at_ms = 0;
  std::optional<double> value;
  double threshold = 0;
  AlertSeverity severity = AlertSeverity::unknown;
  std::string summary;

  bool operator==(AlertChange const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using A = AlertChange;
    return schema::fields(
        field(1, "rule", &A::rule, "Name of the rule.").key(),
        field(2, "node", &A::node, "Node that it is about.").key(),
        field(3, "part", &A::part, "Part of the node; empty: the node.").key(),
        field(4, "since_ms", &A::since_ms, "Bad since, ms since 1970.").key(),
        field(5, "state", &A::state, "pending, firing or resolved.").key(),
        field(6, "at_ms", &A::at_ms, "In this state since, ms since 1970."),
        field(7, "value", &A::value, "Mean of the series then; nothing without samples."),
        field(8, "threshold", &A::threshold, "Of the rule then."),
        field(9, "severity", &A::severity, "Of the rule then."),
        field(10, "summary", &A::summary, "Of the rule then."));
  }
};
static_assert(schema::complete<AlertChange>());

struct AlertRulesChanged {
  std::uint32_t rules = 0;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "rules", &AlertRulesChanged::rules, "How many there are now."));
  }
};
static_assert(schema::complete<AlertRulesChanged>());

struct AlertRulePut {
  static constexpr std::string_view topic = "monitor.rule.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = AlertRulesChanged;
  AlertRule rule;

  std::string resource() const { return "alert/" + rule.name; }
  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "rule", &AlertRulePut::rule, "Added, or replaces the one of this name."));
  }
};
static_assert(schema::complete<AlertRulePut>());

// Alerts of a rule that is gone are resolved.
struct AlertRuleRemove {
  static constexpr std::string_view topic = "monitor.rule.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = AlertRulesChanged;
  std::string name;

  std::string resource() const { return "alert/" + name; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &AlertRuleRemove::name, "Name of the rule."));
  }
};
static_assert(schema::complete<AlertRuleRemove>());

struct AlertRules {
  std::vector<AlertRule> rules;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "rules", &AlertRules::rules, "By name."));
  }
};
static_assert(schema::complete<AlertRules>());

struct AlertRuleList {
  static constexpr std::string_view topic = "monitor.rule.list";
  static constexpr Verb verb = Verb::list;
  using Reply = AlertRules;
  bool all = true;

  std::string resource() const { return "alert"; }
  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "all", &AlertRuleList::all, "Also those that are off.").optional());
  }
};
static_assert(schema::complete<AlertRuleList>());

struct Alerts {
  std::vector<AlertChange> alerts;
  std::uint64_t total = 0;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(field(1, "alerts", &Alerts::alerts, "Pending and firing, by rule."),
                          field(2, "total", &Alerts::total, "How many there are in all."));
  }
};
static_assert(schema::complete<Alerts>());

struct AlertList {
  static constexpr std::string_view topic = "monitor.alert.list";
  static constexpr Verb verb = Verb::list;
  using Reply = Alerts;
  bool pending = false;
  std::uint32_t limit = 100;

  std::string resource() const { return "alert"; }
  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "pending", &AlertList::pending, "Also those that do not fire yet.").optional(),
        field(2, "limit", &AlertList::limit, "At most so many.").bounds(0, 1000).optional());
  }
};
static_assert(schema::complete<AlertList>());

// Event of the stream "alerts": one fires, or is resolved.
struct AlertChanged {
  static constexpr std::string_view topic = "monitor.alert.changed";
  AlertChange change;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "change", &AlertChanged::change, "What changed."));
  }
};
static_assert(schema::complete<AlertChanged>());

}  // namespace lepton
