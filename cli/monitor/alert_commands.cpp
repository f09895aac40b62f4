#include <memory>

#include "cli/connect.hpp"
#include "cli/monitor/monitor_commands.hpp"
#include "cli/output/emit.hpp"
#include "cli/spec/option_words.hpp"

namespace lepton::cli {
namespace {

Status set_threshold(AlertOptions const& o, AlertRule& rule) {
  if (o.above.empty() == o.below.empty())
    return Error{Code::invalid, "give one of --above and --below"};
  auto const& word = o.above.empty() ? o.below : o.above;
  rule.side = o.above.empty() ? AlertSide::below : AlertSide::above;
  auto const threshold = number_of(o.above.empty() ? "--below" : "--above", word, "0.9");
  if (!threshold) return threshold.error();
  rule.threshold = *threshold;
  return ok();
}

Result<int> show_count(Shell& shell, std::string const& rule,
                       Result<AlertRulesChanged> const& changed) {
  if (!changed) return changed.error();
  emit(shell, *changed,
       Table::sheet().row({"RULE", rule}).row({"RULES", std::to_string(changed->rules)}));
  shell.next("lepton alert rules");
  return 0;
}

Command list_command() {
  auto const pending = std::make_shared<bool>(false);
  Command c{"alert list", "Lists what is wrong now", "lepton alert list --pending"};
  c.flag("--pending", "Also what is not wrong for long enough yet", pending.get());
  c.run = [pending](Shell& shell) -> Result<int> {
    auto const alerts = ask(shell, Service::monitor, AlertList{*pending, 1'000});
    if (!alerts) return alerts.error();
    emit(shell, *alerts, alert_table(*alerts, SystemClock().wall_ms()));
    if (alerts->total > alerts->alerts.size())
      shell.say("shown " + std::to_string(alerts->alerts.size()) + " of " +
                std::to_string(alerts->total));
    return 0;
  };
  return c;
}

Command rules_command() {
  Command c{"alert rules", "Lists the rules that raise alerts", "lepton alert rules"};
  c.run = [](Shell& shell) -> Result<int> {
    auto const rules = ask(shell, Service::monitor, AlertRuleList{});
    if (!rules) return rules.error();
    emit(shell, *rules, rule_table(*rules));
    return 0;
  };
  return c;
}

Command put_command() {
  auto const o = std::make_shared<AlertOptions>();
  Command c{"alert put", "Adds a rule, or changes the one of that name",
            "lepton alert put gpu-hot --series gpu_temperature_celsius --above 88 --for 2m"};
  c.required("RULE", "Name of the rule, a DNS label", &o->rule)
      .required("--series", "What to look at, on every machine, such as gpu_use", &o->series)
      .option("--above", "It is bad above this", &o->above)
      .option("--below", "It is bad below this", &o->below)
      .option("--sample", "With --series scraped: name of the exporters' samples", &o->sample)
      .option("--window", "The mean over so long is looked at", &o->window)
      .option("--for", "Bad for so long before the alert fires", &o->pending)
      .option("--resolve", "Good for so long before it is resolved", &o->resolve)
      .option("--severity", "info, warning or critical", &o->severity)
      .option("--summary", "What it means, for people", &o->summary)
      .flag("--off", "Keeps the rule, but looks at nothing", &o->off);
  c.run = [o](Shell& shell) -> Result<int> {
    auto const put = alert_request(*o);
    if (!put) return put.error();
    return show_count(shell, o->rule, ask(shell, Service::monitor, *put));
  };
  return c;
}

Command remove_command() {
  auto const rule = std::make_shared<std::string>();
  Command c{"alert remove", "Removes a rule; its alerts are resolved",
            "lepton alert remove gpu-hot"};
  c.required("RULE", "Name of the rule", rule.get());
  c.run = [rule](Shell& shell) {
    return show_count(shell, *rule, ask(shell, Service::monitor, AlertRuleRemove{*rule}));
  };
  return c;
}

}  // namespace

Result<AlertRulePut> alert_request(AlertOptions const& o) {
  AlertRulePut put;
  auto& rule = put.rule;
  rule.name = o.rule;
  rule.summary = o.summary;
  rule.sample = o.sample;
  rule.enabled = !o.off;
  auto const series = enumerator_of<Series>("--series", o.series);
  if (!series) return series.error();
  auto const severity = enumerator_of<AlertSeverity>("--severity", o.severity);
  if (!severity) return severity.error();
  rule.series = *series;
  rule.severity = *severity;
  auto good = set_threshold(o, rule);
  if (good) good = set_duration("--window", o.window, rule.window_ms);
  if (good) good = set_duration("--for", o.pending, rule.pending_ms);
  if (good) good = set_duration("--resolve", o.resolve, rule.resolve_ms);
  if (!good) return good.error();
  return put;
}

Commands alert_commands() {
  return {list_command(), rules_command(), put_command(), remove_command()};
}

}  // namespace lepton::cli
