// Services that may go to zero: who waits at the entrance brings the first replica.

#include "tests/services/deployer/services_rig.hpp"

namespace lepton::deployer::testing {
namespace {

// What a service is that may go to zero.
ServiceSpec may_idle(ServiceSpec s) {
  s.min = 0;
  s.max = 3;
  s.scale = ScaleSettings{"kpa", ScaleSignal::concurrency, 1, {}, 0};
  s.scale->limits.min = 0;
  s.scale->limits.max = 3;
  return s;
}

class IdleTest : public ServicesTest {
 protected:
  // The scaler's answer to the newest report.
  void scaler_says(std::uint32_t wanted) {
    auto const reports = open_requests<ServiceReport>();
    ASSERT_FALSE(reports.empty());
    reply_to<ServiceReport>(reports.back(), ScaleWanted{wanted, ++changes_});
    rest();
  }
  void go_idle() {
    ASSERT_TRUE(apply(may_idle(web(1))));
    live(1);
    auto const puts = open_requests<ServiceScalePut>();
    ASSERT_EQ(puts.size(), 1u);
    EXPECT_EQ(codec::decode<ServiceScalePut>(puts[0].body)->replicas, 1u)
        << "the template proves itself";
    reply_to<ServiceScalePut>(puts[0], ScaleWanted{1, ++changes_});
    live(12);  // it counts as proven after ten seconds
    ASSERT_EQ(ready(), 1u);
    scaler_says(0);
    live(3);
    ASSERT_EQ(show().line.state, "idle");
    ASSERT_TRUE(show().replicas.empty());
    scaler_says(0);
  }

 private:
  std::uint64_t changes_ = 0;
};

TEST_F(IdleTest, TheFirstRequestIsReportedAtOnceAndServed) {
  go_idle();
  EXPECT_NE(show().why.find("the first request starts one"), std::string::npos) << show().why;
  EXPECT_EQ(balancer->hold_ms(entrance), 30'000);
  balancer->hold(entrance, 2);
  advance(500), rest();
  scaler_says(0);  // to a report that was under way
  advance(500), rest();
  auto const reports = open_requests<ServiceReport>();
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(codec::decode<ServiceReport>(reports.back().body)->concurrency, 2);
  scaler_says(1);
  live(2);
  EXPECT_EQ(ready(), 1u);
  EXPECT_EQ(show().line.state, "steady");
  EXPECT_EQ(show().line.in_flight, 0) << "answered";
}

TEST_F(IdleTest, ARestartFindsItIdleAndKnowsWhoWaits) {
  go_idle();
  balancer->hold(entrance, 1);
  boot_services();
  EXPECT_EQ(show().line.state, "idle");
  live(1);
  scaler_says(1);
  live(2);
  EXPECT_EQ(ready(), 1u);
}

TEST_F(IdleTest, ARevisionWaitsForARequestToProveItself) {
  go_idle();
  ASSERT_TRUE(apply(may_idle(other(1))));
  live(2);
  EXPECT_EQ(show().line.state, "idle");
  EXPECT_EQ(audited("deployer.service.rolled_out").size(), 1u) << "that of the first one";
  readiness = Readiness::no;
  balancer->hold(entrance, 1);
  live(1);
  scaler_says(1);
  std::set<JobId> failed;
  for (int i = 0; i < 40 && show().line.state != "stalled"; ++i) {
    live(1);
    for (auto const& replica : show().replicas)
      if (replica.revision == 2 && failed.insert(replica.job).second)
        n1.says(attempt_of(replica), AttemptState::exited, 3);
  }
  ASSERT_EQ(show().line.state, "stalled") << "it was never proven";
  readiness = Readiness::yes;
  for (auto& [id, report] : n1.reports) report.readiness = Readiness::yes;
  live(3);
  EXPECT_EQ(ready(), 1u);
  EXPECT_EQ(templates(), std::set<std::uint32_t>{1}) << "the old one serves";
  EXPECT_EQ(show().line.in_flight, 0);
}

TEST_F(IdleTest, ARevertOfAnIdleServiceStartsNothing) {
  go_idle();
  ASSERT_TRUE(apply(may_idle(other(1))));
  auto const back = ask(ServiceRevert{"web"}, ops);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->replicas, 0u);
  live(2);
  EXPECT_EQ(show().line.state, "idle");
  EXPECT_EQ(show().spec.task, web(1).task);
}

TEST_F(IdleTest, WithoutAScalerNothingStaysAtZero) {
  go_idle();
  advance(1'000), rest();
  auto const reports = open_requests<ServiceReport>();
  ASSERT_FALSE(reports.empty());
  reply_to<ServiceReport>(reports.back(), Error{Code::not_found, "no such service"});
  live(2);
  EXPECT_EQ(ready(), 1u) << "nobody would start the first one any more";
  EXPECT_EQ(outcome(ask(ServiceResize{"web", 0}, ops)), "invalid");
  ASSERT_TRUE(ask(ServiceResize{"web", 2}, ops));
}

TEST_F(IdleTest, NeedsAnEntrance) {
  auto away = may_idle(web(1));
  away.task.resources.ports = 0;
  away.task.probes = {};
  EXPECT_EQ(outcome(apply(away)), "invalid");
  deployer_settings.entrance_count = 0;
  boot_service("deployer",
               [this] { return std::make_unique<Deployer>(deployer_settings, nullptr); });
  rest();
  EXPECT_EQ(outcome(apply(may_idle(web(1)))), "invalid");
}

}  // namespace
}  // namespace lepton::deployer::testing
