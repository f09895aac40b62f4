#pragma once
// The monitor: hears every node about once a second, keeps what it measures (recent samples in
// memory, minutes and hours as rows), says who lives (stream "nodes") and what is wrong by rules
// that are data (stream "alerts"). A report is a sign of life, and no row: only a change of state
// is. The deployer keeps its own rules for leases; the monitor ends nothing and places nothing.
//
// Samples are lost with the process, states and firing alerts are not. When the monitor itself
// stood still, nodes are not blamed for it. Nodes that were not heard for a week are forgotten.
//
// Files: monitor.cpp life and questions; reports.cpp nodes and samples; alerts.cpp rules;
// scraping.cpp exporters.
// Threads: the actor's. Errors: invalid, not_found, exhausted.

#include <map>
#include <memory>
#include <string>

#include "common/actor/actor.hpp"
#include "schemas/series_newest.hpp"
#include "services/monitor/core/alert_book.hpp"
#include "services/monitor/core/alert_post.hpp"
#include "services/monitor/core/liveness.hpp"
#include "services/monitor/core/scrape_book.hpp"
#include "services/monitor/core/series_book.hpp"
#include "services/monitor/rows.hpp"
#include "services/monitor/scrape/scraper.hpp"
#include "services/monitor/webhook/webhook.hpp"

namespace lepton::monitor {

inline constexpr char const* nodes_stream = "nodes";
inline constexpr char const* alerts_stream = "alerts";

struct Settings {
  LivenessRules liveness;
  PostRules post;
  SeriesLimits series;
  TimeMs look_every_ms = 500;
  TimeMs rules_every_ms = 1'000;
  TimeMs collect_every_ms = 1'000;
  TimeMs post_every_ms = 1'000;
  TimeMs upkeep_every_ms = 3'600'000;
  TimeMs forget_after_ms = 7 * 86'400'000ll;
  TimeMs fresh_ms = 15'000;  // older values are not shown as the newest
  std::size_t nodes_max = 20'000;
  std::size_t rules_max = 200;
  std::size_t rollups_max = 1'000;  // rows of one handler; the rest follows at once
  std::size_t ruled_max = 1'000;    // nodes that one handler holds against the rules
};

class Monitor final : public actor::Actor {
 public:
  // Without a webhook alerts are told by the stream alone; without a scraper no exporter is read.
  explicit Monitor(Settings settings, std::shared_ptr<Webhook> webhook = nullptr,
                   std::shared_ptr<Scraper> scraper = nullptr);

  std::vector<store::Table const*> tables() const override;
  void restore(actor::Rows const& rows) override;
  void start(actor::Context& c) override;
  Result<std::string> snapshot(std::string_view stream) override;
  std::map<std::string, std::int64_t> counters() const override;

 private:
  using Context = actor::Context;

  struct Node {
    NodeRow row;
    Liveness life;
    std::optional<WallMs> heard_wall;
    std::uint64_t dropped = 0;
    std::string detail;
  };

  // monitor.cpp
  void list(NodeHealthList const& m, actor::Ticket<NodeHealthList> ticket, Context& c);
  void show(NodeShow const& m, actor::Ticket<NodeShow> ticket, Context& c);
  void read(SeriesRead const& m, actor::Ticket<SeriesRead> ticket, Context& c);
  Result<SeriesValues> newest(SeriesNewest const& m, Context& c);
  NodeHealth health_of(Node const& node, TimeMs now) const;
  void upkeep(Context& c);
  void resume_hours(Context& c);

  // reports.cpp
  Result<ReportTaken> report(NodeReport const& m, Context& c);
  Status check_report(NodeReport const& m) const;
  void keep_samples(NodeReport const& m, Context& c);
  void look(Context& c);
  void note(Node& node, Transition const& t, Context& c);
  void forget(Context& c);
  void collect(Context& c);

  // alerts.cpp
  Result<AlertRulesChanged> put_rule(AlertRulePut const& m, Context& c);
  Result<AlertRulesChanged> remove_rule(AlertRuleRemove const& m, Context& c);
  Result<AlertRules> list_rules(AlertRuleList const& m, Context& c);
  Result<Alerts> list_alerts(AlertList const& m, Context& c);
  void judge(std::string const& from, Context& c);
  void judge_node(std::string const& name, Node const& node, Context& c);
  void judge_series(AlertRule const& rule, std::string const& owner, TimeMs steady_ms, Context& c);
  void tell(AlertChange const& change, Context& c);
  void tell_all(std::vector<AlertChange> const& changes, Context& c);
  void post(Context& c);
  void posted(Status const& done, Context& c);

  // scraping.cpp
  Result<ScrapeTargetsChanged> put_target(ScrapePut const& m, Context& c);
  Result<ScrapeTargetsChanged> remove_target(ScrapeRemove const& m, Context& c);
  Result<ScrapePage> list_targets(ScrapeList const& m, Context& c);
  void scrape(Context& c);
  void scraped(std::string const& name, Result<Reading> const& got, Context& c);
  void judge_targets(Context& c);

  Settings settings_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, AlertRule> rules_;
  SeriesBook book_;
  AlertBook alerts_;
  AlertPost post_;
  std::shared_ptr<Webhook> webhook_;
  ScrapeBook scrapes_;
  std::shared_ptr<Scraper> scraper_;
  std::string post_trouble_;           // last failure, to be logged once
  std::vector<NodeRow> known_;         // until start() knows the time
  std::vector<AlertChange> firing_;    // likewise
  std::vector<ScrapeTarget> targets_;  // likewise
  TimeMs looked_at_ = 0;
  std::int64_t reports_ = 0, samples_ = 0, changes_ = 0, alerts_told_ = 0;
};

}  // namespace lepton::monitor
