// Services on the actor: replicas come and go by the syncs of nodes, the entrance follows, and a
// restart at any point goes on where it stood.

#include "tests/services/deployer/services_rig.hpp"

namespace lepton::deployer::testing {
namespace {

TEST_F(ServicesTest, ReplicasStartAndStandBehindTheEntranceWhenTheyAreReady) {
  readiness = Readiness::no;
  auto const got = apply(web());
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->port, entrance);
  live(2);
  EXPECT_EQ(show().replicas.size(), 2u);
  EXPECT_EQ(ready(), 0u);
  EXPECT_TRUE(balancer->servers(entrance).empty());
  for (auto& [id, report] : n1.reports) report.readiness = Readiness::yes;
  live(1);
  auto const view = show();
  EXPECT_EQ(view.line.state, "steady");
  EXPECT_EQ(view.line.address, "127.0.0.1:7120");
  auto const servers = balancer->servers(entrance);
  ASSERT_EQ(servers.size(), 2u);
  std::set<std::uint32_t> const ports{servers[0].port, servers[1].port};
  EXPECT_EQ(ports, (std::set<std::uint32_t>{view.replicas[0].port, view.replicas[1].port}));
  EXPECT_EQ(audited("deployer.replica.started").size(), 2u);
  EXPECT_TRUE(audited("deployer.service.rolled_out").empty()) << "not before they were stable";
  live(12);
  EXPECT_EQ(audited("deployer.service.rolled_out").size(), 1u);
}

TEST_F(ServicesTest, BadOnesAndStrangersAreRefused) {
  auto bad = web();
  bad.task.probes.readiness->path = "no slash";
  EXPECT_EQ(outcome(apply(bad)), "invalid");
  EXPECT_EQ(outcome(ask(ServiceApply{web()}, ann)), "denied");
  auto far = web();
  far.port = 9'999;
  EXPECT_EQ(outcome(apply(far)), "invalid");
  EXPECT_EQ(outcome(ask(ServiceShow{"web"}, ops)), "not_found");
  auto job = spec();
  job.probes.liveness = Probe{};
  EXPECT_EQ(outcome(submit("job-1", job)), "invalid") << "probes are of services";
  EXPECT_TRUE(show_all().empty());
}

TEST_F(ServicesTest, TheSameAgainChangesNothing) {
  ASSERT_TRUE(apply(web()));
  EXPECT_FALSE(apply(web())->changed);
  EXPECT_EQ(apply(web())->revision, 1u);
  auto more = web(3);
  EXPECT_EQ(apply(more)->revision, 2u);
  live(2);
  EXPECT_EQ(templates(), std::set<std::uint32_t>{1}) << "no template has changed";
  EXPECT_EQ(ready(), 3u);
}

TEST_F(ServicesTest, ARolloutNeverHasFewerReadyThanWanted) {
  ASSERT_TRUE(apply(web()));
  live(2);
  ASSERT_EQ(ready(), 2u);
  ASSERT_TRUE(apply(other()));
  for (int i = 0; i < 20 && show().line.state != "steady"; ++i) {
    beat();
    EXPECT_GE(ready(), 2u);
    EXPECT_LE(show().replicas.size(), 3u);
    std::size_t open = 0;
    for (auto const& server : balancer->servers(entrance)) open += server.draining ? 0 : 1;
    EXPECT_GE(open, 2u);
    advance(200);
  }
  EXPECT_EQ(templates(), std::set<std::uint32_t>{2});
  EXPECT_EQ(show().line.state, "steady");
}

TEST_F(ServicesTest, OpenRequestsMayEndBeforeAStop) {
  ASSERT_TRUE(apply(web(1)));
  live(2);
  auto const old = show().replicas.at(0);
  balancer->set_in_flight(old.job.value, 1);
  ASSERT_TRUE(apply(other(1)));
  live(2);
  EXPECT_EQ(show().replicas.at(0).job, old.job);
  EXPECT_EQ(show().replicas.at(0).state, ReplicaState::draining);
  balancer->set_in_flight(old.job.value, 0);
  live(2);
  EXPECT_EQ(show().replicas.size(), 1u);
  EXPECT_EQ(templates(), std::set<std::uint32_t>{2});
}

TEST_F(ServicesTest, ADrainHasALimit) {
  ASSERT_TRUE(apply(web(1)));
  live(2);
  balancer->set_in_flight(show().replicas.at(0).job.value, 1);
  ASSERT_TRUE(apply(other(1)));
  live(10);
  EXPECT_EQ(templates(), std::set<std::uint32_t>{2});
}

TEST_F(ServicesTest, AFailingRevisionStallsAndTheOldOneStays) {
  ASSERT_TRUE(apply(web()));
  live(2);
  readiness = Readiness::no;
  ASSERT_TRUE(apply(other()));
  std::set<JobId> failed;
  for (int i = 0; i < 40 && show().line.state != "stalled"; ++i) {
    live(1);
    for (auto const& replica : show().replicas)
      if (replica.revision == 2 && failed.insert(replica.job).second)
        n1.says(attempt_of(replica), AttemptState::exited, 3);
    EXPECT_GE(ready(), 2u);
  }
  EXPECT_EQ(show().line.state, "stalled");
  EXPECT_NE(show().why.find("exit code 3"), std::string::npos) << show().why;
  EXPECT_EQ(audited("deployer.service.stalled").size(), 1u);
  live(3);
  EXPECT_EQ(templates(), std::set<std::uint32_t>{1});
  auto const back = ask(ServiceRevert{"web"}, ops);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(show().line.state, "steady") << "what runs has the old template already";
  EXPECT_EQ(show().spec.task, web().task);
  auto const history = ask(ServiceHistory{"web"}, ops);
  ASSERT_EQ(history->revisions.size(), 3u);
  EXPECT_EQ(history->revisions[0].note, "revert to revision 1");
}

TEST_F(ServicesTest, ATemplateThatIsReadyForAMomentAndThenFailsStallsToo) {
  ASSERT_TRUE(apply(web()));
  live(12);
  ASSERT_TRUE(apply(other()));
  std::set<JobId> failed;
  for (int i = 0; i < 60 && show().line.state != "stalled"; ++i) {
    live(1);
    if (templates() != std::set<std::uint32_t>{2}) continue;
    for (auto const& replica : show().replicas)
      if (replica.state == ReplicaState::ready && failed.insert(replica.job).second)
        n1.says(attempt_of(replica), AttemptState::exited, 3);
  }
  EXPECT_EQ(show().line.state, "stalled");
  live(3);
  EXPECT_EQ(templates(), std::set<std::uint32_t>{1}) << "what was proven comes back";
  EXPECT_EQ(ready(), 2u);
}

// A clock that is set back does not make a replica look old.
TEST_F(ServicesTest, AClockThatIsSetBackEndsNothing) {
  clock.wall -= 3'600'000;
  readiness = Readiness::pending;
  ASSERT_TRUE(apply(web(1)));
  live(20);
  EXPECT_EQ(audited("deployer.replica.ended").size(), 0u);
  for (auto& [id, report] : n1.reports) report.readiness = Readiness::yes;
  live(2);
  EXPECT_EQ(ready(), 1u);
}

// Nor does one that is set ahead give it more time.
TEST_F(ServicesTest, AClockThatIsSetAheadGivesNoMoreTime) {
  clock.wall += 3'600'000;
  readiness = Readiness::pending;
  ASSERT_TRUE(apply(web(1)));
  live(130);
  EXPECT_GE(audited("deployer.replica.ended").size(), 1u);
}

// What was ready "in the future" proves itself from the restart on.
TEST_F(ServicesTest, ATimeThatLiesAheadOfARestartIsTakenBack) {
  clock.wall += 3'600'000;
  boot_services();
  ASSERT_TRUE(apply(web(1)));
  live(3);
  ASSERT_EQ(ready(), 1u);
  clock.wall -= 3'600'000;
  boot_services();
  live(15);
  EXPECT_EQ(audited("deployer.service.rolled_out").size(), 1u);
}

TEST_F(ServicesTest, WhatHasEndedIsReplacedAlsoAfterALiveness) {
  ASSERT_TRUE(apply(web()));
  live(12);
  auto const victim = show().replicas.at(0);
  n1.reports[attempt_of(victim)] = {attempt_of(victim),    AttemptState::exited, true, 0, 15,
                                    "liveness: 3 failures"};
  live(2);
  EXPECT_EQ(ready(), 2u);
  for (auto const& replica : show().replicas) EXPECT_NE(replica.job, victim.job);
  EXPECT_EQ(audited("deployer.replica.ended").at(0).detail.at("why"), "liveness: 3 failures");
}

TEST_F(ServicesTest, ARestartAtAnyPointLosesNothing) {
  ASSERT_TRUE(apply(web()));
  live(2);
  ASSERT_TRUE(apply(other()));
  for (int i = 0; i < 30 && show().line.state != "steady"; ++i) {
    boot_services();
    auto const before = balancer->servers(entrance).size();
    rest();
    EXPECT_GE(balancer->servers(entrance).size(), std::min<std::size_t>(before, 2));
    beat();
    EXPECT_GE(ready(), 2u);
    advance(300);
  }
  EXPECT_EQ(show().line.state, "steady");
  EXPECT_EQ(templates(), std::set<std::uint32_t>{2});
}

TEST_F(ServicesTest, ABalancerThatForgotIsSetRight) {
  ASSERT_TRUE(apply(web()));
  live(2);
  balancer->restart();
  balancer->go_away(true);
  live(2);
  EXPECT_NE(show().why.find("away"), std::string::npos);
  balancer->go_away(false);
  live(2);
  EXPECT_EQ(balancer->servers(entrance).size(), 2u);
}

// Else the requests of one service would come to the work of another.
TEST_F(ServicesTest, APortIsGivenToNobodyWhileAnEntranceMayLeadThere) {
  auto const first = ended_behind_a_deaf_balancer();
  live(2);
  ASSERT_EQ(balancer->servers(entrance).at(0).port, first.port) << "it is not told";
  EXPECT_EQ(ready(), 1u) << "the service goes on";
  EXPECT_NE(show().replicas.at(0).port, first.port);
  boot_services();
  auto job = spec();
  job.resources.ports = 1;
  auto const port_of_new = [&](std::string const& id) {
    EXPECT_EQ(outcome(submit(id, job)), "ok");
    live(1);
    return view(id).tasks.at(0).allocation.ports.at(0);
  };
  EXPECT_NE(port_of_new("job-1"), first.port) << "also over a restart";
  balancer->go_away(false);
  live(2);
  ASSERT_NE(balancer->servers(entrance).at(0).port, first.port);
  EXPECT_EQ(port_of_new("job-2"), first.port) << "free again";
}

TEST_F(ServicesTest, WithoutABalancerPortsAreFreeAtOnce) {
  ended_behind_a_deaf_balancer();
  beat();
  ASSERT_EQ(test::rows_of<VacatedPortRow>(*store.disk).size(), 1u);
  balancer.reset();
  boot_services();
  live(1);
  EXPECT_TRUE(test::rows_of<VacatedPortRow>(*store.disk).empty());
  actor().cluster().check_invariants();
}

TEST_F(ServicesTest, ResizingKeepsToTheLimits) {
  auto s = web(1);
  s.max = 3;
  ASSERT_TRUE(apply(s));
  EXPECT_EQ(outcome(ask(ServiceResize{"web", 4}, ops)), "invalid");
  ASSERT_TRUE(ask(ServiceResize{"web", 3}, ops));
  live(2);
  EXPECT_EQ(ready(), 3u);
  ASSERT_TRUE(ask(ServiceResize{"web", 1}, ops));
  live(2);
  ASSERT_EQ(show().replicas.size(), 1u);
  EXPECT_EQ(show().replicas[0].number, 1u) << "the newest go first";
}

// Between 1 and 3 replicas, by its requests.
ServiceSpec scaled(ServiceSpec s) {
  s.max = 3;
  s.scale = ScaleSettings{"kpa", ScaleSignal::requests_per_s, 10, {}};
  s.scale->limits.min = 1;
  s.scale->limits.max = 3;
  return s;
}

TEST_F(ServicesTest, TheScalerHearsOfTheLoadAndDecides) {
  ASSERT_TRUE(apply(scaled(web(1))));
  live(1);
  auto const puts = open_requests<ServiceScalePut>();
  ASSERT_EQ(puts.size(), 1u);
  reply_to<ServiceScalePut>(puts[0], ScaleWanted{1, 1});
  balancer->serve(entrance, 0);
  live(2);
  balancer->serve(entrance, 30);
  live(2);
  auto const reports = open_requests<ServiceReport>();
  ASSERT_FALSE(reports.empty());
  reply_to<ServiceReport>(reports.back(), ScaleWanted{3, 2});
  live(3);
  EXPECT_EQ(ready(), 3u);
  EXPECT_EQ(audited("deployer.service.scaled").size(), 1u);
  EXPECT_EQ(outcome(ask(ServiceResize{"web", 2}, ops)), "conflict");
}

// Shares of a group that sum to too much may fit again; until then it is scaled as before.
TEST_F(ServicesTest, AScalingThatIsRefusedForNowIsPutAgainAndTheOldOneGoesOn) {
  auto s = scaled(web(1));
  ASSERT_TRUE(apply(s));
  live(1);
  reply_to<ServiceScalePut>(open_requests<ServiceScalePut>().at(0), ScaleWanted{1, 1});
  live(2);
  for (auto const& report : open_requests<ServiceReport>())
    reply_to<ServiceReport>(report, ScaleWanted{1, 1});
  s.scale->per_replica = 20;
  ASSERT_TRUE(apply(s));
  live(1);
  reply_to<ServiceScalePut>(open_requests<ServiceScalePut>().at(0),
                            Error{Code::conflict, "the shares sum to 1.2"});
  live(1);
  EXPECT_NE(show().why.find("the shares sum to 1.2"), std::string::npos) << show().why;
  auto const reports = open_requests<ServiceReport>();
  ASSERT_FALSE(reports.empty()) << "the load goes on to count";
  reply_to<ServiceReport>(reports.back(), ScaleWanted{3, 2});
  live(12);
  EXPECT_EQ(ready(), 3u);
  EXPECT_FALSE(open_requests<ServiceScalePut>().empty()) << "nobody asks again";
}

TEST_F(ServicesTest, RemovingEndsTheReplicasAndTellsTheScaler) {
  ASSERT_TRUE(apply(web()));
  live(2);
  EXPECT_EQ(ask(ServiceRemove{"web"}, ops)->replicas, 2u);
  EXPECT_EQ(outcome(apply(web())), "conflict");
  live(4);
  EXPECT_TRUE(show_all().empty());
  EXPECT_TRUE(balancer->servers(entrance).empty());
  EXPECT_EQ(actor().cluster().held_count(), 0u);
  EXPECT_TRUE(store.disk->rows("service_revision").empty());
  ASSERT_TRUE(apply(web()));
}

TEST_F(ServicesTest, WhatASilentNodeHeldUpGoesOnWhenItIsHeardAgain) {
  auto s = web(1);
  s.max = 3;
  ASSERT_TRUE(apply(s));
  ASSERT_TRUE(ask(ServiceResize{"web", 3}, ops));
  live(2);
  ASSERT_EQ(ready(), 3u);
  for (int i = 0; i < 8; ++i) advance(1'000), rest();
  ASSERT_TRUE(ask(ServiceResize{"web", 1}, ops));
  for (int i = 0; i < 2; ++i) advance(1'000), rest();
  ASSERT_EQ(show().replicas.size(), 3u) << "nothing of a silent node is given up";
  live(4);
  EXPECT_EQ(show().replicas.size(), 1u);
}

TEST(ServiceTarget, AWallClockThatWasSteppedBackDoesNotHoldStarts) {
  ServiceState s;
  s.row.revision = 1;
  s.revisions[1] = {};
  s.row.not_before_ms = 1'000'000'000;
  EXPECT_FALSE(s.target(s.row.not_before_ms - trial_backoff_max_ms).may_start);
  EXPECT_TRUE(s.target(s.row.not_before_ms).may_start);
  EXPECT_TRUE(s.target(s.row.not_before_ms - 3'600'000).may_start);
}

TEST_F(ServicesTest, WithoutAnswerOfItsNodeAReplicaStaysUntilItsLeaseIsOver) {
  ASSERT_TRUE(apply(web(1)));
  live(2);
  auto const old = show().replicas.at(0).job;
  for (int i = 0; i < 10; ++i) advance(1'000), rest();
  EXPECT_EQ(balancer->servers(entrance).size(), 1u) << "it may well serve";
  for (int i = 0; i < 20; ++i) advance(1'000), rest();
  ASSERT_EQ(show().replicas.size(), 1u);
  EXPECT_NE(show().replicas[0].job, old);
}

}  // namespace
}  // namespace lepton::deployer::testing
