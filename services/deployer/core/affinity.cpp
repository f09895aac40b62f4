#include "services/deployer/core/affinity.hpp"

#include "common/base/text.hpp"
#include "services/deployer/core/reach.hpp"
#include "services/deployer/core/site.hpp"

namespace lepton::deployer {
namespace {

Error bad(std::string what) {
  return {Code::invalid, std::move(what)};
}

Status check_rule(std::string const& field, LabelRule const& rule) {
  if (!is_label_key(rule.key))
    return bad(field + ": '" + rule.key.substr(0, 64) +
               "' is no key of a label: 1 to 63 of A-Z a-z 0-9 . _ / -");
  if (rule.values.size() > labels_max) return bad(field + ": more than 64 values of one label");
  for (auto const& value : rule.values)
    if (!is_label_value(value))
      return bad(field + ": '" + value.substr(0, 64) +
                 "' is no value of a label: at most 63 of A-Z a-z 0-9 . _ -");
  return ok();
}

Status check_rules(std::string const& field, std::vector<LabelRule> const& rules,
                   std::size_t most) {
  if (rules.size() > most) return bad(field + ": more than " + std::to_string(most));
  for (auto const& rule : rules)
    if (auto good = check_rule(field, rule); !good) return good;
  return ok();
}

Status check_topology(Constraints const& c, std::uint32_t tasks) {
  if (c.topology == TopologyMode::unknown)
    return bad("topology: must be pack or spread, for example {pack: rack}");
  if (c.topology == TopologyMode::none) {
    if (c.topology_label.empty()) return ok();
    return bad("topology: names a label but neither pack nor spread");
  }
  if (!is_label_key(c.topology_label))
    return bad("topology: '" + c.topology_label.substr(0, 64) + "' is no key of a label");
  if (tasks < 2) return bad("topology: is of gangs; with nodes: 1 there is nothing to lay out");
  return ok();
}

bool is_missed(LabelRule const& rule, Labels const& labels) {
  return !passes(rule, labels);
}

}  // namespace

Status check_constraints(Constraints const& c, std::uint32_t tasks) {
  if (auto good = check_rules("requires", c.requirements, label_rules_max); !good) return good;
  if (auto good = check_rules("prefers", c.preferences, preferences_max); !good) return good;
  if (auto good = check_rules("tolerates", c.tolerations, label_rules_max); !good) return good;
  for (auto const& rule : c.tolerations)
    if (rule.negated) return bad("tolerates: '" + text_of(rule) + "' cannot be negated");
  if (c.regions.size() > labels_max) return bad("regions: more than 64");
  for (auto const& region : c.regions)
    if (region.empty() || !is_label_value(region))
      return bad("regions: '" + region.substr(0, 64) + "' is no name of a region");
  if (auto good = check_reach(c); !good) return good;
  if (auto good = check_site(c); !good) return good;
  return check_topology(c, tasks);
}

Status check_label(std::string const& key, std::string const& value) {
  return check_rule("labels", {key, {value}, false});
}

Status check_taint(Taint const& t) {
  return check_rule("taints", {t.key, {t.value}, false});
}

bool passes(LabelRule const& rule, Labels const& labels) {
  auto const found = labels.find(rule.key);
  auto const there = found != labels.end();
  auto const matches =
      there && (rule.values.empty() || std::find(rule.values.begin(), rule.values.end(),
                                                 found->second) != rule.values.end());
  return matches != rule.negated;
}

bool tolerates(Constraints const& c, Taint const& taint) {
  return std::any_of(c.tolerations.begin(), c.tolerations.end(), [&](LabelRule const& rule) {
    return passes(rule, {{taint.key, taint.value}});
  });
}

std::int64_t hard_taints(Constraints const& c, std::vector<Taint> const& taints) {
  return std::count_if(taints.begin(), taints.end(),
                       [&](Taint const& t) { return !t.soft && !tolerates(c, t); });
}

std::int64_t requirements_met(Constraints const& c, Labels const& labels) {
  return std::count_if(c.requirements.begin(), c.requirements.end(),
                       [&](LabelRule const& rule) { return passes(rule, labels); });
}

bool in_region(Constraints const& c, Labels const& labels) {
  return passes({std::string(region_label), c.regions, false}, labels);
}

std::uint32_t wishes_missed(Constraints const& c, Labels const& labels,
                            std::vector<Taint> const& taints) {
  std::uint32_t missed = 0;
  for (auto const& t : taints)
    if (t.soft && !tolerates(c, t)) missed = 1;
  missed <<= c.preferences.size();
  auto bit = std::uint32_t{1} << c.preferences.size();
  for (auto const& rule : c.preferences) {
    bit >>= 1;
    if (is_missed(rule, labels)) missed |= bit;
  }
  return missed;
}

std::string text_of(LabelRule const& rule) {
  auto const start = (rule.negated ? "!" : "") + rule.key;
  return rule.values.empty() ? start : start + "=" + text::join(rule.values, "|");
}

std::string text_of(Taint const& taint) {
  return taint.key + (taint.value.empty() ? "" : "=" + taint.value) + (taint.soft ? " (soft)" : "");
}

}  // namespace lepton::deployer
