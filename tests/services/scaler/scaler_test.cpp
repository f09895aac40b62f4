// The scaler's actor: what makes a number change, what is written of it, and what a new life knows.

#include "tests/services/scaler/rig.hpp"

namespace lepton::scaler::testing {
namespace {

TEST_F(ScalerTest, BeginsAtTheMinimumOrWithWhatRuns) {
  EXPECT_EQ(put("web", by_concurrency(2, 8)), "ok");
  EXPECT_EQ(put("api", by_concurrency(2, 8), 5), "ok");
  EXPECT_EQ(put("big", by_concurrency(2, 8), 20), "ok");
  EXPECT_EQ(wanted("web"), 2u);
  EXPECT_EQ(wanted("api"), 5u);
  EXPECT_EQ(wanted("big"), 8u);
  ASSERT_EQ(decisions().size(), 2u);  // what runs within the limits is no change
  auto const began = explain("web").changes.at(0);
  EXPECT_EQ(began.policy, "manual");
  EXPECT_EQ(began.reason, "ann put its scaling");
  EXPECT_EQ(audited("scaler.service.put").size(), 3u);
}

TEST_F(ScalerTest, FollowsTheLoadAndTellsEverybody) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  load("web", 33, 15);
  auto const told = explain("web");
  EXPECT_EQ(told.wanted, 4u);
  ASSERT_EQ(told.changes.size(), 2u);
  auto const& newest = told.changes[0];
  EXPECT_EQ(newest.number, 2u);
  EXPECT_EQ(newest.before, 1u);
  EXPECT_EQ(newest.wanted, 4u);
  EXPECT_EQ(newest.value, 33);
  EXPECT_EQ(newest.reason, "concurrency 33 over 15 s with a target of 10 each asks for 4");
  EXPECT_EQ(newest.at_ms, 1'800'000'003'000);  // the look after the first report
  ASSERT_EQ(events().size(), 2u);
  EXPECT_EQ(events()[1].wanted, 4u);
  EXPECT_EQ(events()[1].number, 2u);
  auto const entries = audited("scaler.service.scaled");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, "scaler");
  EXPECT_EQ(entries[0].resource, "service/web");
  EXPECT_EQ(entries[0].detail.at("why"), newest.reason);
}

TEST_F(ScalerTest, LooksThatChangeNothingLeaveNoRow) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  load("web", 10, 60);
  EXPECT_EQ(decisions().size(), 1u);
  EXPECT_EQ(events().size(), 1u);
  EXPECT_EQ(counter("decisions"), 4);  // one each 15 s
  EXPECT_EQ(explain("web").newest->reason,
            "concurrency 10 over 15 s with a target of 10 each asks for 1");
}

TEST_F(ScalerTest, OldFiguresDecideNothing) {
  auto s = by_concurrency(1, 6);
  s.policy = "kpa";
  ASSERT_EQ(put("web", s), "ok");
  load("web", 10, 4);
  auto const looks = counter("decisions");
  EXPECT_GT(looks, 0);
  advance(600'000);
  EXPECT_LE(counter("decisions"), looks + 9);  // those of the 15 s in which the report holds
  EXPECT_EQ(wanted("web"), 1u);
}

TEST_F(ScalerTest, ANumberByHandStaysWithinTheLimits) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  auto const set = ask(ServiceScale{"web", 5}, ann);
  ASSERT_TRUE(set);
  EXPECT_EQ(*set, (ScaleWanted{5, 2}));
  auto const refused = ask(ServiceScale{"web", 7}, ann);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            "7 replicas are outside the limits of service 'web', 1 to 6; change its limits first");
  EXPECT_EQ(outcome(ask(ServiceScale{"nothing", 1}, ann)), "not_found");
  EXPECT_EQ(explain("web").changes.at(0).reason, "ann asked for 5");
  auto const entries = audited("scaler.service.scale");
  ASSERT_EQ(entries.size(), 1u);  // what was refused as invalid changed nothing
  EXPECT_EQ(entries[0].detail.at("from"), "1");
  EXPECT_EQ(entries[0].detail.at("wanted"), "5");
}

TEST_F(ScalerTest, TheSameRequestAgainHasNoSecondEffect) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  auto once = ann;
  once.id = "once";
  EXPECT_EQ(*ask(ServiceScale{"web", 3}, once), (ScaleWanted{3, 2}));
  EXPECT_EQ(*ask(ServiceScale{"web", 4}, ann), (ScaleWanted{4, 3}));
  once.attempt = 2;
  EXPECT_EQ(*ask(ServiceScale{"web", 3}, once), (ScaleWanted{3, 2}));
  EXPECT_EQ(wanted("web"), 4u);
}

TEST_F(ScalerTest, NewLimitsHoldAtOnce) {
  ASSERT_EQ(put("web", by_concurrency(1, 6), 6), "ok");
  ASSERT_EQ(put("web", by_concurrency(1, 3)), "ok");
  EXPECT_EQ(wanted("web"), 3u);
  ASSERT_EQ(put("web", by_concurrency(5, 9)), "ok");
  EXPECT_EQ(wanted("web"), 5u);
}

TEST_F(ScalerTest, RefusesWhatIsNoScaling) {
  EXPECT_EQ(put("Not A Label", by_concurrency(1, 2)), "invalid");
  EXPECT_EQ(put("web", by_concurrency(3, 2)), "invalid");
  auto s = by_concurrency(1, 2);
  s.policy = "magic";
  EXPECT_EQ(put("web", s), "not_found");
  s = by_concurrency(1, 2);
  s.per_replica = -1;
  EXPECT_EQ(put("web", s), "invalid");
  EXPECT_EQ(counter("services"), 0);
  EXPECT_TRUE(decisions().empty());
}

TEST_F(ScalerTest, HasALimitOfServices) {
  scaler_settings.services_max = 2;
  boot();
  EXPECT_EQ(put("a", by_concurrency(1, 2)), "ok");
  EXPECT_EQ(put("b", by_concurrency(1, 2)), "ok");
  EXPECT_EQ(put("c", by_concurrency(1, 2)), "exhausted");
  EXPECT_EQ(put("b", by_concurrency(1, 3)), "ok");
  EXPECT_EQ(outcome(ask(ServiceScaleRemove{"b"}, ann)), "ok");
  EXPECT_EQ(put("c", by_concurrency(1, 2)), "exhausted");  // its numbers must be remembered
  EXPECT_EQ(put("b", by_concurrency(1, 3)), "ok");
}

TEST_F(ScalerTest, OnlyServicesOfTheSuiteReport) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  EXPECT_EQ(outcome(ask(report_of("web", 5), ann)), "denied");
  EXPECT_EQ(outcome(ask(report_of("web", 5), deployer)), "ok");
  EXPECT_EQ(outcome(ask(report_of("db", 5), deployer)), "not_found");
  EXPECT_EQ(outcome(ask(report_of("web", -5), deployer)), "invalid");
  auto bad = report_of("web", 5);
  bad.silent = bad.ready + 1;
  EXPECT_EQ(outcome(ask(bad, deployer)), "invalid");
  EXPECT_EQ(counter("reports"), 1);
}

TEST_F(ScalerTest, ManyServicesAreLookedAtInSlices) {
  scaler_settings.looks_max = 3;
  boot();
  for (int i = 0; i < 10; ++i) {
    auto const name = "s" + std::to_string(i);
    ASSERT_EQ(put(name, by_concurrency(1, 9)), "ok");
    ASSERT_EQ(outcome(ask(report_of(name, 20), deployer)), "ok");
  }
  advance(1000);
  EXPECT_EQ(counter("decisions"), 10);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(wanted("s" + std::to_string(i)), 2u) << i;
}

TEST_F(ScalerTest, ANewLifeKnowsNumbersAndRates) {
  auto s = by_concurrency(1, 50);
  s.limits.up = {3, 600'000};
  ASSERT_EQ(put("web", s, 1), "ok");
  load("web", 100, 10);
  ASSERT_EQ(wanted("web"), 4u);
  boot();
  EXPECT_EQ(wanted("web"), 4u);
  EXPECT_FALSE(explain("web").reported_at_ms);
  load("web", 100, 40);
  EXPECT_EQ(wanted("web"), 4u);  // the three were added before this life
  EXPECT_EQ(explain("web").newest->bound, ScaleBound::rate);
  load("web", 100, 600);
  EXPECT_EQ(wanted("web"), 7u);
  EXPECT_EQ(explain("web").changes.at(0).number, 2u);
}

TEST_F(ScalerTest, ANewLifeRemovesNothingBeforeItsWindowsAreFull) {
  ASSERT_EQ(put("web", by_concurrency(1, 50), 10), "ok");
  load("web", 100, 20);
  boot();
  load("web", 10, 299);
  EXPECT_EQ(wanted("web"), 10u);
  load("web", 10, 20);
  EXPECT_EQ(wanted("web"), 1u);
}

TEST_F(ScalerTest, RemovedAndPutAgainItsNumbersGoOn) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  ASSERT_TRUE(ask(ServiceScale{"web", 4}, ann));
  EXPECT_EQ(ask(ServiceScaleRemove{"web"}, ann)->replicas, 4u);
  EXPECT_EQ(outcome(ask(ServiceExplain{"web"}, ann)), "not_found");
  EXPECT_EQ(outcome(ask(ServiceScaleRemove{"web"}, ann)), "not_found");
  boot();
  EXPECT_EQ(counter("services"), 0);
  ASSERT_EQ(put("web", by_concurrency(2, 6)), "ok");
  EXPECT_EQ(explain("web").changes.size(), 3u);
  EXPECT_EQ(explain("web").changes.at(0).number, 3u);
}

TEST_F(ScalerTest, WhatWasNotCommittedIsDecidedAgain) {
  ASSERT_EQ(put("web", by_concurrency(1, 6)), "ok");
  ASSERT_EQ(outcome(ask(report_of("web", 30), deployer)), "ok");
  store.script = {store::FaultKind::unavailable};
  advance(1000);
  EXPECT_EQ(decisions().size(), 1u);
  EXPECT_EQ(events().size(), 1u);
  load("web", 30, 20);
  EXPECT_EQ(wanted("web"), 3u);
  EXPECT_EQ(decisions().size(), 2u);
  EXPECT_EQ(events().back().number, 2u);
}

TEST_F(ScalerTest, TheStreamHasASnapshot) {
  ASSERT_EQ(put("web", by_concurrency(2, 6)), "ok");
  ASSERT_EQ(put("api", by_concurrency(0, 6)), "ok");
  auto const taken = ask(SnapshotGet{"scaler", stream_name}, deployer);
  ASSERT_TRUE(taken) << taken.error().what;
  auto const all = *codec::decode<ScalingSnapshot>(taken->body.data);
  ASSERT_EQ(all.services.size(), 2u);
  EXPECT_EQ(all.services[0].service, "api");
  EXPECT_EQ(all.services[0].wanted, 0u);
  EXPECT_EQ(all.services[1].wanted, 2u);
}

TEST_F(ScalerTest, TheListGoesOnBehindAName) {
  for (auto const* service : {"web", "api", "ocr"})
    ASSERT_EQ(put(service, by_concurrency(2, 6)), "ok");
  ASSERT_TRUE(ask(report_of("ocr", 1), deployer));
  auto const first = ask(ScaledServiceList{"", 2}, ann);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->total, 3u);
  ASSERT_EQ(first->services.size(), 2u);
  EXPECT_EQ(first->services[0].service, "api");
  EXPECT_FALSE(first->services[0].reported_at_ms);
  EXPECT_TRUE(first->services[1].reported_at_ms);
  auto const rest = ask(ScaledServiceList{"ocr", 2}, ann);
  ASSERT_TRUE(rest) << rest.error().what;
  ASSERT_EQ(rest->services.size(), 1u);
  EXPECT_EQ(rest->services[0].service, "web");
  EXPECT_EQ(rest->services[0].wanted, 2u);
}

TEST_F(ScalerTest, AnIdleServiceGoesToZeroAndIsWoken) {
  auto s = by_concurrency(0, 6);
  s.policy = "kpa";
  ASSERT_EQ(put("web", s, 1), "ok");
  load("web", 5, 5);
  load("web", 0, 120);
  EXPECT_EQ(wanted("web"), 0u);
  load("web", 1, 3);
  EXPECT_EQ(wanted("web"), 1u);
  EXPECT_EQ(explain("web").changes.at(0).policy, "kpa");
}

// Kubernetes' rule looks each 15 s; who waits at a service without replicas does not.
TEST_F(ScalerTest, TheFirstRequestWakesAtOnceWhateverThePolicysPace) {
  ASSERT_EQ(put("web", by_concurrency(0, 6), 1), "ok");
  load("web", 0, 60);
  ASSERT_EQ(outcome(ask(ServiceScale{"web", 0}, ann)), "ok");
  load("web", 0, 20);
  ASSERT_EQ(wanted("web"), 0u) << "nobody waits";
  advance(1'000);
  auto const told = ask(report_of("web", 1), deployer);
  ASSERT_TRUE(told) << told.error().what;
  EXPECT_EQ(told->wanted, 1u) << "by the answer to the very report";
}

TEST_F(ScalerTest, AWindowOfItsOwnMakesItGoSooner) {
  auto s = by_concurrency(0, 6);
  s.policy = "kpa";
  s.window_ms = 6'000;
  s.limits.zero_after_ms = 2'000;
  ASSERT_EQ(put("web", s, 1), "ok");
  load("web", 5, 5);
  load("web", 0, 12);
  EXPECT_EQ(wanted("web"), 0u) << explain("web").newest->reason;
  s.window_ms = 2'000;
  EXPECT_EQ(put("web", s), "invalid") << "below what the rule knows";
}

class SharingTest : public ScalerTest {
 protected:
  static ScaleSettings sharing(double share, std::string leader = "") {
    auto s = by_concurrency(1, 20);
    s.policy = "adjustment";
    s.adjustment = {1, share, 10'000, std::move(leader)};
    return s;
  }
  // One report a second of each; what the followers say of their own requests does not count.
  void report(std::vector<std::string> const& services, double of_web, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      advance(1'000);
      for (auto const& name : services)
        ASSERT_EQ(outcome(ask(report_of(name, name == "web" ? of_web : 3), deployer)), "ok");
    }
  }
};

TEST_F(SharingTest, AGroupSharesTheChangesOfTheOneThatItFollows) {
  ASSERT_EQ(put("web", sharing(0.5), 4), "ok");
  EXPECT_EQ(explain("web").newest->reason,
            "ann put its scaling; its group has shares of 0.5 so far");
  ASSERT_EQ(put("api", sharing(0.3, "web"), 4), "ok");
  ASSERT_EQ(put("ocr", sharing(0.2, "web"), 4), "ok");
  EXPECT_EQ(explain("ocr").newest->reason, "ann put its scaling");
  report({"web", "api", "ocr"}, 50, 20);
  report({"web", "api", "ocr"}, 150, 30);
  EXPECT_EQ(wanted("web"), 9u) << explain("web").newest->reason;  // 4 + 0.5 x 10
  EXPECT_EQ(wanted("api"), 7u);
  EXPECT_EQ(wanted("ocr"), 6u);
}

TEST_F(SharingTest, SharesOfAGroupNeverSumToMoreThanOne) {
  ASSERT_EQ(put("web", sharing(0.5)), "ok");
  ASSERT_EQ(put("api", sharing(0.5, "web")), "ok");
  EXPECT_EQ(put("ocr", sharing(0.1, "web")), "conflict") << "another one's share may shrink";
  EXPECT_EQ(put("ocr", sharing(1)), "ok") << "its own load is its own";
  EXPECT_EQ(put("api", sharing(0.4, "web")), "ok") << "its own share counts once";
  auto of_another = by_concurrency(1, 2);
  of_another.adjustment.share = 0.5;
  EXPECT_EQ(put("big", of_another), "invalid") << "hpa knows no shares";
  EXPECT_EQ(put("big", sharing(0.1, "Not A Label")), "invalid");
}

// Its share counts against the group: a stranger could keep the others from being scaled.
TEST_F(SharingTest, OnlyWhoMayChangeTheLeaderJoinsItsGroup) {
  ASSERT_EQ(put("web", sharing(0.5)), "ok");
  rule_gate.rule = [](actor::Caller const&, Verb, std::string_view resource) {
    return resource == "service/web" ? Status(Error{Code::denied, "not yours"}) : ok();
  };
  EXPECT_EQ(put("api", sharing(0.1, "web")), "denied");
  EXPECT_EQ(put("api", sharing(0.1)), "ok");
}

// What the leader is asked for says nothing of requests that wait for the follower.
TEST_F(SharingTest, AFollowerSleepsAndWakesByItsOwnRequests) {
  auto idle = sharing(0.5, "web");
  idle.limits.min = 0;
  idle.limits.zero_after_ms = 5'000;
  ASSERT_EQ(put("web", sharing(0.5), 1), "ok");
  ASSERT_EQ(put("api", idle, 1), "ok");
  ASSERT_EQ(outcome(ask(ServiceScale{"api", 0}, ann)), "ok");
  report({"web"}, 0, 20);
  EXPECT_EQ(wanted("api"), 0u);
  advance(1'000);
  auto const told = ask(report_of("api", 1), deployer);
  ASSERT_TRUE(told) << told.error().what;
  EXPECT_EQ(told->wanted, 1u);
}

TEST_F(SharingTest, WhileNothingIsHeardOfTheLeaderNothingChanges) {
  ASSERT_EQ(put("api", sharing(0.5, "web"), 4), "ok");
  report({"api"}, 0, 30);
  EXPECT_EQ(wanted("api"), 4u);
  EXPECT_EQ(explain("api").newest->reason,
            "nothing is known of concurrency in the last 20 s; nothing changes");
}

}  // namespace
}  // namespace lepton::scaler::testing
