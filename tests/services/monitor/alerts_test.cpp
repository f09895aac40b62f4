// Rules as data: what makes an alert fire, who hears of it, and what ends it.

#include "tests/services/monitor/rig.hpp"

namespace lepton::monitor::testing {
namespace {

std::vector<Measure> gpu(double celsius, std::string const& uuid = "GPU-a") {
  return {{Series::gpu_temperature_celsius, uuid, celsius}};
}

TEST_F(MonitorTest, AlertsFireAndAreResolved) {
  ASSERT_EQ(outcome(ask(AlertRulePut{hot()}, ann)), "ok");
  EXPECT_EQ(audited("monitor.rule.put").size(), 1u);
  beat("n1", 8, gpu(95));
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u);
  EXPECT_EQ(ask(AlertList{true}, ann)->total, 1u);  // pending
  beat("n1", 10, gpu(95));
  auto const firing = ask(AlertList{}, ann);
  ASSERT_EQ(firing->alerts.size(), 1u);
  EXPECT_EQ(firing->alerts[0].part, "GPU-a");
  EXPECT_EQ(show("n1").health.alerts, 1u);
  EXPECT_EQ(rows<FiringRow>().size(), 1u);
  beat("n1", 20, gpu(50));
  auto const told = events<AlertChanged>(alerts_stream);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].state, AlertState::firing);
  EXPECT_EQ(told[1].state, AlertState::resolved);
  EXPECT_TRUE(rows<FiringRow>().empty());
  EXPECT_EQ(rows<AlertChange>().size(), 2u);
}

TEST_F(MonitorTest, AFiringAlertSurvivesARestart) {
  ASSERT_EQ(outcome(ask(AlertRulePut{hot()}, ann)), "ok");
  beat("n1", 20, gpu(95));
  boot();
  EXPECT_EQ(ask(AlertList{}, ann)->total, 1u);
  beat("n1", 20, gpu(95));
  EXPECT_EQ(events<AlertChanged>(alerts_stream).size(), 1u);
  beat("n1", 20, gpu(50));
  EXPECT_EQ(events<AlertChanged>(alerts_stream).size(), 2u);
}

TEST_F(MonitorTest, APartThatIsGoneEndsItsAlertSilenceDoesNot) {
  ASSERT_EQ(outcome(ask(AlertRulePut{hot()}, ann)), "ok");
  beat("n1", 20, gpu(95));
  pass(60'000);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 1u);
  beat("n1", 20);  // it reports again, without that GPU
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u);
}

TEST_F(MonitorTest, SilenceOfANodeIsAnAlertOfItsOwn) {
  AlertRule rule;
  rule.name = "silent";
  rule.series = Series::silence_s;
  rule.threshold = 15;
  rule.pending_ms = 0;
  rule.resolve_ms = 0;
  rule.severity = AlertSeverity::critical;
  ASSERT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "ok");
  beat("n1", 5);
  pass(10'000);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u);
  pass(10'000);
  auto const firing = ask(AlertList{}, ann);
  ASSERT_EQ(firing->alerts.size(), 1u);
  EXPECT_EQ(firing->alerts[0].severity, AlertSeverity::critical);
  beat("n1", 2);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 0u);
}

TEST_F(MonitorTest, RulesAreChangedTurnedOffAndRemoved) {
  ASSERT_EQ(outcome(ask(AlertRulePut{hot(100)}, ann)), "ok");
  beat("n1", 20, gpu(95));
  EXPECT_EQ(ask(AlertList{true}, ann)->total, 0u);
  ASSERT_EQ(ask(AlertRulePut{hot(90)}, ann)->rules, 1u);
  beat("n1", 20, gpu(95));
  EXPECT_EQ(ask(AlertList{}, ann)->total, 1u);
  auto off = hot(90);
  off.enabled = false;
  ASSERT_EQ(outcome(ask(AlertRulePut{off}, ann)), "ok");
  EXPECT_EQ(ask(AlertList{true}, ann)->total, 0u);
  EXPECT_EQ(events<AlertChanged>(alerts_stream).size(), 2u);
  EXPECT_EQ(ask(AlertRuleList{}, ann)->rules.size(), 1u);
  EXPECT_EQ(ask(AlertRuleList{false}, ann)->rules.size(), 0u);
  boot();
  EXPECT_EQ(ask(AlertRuleList{}, ann)->rules.at(0), off);
  EXPECT_EQ(ask(AlertRuleRemove{"hot"}, ann)->rules, 0u);
  EXPECT_EQ(outcome(ask(AlertRuleRemove{"hot"}, ann)), "not_found");
  boot();
  EXPECT_TRUE(ask(AlertRuleList{}, ann)->rules.empty());
}

TEST_F(MonitorTest, RefusesWhatIsNoRule) {
  auto rule = hot();
  rule.name = "Not A Label";
  EXPECT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "invalid");
  monitor_settings.rules_max = 1;
  boot();
  EXPECT_EQ(outcome(ask(AlertRulePut{hot()}, ann)), "ok");
  rule.name = "other";
  EXPECT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "exhausted");
  EXPECT_EQ(outcome(ask(AlertRulePut{hot(80)}, ann)), "ok");
}

TEST_F(MonitorTest, AlertsAreToldByWebhookUntilItTakesThem) {
  webhook = std::make_shared<FakeWebhook>();
  webhook->next = Error{Code::unavailable, "the webhook answered with HTTP status 503"};
  boot();
  ASSERT_EQ(outcome(ask(AlertRulePut{hot()}, ann)), "ok");
  beat("n1", 18, gpu(95));
  ASSERT_GE(webhook->posts.size(), 2u);
  EXPECT_EQ(counter("alerts_posted"), 0);
  webhook->next = ok();
  beat("n1", 20, gpu(95));
  EXPECT_EQ(counter("alerts_posted"), 1);
  auto const fired = webhook->posts.back();
  EXPECT_NE(fired.find(R"("alertname":"hot")"), std::string::npos) << fired;
  EXPECT_NE(fired.find(R"("startsAt":"2027-01-15T)"), std::string::npos) << fired;
  EXPECT_EQ(fired.find(R"("endsAt":"2)"), std::string::npos) << fired;
  auto const posts = webhook->posts.size();
  beat("n1", 60, gpu(95));
  EXPECT_EQ(webhook->posts.size(), posts + 1);  // once more each minute
  beat("n1", 20, gpu(50));
  EXPECT_NE(webhook->posts.back().find(R"("endsAt":"2027-01-15T)"), std::string::npos);
  auto const told = webhook->posts.size();
  beat("n1", 130, gpu(50));
  EXPECT_EQ(webhook->posts.size(), told);  // nothing fires, nothing is told
}

TEST_F(MonitorTest, ManyNodesAreJudgedInSlices) {
  monitor_settings.ruled_max = 2;
  boot();
  auto rule = hot();
  rule.pending_ms = 0;
  ASSERT_EQ(outcome(ask(AlertRulePut{rule}, ann)), "ok");
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(send(report_of("n" + std::to_string(i), gpu(95))));
  pass(1'500);
  EXPECT_EQ(ask(AlertList{}, ann)->total, 9u);
}

}  // namespace
}  // namespace lepton::monitor::testing
