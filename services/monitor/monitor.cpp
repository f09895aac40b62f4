#include "services/monitor/monitor.hpp"

#include <algorithm>

namespace lepton::monitor {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;

Error no_node(NodeId const& node) {
  return {Code::not_found,
          "no node '" + node.value + "' has reported here; `lepton top` shows all that have"};
}

store::Query query_of(SeriesRead const& m) {
  using store::Compare;
  return {nullptr,
          {{"node", Compare::equal, m.node.value},
           {"series", Compare::equal, std::string(schema::name_of(m.series))},
           {"part", Compare::equal, m.part},
           {"at_ms", Compare::greater_equal, m.from_ms}},
          "at_ms",
          true,
          m.limit};
}

}  // namespace

Monitor::Monitor(Settings settings, std::shared_ptr<Webhook> webhook,
                 std::shared_ptr<Scraper> scraper)
    : settings_(settings),
      book_(settings.series),
      post_(settings.post),
      webhook_(std::move(webhook)),
      scraper_(std::move(scraper)) {
  on<NodeReport>(&Monitor::report);
  on<NodeHealthList>(&Monitor::list);
  on<NodeShow>(&Monitor::show);
  on<SeriesRead>(&Monitor::read);
  on<SeriesNewest>(&Monitor::newest);
  on<AlertRulePut>(&Monitor::put_rule);
  on<AlertRuleRemove>(&Monitor::remove_rule);
  on<AlertRuleList>(&Monitor::list_rules);
  on<AlertList>(&Monitor::list_alerts);
  on<ScrapePut>(&Monitor::put_target);
  on<ScrapeRemove>(&Monitor::remove_target);
  on<ScrapeList>(&Monitor::list_targets);
}

std::vector<store::Table const*> Monitor::tables() const {
  return {&store::table_of<NodeRow>(), &store::table_of<AlertRule>(), &store::table_of<FiringRow>(),
          &store::table_of<ScrapeTarget>()};
}

void Monitor::restore(actor::Rows const& rows) {
  known_ = rows.of<NodeRow>();
  for (auto& rule : rows.of<AlertRule>()) rules_[rule.name] = rule;
  for (auto const& row : rows.of<FiringRow>()) firing_.push_back(row.change);
  targets_ = rows.of<ScrapeTarget>();
}

void Monitor::start(Context& c) {
  for (auto& row : known_) {
    Liveness life(settings_.liveness, row.last.state, row.boot_id, c.now());
    auto name = row.node;
    nodes_.emplace(std::move(name), Node{std::move(row), std::move(life), {}, 0, ""});
  }
  known_.clear();
  for (auto const& change : firing_) alerts_.restore(change, {c.now(), c.wall()});
  firing_.clear();
  for (auto const& target : targets_) (void)scrapes_.put(target, c.now());
  targets_.clear();
  looked_at_ = c.now();
  resume_hours(c);
  upkeep(c);
  c.after(settings_.look_every_ms, [this](Context& later) { look(later); });
  c.after(settings_.collect_every_ms, [this](Context& later) { collect(later); });
  c.after(settings_.rules_every_ms, [this](Context& later) { judge("", later); });
  if (webhook_) c.after(settings_.post_every_ms, [this](Context& later) { post(later); });
  if (scraper_) scrape(c);
}

// Hours that the life before had begun go on.
void Monitor::resume_hours(Context& c) {
  auto const hour = c.wall() - c.wall() % hour_ms;
  store::Query query{
      nullptr, {{"at_ms", store::Compare::equal, hour}}, "", false, settings_.series.series_max};
  c.find<HourRow>(std::move(query), [this](Result<std::vector<HourRow>> const& rows,
                                           Context& later) {
    if (!rows)
      return later.log(actor::Level::warning,
                       "the hour begins anew, for its rows cannot be read: " + rows.error().what);
    for (auto const& r : *rows)
      book_.resume({r.node,
                    r.series,
                    r.part,
                    RollupSpan::hour,
                    {r.at_ms, r.samples, r.mean, r.low, r.high}});
  });
}

void Monitor::upkeep(Context& c) {
  c.upsert(UpkeepRow{0, c.wall()});
  forget(c);
  c.after(settings_.upkeep_every_ms, [this](Context& later) { upkeep(later); });
}

Result<std::string> Monitor::snapshot(std::string_view stream) {
  if (stream == nodes_stream) {
    NodeStates all;
    for (auto const& [name, node] : nodes_) all.nodes.push_back(node.row.last);
    return codec::encode(all);
  }
  if (stream != alerts_stream) return Actor::snapshot(stream);
  Alerts all{alerts_.list(false), 0};
  all.total = all.alerts.size();
  return codec::encode(all);
}

std::map<std::string, std::int64_t> Monitor::counters() const {
  std::map<std::string, std::int64_t> all{
      {"nodes", static_cast<std::int64_t>(nodes_.size())},
      {"series", static_cast<std::int64_t>(book_.size())},
      {"scrape_targets", static_cast<std::int64_t>(scrapes_.size())},
      {"reports", reports_},
      {"samples", samples_},
      {"values_refused", static_cast<std::int64_t>(book_.refused())},
      {"state_changes", changes_},
      {"alerts", static_cast<std::int64_t>(alerts_.size())},
      {"alerts_told", alerts_told_},
      {"alerts_posted", static_cast<std::int64_t>(post_.sent())},
      {"alerts_post_dropped", static_cast<std::int64_t>(post_.dropped())},
      {"alerts_refused", static_cast<std::int64_t>(alerts_.refused())}};
  for (auto const& [name, node] : nodes_)
    ++all["nodes_" + std::string(schema::name_of(node.life.state()))];
  return all;
}

NodeHealth Monitor::health_of(Node const& node, TimeMs now) const {
  NodeHealth h;
  h.node = NodeId{node.row.node};
  h.state = node.life.state();
  h.since_ms = node.row.last.at_ms;
  h.reason = node.row.last.reason;
  h.heard_at_ms = node.heard_wall;
  h.suspicion = node.life.phi(now);
  h.values = book_.newest(node.row.node, now, settings_.fresh_ms);
  h.dropped = node.dropped;
  h.alerts = alerts_.firing(node.row.node);
  h.detail = node.detail;
  return h;
}

void Monitor::list(NodeHealthList const& m, actor::Ticket<NodeHealthList> ticket, Context& c) {
  NodeHealthPage page;
  page.total = nodes_.size();
  for (auto i = nodes_.upper_bound(m.after); i != nodes_.end() && page.nodes.size() < m.limit; ++i)
    page.nodes.push_back(health_of(i->second, c.now()));
  c.answer(ticket, page);
}

void Monitor::show(NodeShow const& m, actor::Ticket<NodeShow> ticket, Context& c) {
  auto const found = nodes_.find(m.node.value);
  if (found == nodes_.end()) return c.answer(ticket, no_node(m.node));
  NodeStory story{health_of(found->second, c.now()), {}};
  if (m.limit == 0) return c.answer(ticket, story);
  store::Query query{
      nullptr, {{"node", store::Compare::equal, m.node.value}}, "number", true, m.limit};
  c.find<NodeChange>(std::move(query),
                     [ticket, story](Result<std::vector<NodeChange>> const& rows, Context& later) {
                       if (!rows) return later.answer(ticket, rows.error());
                       auto full = story;
                       full.changes = *rows;
                       later.answer(ticket, full);
                     });
}

void Monitor::read(SeriesRead const& m, actor::Ticket<SeriesRead> ticket, Context& c) {
  if (m.series == Series::unknown || m.span == RollupSpan::unknown)
    return c.answer(ticket, Error{Code::invalid, "series and span: of what, minute or hour?"});
  auto const then = [ticket](auto const& rows, Context& later) {
    if (!rows) return later.answer(ticket, rows.error());
    SeriesHistory history;
    for (auto const& r : *rows)
      history.rollups.push_back({r.at_ms, r.samples, r.mean, r.low, r.high});
    later.answer(ticket, history);
  };
  if (m.span == RollupSpan::minute)
    c.find<MinuteRow>(query_of(m), then);
  else
    c.find<HourRow>(query_of(m), then);
}

Result<SeriesValues> Monitor::newest(SeriesNewest const& m, Context& c) {
  if (m.keys.size() > SeriesNewest::keys_max)
    return Error{Code::invalid, "keys: at most 2,000 in one question"};
  SeriesValues all;
  for (auto const& key : m.keys)
    all.values.push_back(
        {book_.value(key.node.value, key.series, key.part, c.now(), m.age_max_ms)});
  return all;
}

}  // namespace lepton::monitor
