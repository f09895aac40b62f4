#include "services/monitor/core/alert_book.hpp"

#include <algorithm>
#include <cmath>

namespace lepton::monitor {
namespace {

bool is_label(std::string_view s) {
  auto const fits = [](char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-';
  };
  return !s.empty() && s.size() <= 63 && s.front() != '-' && s.back() != '-' &&
         std::all_of(s.begin(), s.end(), fits);
}

bool is_bad(AlertRule const& rule, double value) {
  return rule.side == AlertSide::above ? value > rule.threshold : value < rule.threshold;
}

Error wrong(char const* field, std::string why) {
  return {Code::invalid, std::string(field) + ": " + std::move(why)};
}

}  // namespace

Status check_rule(AlertRule const& r) {
  if (!is_label(r.name))
    return wrong("name", "'" + r.name + "' must be a DNS label: a-z, 0-9 and '-', at most 63");
  if (r.series == Series::unknown) return wrong("series", "no series of this name is measured");
  if (r.side == AlertSide::unknown) return wrong("side", "must be above or below");
  if (r.severity == AlertSeverity::unknown)
    return wrong("severity", "must be info, warning or critical");
  if (!std::isfinite(r.threshold)) return wrong("threshold", "must be a number");
  if (r.summary.size() > 500) return wrong("summary", "at most 500 bytes");
  if (r.sample.size() > 200) return wrong("sample", "at most 200 bytes");
  if (r.sample.empty() == (r.series == Series::scraped))
    return wrong("sample", "names the sample of series scraped, and of no other");
  return ok();
}

bool is_about(AlertRule const& rule, std::string const& part) {
  return rule.series != Series::scraped || part.substr(0, part.find('{')) == rule.sample;
}

std::optional<AlertChange> AlertBook::begin(AlertRule const& rule, Key key, double value,
                                            Instant at) {
  if (alerts_.size() >= alerts_max) {
    ++refused_;
    return std::nullopt;
  }
  auto& alert = alerts_[key];
  alert.bad_since_ms = at.now_ms;
  auto& [name, node, part] = key;
  alert.shown = {name,       node,  part,           at.wall_ms,    AlertState::pending,
                 at.wall_ms, value, rule.threshold, rule.severity, rule.summary};
  return rule.pending_ms == 0 ? fire(rule, alert, at) : std::nullopt;
}

std::optional<AlertChange> AlertBook::fire(AlertRule const& rule, Alert& alert, Instant at) {
  alert.shown.state = AlertState::firing;
  alert.shown.at_ms = at.wall_ms;
  alert.shown.threshold = rule.threshold;
  alert.shown.severity = rule.severity;
  alert.shown.summary = rule.summary;
  return alert.shown;
}

std::optional<AlertChange> AlertBook::see(AlertRule const& rule, std::string const& node,
                                          std::string const& part, std::optional<double> value,
                                          Instant at) {
  Key key{rule.name, node, part};
  auto const found = alerts_.find(key);
  auto const bad = value && is_bad(rule, *value);
  if (found == alerts_.end()) return bad ? begin(rule, std::move(key), *value, at) : std::nullopt;
  auto& alert = found->second;
  if (value) alert.shown.value = value;
  if (alert.shown.state == AlertState::pending) {
    if (!bad) return alerts_.erase(found), std::nullopt;
    if (at.now_ms - alert.bad_since_ms < rule.pending_ms) return std::nullopt;
    return fire(rule, alert, at);
  }
  if (bad || !value) return alert.good_since_ms.reset(), std::nullopt;
  if (!alert.good_since_ms) alert.good_since_ms = at.now_ms;
  if (at.now_ms - *alert.good_since_ms < rule.resolve_ms) return std::nullopt;
  auto resolved = alert.shown;
  resolved.state = AlertState::resolved;
  resolved.at_ms = at.wall_ms;
  alerts_.erase(found);
  return resolved;
}

template <class Match>
std::vector<AlertChange> AlertBook::end(Match match, Instant at) {
  std::vector<AlertChange> ended;
  std::erase_if(alerts_, [&](auto const& entry) {
    if (!match(entry.first)) return false;
    auto shown = entry.second.shown;
    if (shown.state != AlertState::firing) return true;
    shown.state = AlertState::resolved;
    shown.at_ms = at.wall_ms;
    ended.push_back(std::move(shown));
    return true;
  });
  return ended;
}

std::vector<AlertChange> AlertBook::end_rule(std::string const& rule, Instant at) {
  return end([&](Key const& key) { return std::get<0>(key) == rule; }, at);
}

std::vector<AlertChange> AlertBook::end_node(std::string const& node, Instant at) {
  return end([&](Key const& key) { return std::get<1>(key) == node; }, at);
}

std::vector<AlertChange> AlertBook::end_part(std::string const& rule, std::string const& node,
                                             std::string const& part, Instant at) {
  return end([&](Key const& key) { return key == Key{rule, node, part}; }, at);
}

void AlertBook::restore(AlertChange const& firing, Instant at) {
  alerts_[{firing.rule, firing.node, firing.part}] = {firing, at.now_ms, std::nullopt};
}

std::vector<AlertChange> AlertBook::list(bool pending) const {
  std::vector<AlertChange> out;
  for (auto const& [key, alert] : alerts_)
    if (pending || alert.shown.state == AlertState::firing) out.push_back(alert.shown);
  return out;
}

std::vector<std::string> AlertBook::parts(std::string const& rule, std::string const& node) const {
  std::vector<std::string> out;
  for (auto i = alerts_.lower_bound({rule, node, ""});
       i != alerts_.end() && std::get<0>(i->first) == rule && std::get<1>(i->first) == node; ++i)
    out.push_back(std::get<2>(i->first));
  return out;
}

std::uint32_t AlertBook::firing(std::string const& node) const {
  return static_cast<std::uint32_t>(
      std::count_if(alerts_.begin(), alerts_.end(), [&](auto const& entry) {
        return std::get<1>(entry.first) == node && entry.second.shown.state == AlertState::firing;
      }));
}

}  // namespace lepton::monitor
