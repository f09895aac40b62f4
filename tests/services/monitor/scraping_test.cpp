// Exporters on the actor: targets are rows, samples are telemetry, thresholds look at them.

#include "tests/services/monitor/rig.hpp"

namespace lepton::monitor::testing {
namespace {

struct FakeScraper final : Scraper {
  std::map<std::string, std::string> pages;  // by URL
  std::vector<std::string> asked;
  Result<std::string> get(std::string const& url, std::int64_t) override {
    asked.push_back(url);
    auto const found = pages.find(url);
    if (found == pages.end()) return Error{Code::unavailable, "not reached"};
    return found->second;
  }
};

class ScrapingTest : public MonitorTest {
 protected:
  std::shared_ptr<FakeScraper> scraper = std::make_shared<FakeScraper>();
  std::string const url = "http://10.0.0.7:9100/metrics";

  void boot() {
    boot_service("monitor",
                 [this] { return std::make_unique<Monitor>(monitor_settings, webhook, scraper); });
  }
  void SetUp() override { boot(); }
  ScrapeTarget rack() { return {"rack7", url, {"load", "errors_total"}, 5'000, 1'000}; }
  std::string put(ScrapeTarget const& target) { return outcome(ask(ScrapePut{target}, ann)); }
  ScrapeView view() {
    auto const page = ask(ScrapeList{"rack7"}, ann);
    EXPECT_TRUE(page) << page.error().what;
    return page && !page->targets.empty() ? page->targets[0] : ScrapeView{};
  }
  AlertRule high_load() {
    AlertRule rule;
    rule.name = "high-load";
    rule.series = Series::scraped;
    rule.sample = "load";
    rule.threshold = 10;
    rule.window_ms = 10'000;
    rule.pending_ms = 0;
    rule.resolve_ms = 0;
    return rule;
  }
};

TEST_F(ScrapingTest, WhatIsReadIsTelemetry) {
  scraper->pages[url] = "load 3\nother 9\n";
  ASSERT_EQ(put(rack()), "ok");
  pass(1'000);
  auto const shown = view();
  EXPECT_TRUE(shown.up);
  EXPECT_EQ(shown.kept, 1u);
  EXPECT_EQ(shown.values,
            (std::vector<Measure>{{Series::scraped, "load", 3}, {Series::scraped, "up", 1}}));
  pass(120'000);
  std::set<std::string> parts;
  for (auto const& row : rows<MinuteRow>())
    if (row.node == "scrape/rack7") parts.insert(row.part);
  EXPECT_EQ(parts, (std::set<std::string>{"load", "up"}));
  EXPECT_EQ(audited("monitor.scrape.put").size(), 1u);
}

TEST_F(ScrapingTest, AThresholdOfASampleFiresAndIsResolved) {
  scraper->pages[url] = "load{cpu=\"0\"} 3\nload{cpu=\"1\"} 30\n";
  ASSERT_EQ(put(rack()), "ok");
  ASSERT_EQ(outcome(ask(AlertRulePut{high_load()}, ann)), "ok");
  pass(3'000);
  auto const firing = ask(AlertList{}, ann);
  ASSERT_EQ(firing->alerts.size(), 1u);
  EXPECT_EQ(firing->alerts[0].node, "scrape/rack7");
  EXPECT_EQ(firing->alerts[0].part, "load{cpu=\"1\"}");
  scraper->pages[url] = "load{cpu=\"0\"} 3\nload{cpu=\"1\"} 4\n";
  pass(30'000);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u);
}

TEST_F(ScrapingTest, AnExporterThatIsDownIsAnAlertByItsUp) {
  auto rule = high_load();
  rule.sample = "up";
  rule.side = AlertSide::below;
  rule.threshold = 0.5;
  ASSERT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "ok");
  ASSERT_EQ(put(rack()), "ok");
  pass(3'000);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 1u);
  EXPECT_EQ(view().trouble, "not reached");
  scraper->pages[url] = "load 1\n";
  pass(30'000);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u);
}

TEST_F(ScrapingTest, ASilentExporterResolvesNothing) {
  scraper->pages[url] = "load 30\n";
  ASSERT_EQ(put(rack()), "ok");
  ASSERT_EQ(outcome(ask(AlertRulePut{high_load()}, ann)), "ok");
  pass(3'000);
  ASSERT_EQ(ask(AlertList{}, ann)->total, 1u);
  scraper->pages.clear();
  pass(60'000);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 1u);
  ASSERT_EQ(outcome(ask(ScrapeRemove{"rack7"}, ann)), "ok");
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u) << "what it was about is gone";
}

TEST_F(ScrapingTest, ANewLifeReadsOn) {
  scraper->pages[url] = "load 3\n";
  ASSERT_EQ(put(rack()), "ok");
  pass(2'000);
  scraper->asked.clear();
  boot();
  pass(2'000);
  EXPECT_EQ(scraper->asked.size(), 1u);
  EXPECT_EQ(view().target, rack());
  ASSERT_EQ(outcome(ask(ScrapeRemove{"rack7"}, ann)), "ok");
  EXPECT_EQ(outcome(ask(ScrapeRemove{"rack7"}, ann)), "not_found");
  boot();
  EXPECT_TRUE(ask(ScrapeList{}, ann)->targets.empty());
}

TEST_F(ScrapingTest, WhatIsNoTargetOrRuleIsRefused) {
  auto bad = rack();
  bad.url = "file:///etc/passwd";
  EXPECT_EQ(put(bad), "invalid");
  auto rule = high_load();
  rule.sample.clear();
  EXPECT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "invalid");
  rule = hot();
  rule.sample = "load";
  EXPECT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "invalid");
  EXPECT_EQ(outcome(ask(ScrapeList{"nobody"}, ann)), "not_found");
}

TEST_F(MonitorTest, OtherServicesAskForTheNewestOfSeries) {
  As const deployer{.name = "deployer", .door = actor::Door::peer};
  beat("n1", 2, {{Series::task_cpu_cores, "j-0-1", 0.5}, {Series::gpu_use, "GPU-0", 0.9}});
  SeriesNewest const question{{{NodeId{"n1"}, Series::gpu_use, "GPU-0"},
                               {NodeId{"n1"}, Series::task_cpu_cores, "j-9-1"},
                               {NodeId{"n2"}, Series::cpu_use, ""},
                               {NodeId{"n1"}, Series::task_cpu_cores, "j-0-1"}},
                              5'000};
  auto const got = ask(question, deployer);
  ASSERT_TRUE(got) << got.error().what;
  ASSERT_EQ(got->values.size(), 4u);
  EXPECT_EQ(got->values[0].value, 0.9);
  EXPECT_EQ(got->values[1].value, std::nullopt);
  EXPECT_EQ(got->values[2].value, std::nullopt);
  EXPECT_EQ(got->values[3].value, 0.5);
  pass(6'000);
  EXPECT_EQ(ask(question, deployer)->values[0].value, std::nullopt) << "too old";
  EXPECT_EQ(outcome(ask(question, ann)), "denied");
  SeriesNewest many;
  many.keys.resize(SeriesNewest::keys_max + 1);
  EXPECT_EQ(outcome(ask(many, deployer)), "invalid");
}

}  // namespace
}  // namespace lepton::monitor::testing
