// Rules, and what they say of each node.

#include <fmt/format.h>

#include <algorithm>

#include "services/monitor/monitor.hpp"
#include "services/monitor/posted_alert.hpp"

namespace lepton::monitor {

Result<AlertRulesChanged> Monitor::put_rule(AlertRulePut const& m, Context& c) {
  if (auto good = check_rule(m.rule); !good) return good.error();
  if (!rules_.contains(m.rule.name) && rules_.size() >= settings_.rules_max)
    return Error{Code::exhausted,
                 fmt::format("there are {} rules already; remove one first", rules_.size())};
  rules_[m.rule.name] = m.rule;
  c.upsert(m.rule);
  c.note("series", std::string(schema::name_of(m.rule.series)));
  c.note("threshold", fmt::format("{}", m.rule.threshold));
  if (!m.rule.enabled) tell_all(alerts_.end_rule(m.rule.name, {c.now(), c.wall()}), c);
  return AlertRulesChanged{static_cast<std::uint32_t>(rules_.size())};
}

Result<AlertRulesChanged> Monitor::remove_rule(AlertRuleRemove const& m, Context& c) {
  auto const found = rules_.find(m.name);
  if (found == rules_.end())
    return Error{Code::not_found,
                 "there is no rule '" + m.name + "'; `lepton alert rules` shows all"};
  c.erase(found->second);
  rules_.erase(found);
  tell_all(alerts_.end_rule(m.name, {c.now(), c.wall()}), c);
  return AlertRulesChanged{static_cast<std::uint32_t>(rules_.size())};
}

Result<AlertRules> Monitor::list_rules(AlertRuleList const& m, Context&) {
  AlertRules all;
  for (auto const& [name, rule] : rules_)
    if (m.all || rule.enabled) all.rules.push_back(rule);
  return all;
}

Result<Alerts> Monitor::list_alerts(AlertList const& m, Context&) {
  Alerts out{alerts_.list(m.pending), 0};
  out.total = out.alerts.size();
  if (out.alerts.size() > m.limit) out.alerts.resize(m.limit);
  return out;
}

// All nodes, in slices, beginning with the name `from`; then a pause.
void Monitor::judge(std::string const& from, Context& c) {
  std::size_t judged = 0;
  for (auto i = nodes_.lower_bound(from); i != nodes_.end(); ++i) {
    if (judged++ == settings_.ruled_max)
      return c.after(0, [this, next = i->first](Context& later) { judge(next, later); });
    judge_node(i->first, i->second, c);
  }
  judge_targets(c);
  c.after(settings_.rules_every_ms, [this](Context& later) { judge("", later); });
}

void Monitor::judge_node(std::string const& name, Node const& node, Context& c) {
  Instant const at{c.now(), c.wall()};
  for (auto const& [rule_name, rule] : rules_) {
    if (!rule.enabled || rule.series == Series::scraped) continue;
    if (rule.series != Series::silence_s) {
      judge_series(rule, name, node.life.steady_ms(c.now()), c);
      continue;
    }
    auto const silence = static_cast<double>(node.life.silence_ms(c.now())) / 1000;
    if (auto const change = alerts_.see(rule, name, "", silence, at)) tell(*change, c);
  }
}

// The series of a node or of an exporter, which has reported without a gap for `steady_ms`.
void Monitor::judge_series(AlertRule const& rule, std::string const& name, TimeMs steady_ms,
                           Context& c) {
  Instant const at{c.now(), c.wall()};
  auto open = alerts_.parts(rule.name, name);
  book_.each_mean(name, rule.series, c.now(), rule.window_ms,
                  [&](std::string const& part, std::optional<double> mean) {
                    if (!mean || !is_about(rule, part)) return;
                    std::erase(open, part);
                    if (auto const change = alerts_.see(rule, name, part, mean, at))
                      tell(*change, c);
                  });
  // Without samples: a silent node may still be as bad; of one that reports, the part is gone.
  auto const reports = steady_ms > rule.window_ms;
  for (auto const& part : open) {
    if (reports)
      tell_all(alerts_.end_part(rule.name, name, part, at), c);
    else
      (void)alerts_.see(rule, name, part, std::nullopt, at);
  }
}

void Monitor::tell(AlertChange const& change, Context& c) {
  FiringRow const row{change.rule, change.node, change.part, change};
  c.append(change);
  if (change.state == AlertState::firing)
    c.upsert(row);
  else
    c.erase(row);
  c.emit(alerts_stream, AlertChanged{change});
  if (webhook_) post_.add(change);
  ++alerts_told_;
}

void Monitor::tell_all(std::vector<AlertChange> const& changes, Context& c) {
  for (auto const& change : changes) tell(change, c);
}

// One post at a time, away from this thread.
void Monitor::post(Context& c) {
  c.after(settings_.post_every_ms, [this](Context& later) { post(later); });
  if (post_.is_repeat_due(c.now())) post_.repeat(alerts_.list(false), c.now());
  auto const batch = post_.take(c.now());
  if (batch.empty()) return;
  auto done = std::make_shared<Status>(ok());
  c.work([webhook = webhook_, json = alerts_json(batch), done] { *done = webhook->post(json); },
         [this, done](Context& later) { posted(*done, later); });
}

void Monitor::posted(Status const& done, Context& c) {
  if (done) {
    post_trouble_.clear();
    return post_.delivered();
  }
  if (post_trouble_ != done.error().what)
    c.log(actor::Level::warning, "alerts are not delivered: " + done.error().what);
  post_trouble_ = done.error().what;
  post_.failed(c.now());
}

}  // namespace lepton::monitor
