// Starting, watching and ending attempts, and what the deployer hears of it.

#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {
namespace {

class WorkTest : public NodeTest {};

TEST_F(WorkTest, ItTellsWhatItHasAndWhoItIs) {
  auto const sync = newest();
  EXPECT_EQ(sync.node.value, "n1");
  EXPECT_EQ(sync.boot_id, "boot-1");
  EXPECT_EQ(sync.capacity, node_settings.capacity);
  EXPECT_TRUE(sync.reports.empty());
  EXPECT_EQ(sync.wait_ms, 1'000);
  EXPECT_EQ(out().size(), 1u);
}

TEST_F(WorkTest, AnAttemptIsStartedReportedAndAcknowledged) {
  script("job-1-0", {.duration_ms = 3'000, .exit_code = 4});
  auto order = start_order();
  order.secrets["HF"] = Secret<>(std::string("hf_canary"));
  answer(start(order));
  ASSERT_EQ(runner->starts.size(), 1u);
  auto const& spec = runner->starts[0];
  EXPECT_EQ(spec.attempt, "job-1-0-1");
  EXPECT_EQ(spec.gpu_uuids, std::vector<std::string>{"GPU-b"});
  EXPECT_EQ(spec.ports, std::vector<std::uint16_t>{20'001});
  EXPECT_EQ(spec.listen, "127.0.0.1");
  EXPECT_EQ(spec.cpu_milli, 2'000);
  EXPECT_EQ(spec.lease_ms, 10'000);
  EXPECT_EQ(runner->secrets_given[0].at("HF").reveal(), "hf_canary");
  EXPECT_EQ(reported_state("job-1-0-1"), "running");
  EXPECT_EQ(newest().wait_ms, 0) << "news do not wait";
  pass(500);  // a look brings what the runner has noted meanwhile
  answer_all_news();
  pass(3'000);
  EXPECT_EQ(reported_state("job-1-0-1"), "exited final");
  EXPECT_EQ(reported("job-1-0-1")->exit_code, 4);
  answer(acknowledge("job-1-0-1"));
  answer_all_news();
  EXPECT_EQ(reported_state("job-1-0-1"), "none");
  EXPECT_EQ(runner->scan().size(), 1u) << "its log stays for a while";
}

TEST_F(WorkTest, ATaskStaysNearItsGpusWhereItInsists) {
  node_settings.capacity.gpus[1].numa = 1;
  node_settings.numa_cpus = {{0, "0-3"}, {1, "4-7"}};
  boot();
  auto order = start_order();
  answer(start(order));
  EXPECT_EQ(runner->starts.at(0).cpus, "") << "only who asks for it is bound";
  order.spec.resources.where.one_numa = true;
  order.attempt = AttemptId{"job-2-0-1"};
  order.task = TaskId{"job-2-0"};
  script("job-2-0", {.duration_ms = std::nullopt});
  answer(start(order));
  ASSERT_EQ(runner->starts.size(), 2u);
  EXPECT_EQ(runner->starts[1].cpus, "4-7");
}

// As of a container whose image could not be had: there is no exit code, so nothing has succeeded.
TEST_F(WorkTest, AnEndWithoutAnExitCodeIsAFailure) {
  script("job-1-0", {.duration_ms = 1'000, .exit_code = -1});
  answer(start(start_order()));
  pass(500);
  answer_all_news();
  pass(1'000);
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
}

TEST_F(WorkTest, ATaskOfAGangKnowsTheOthers) {
  auto order = start_order();
  order.spec.gang_port = true;
  order.spec.env["RANK"] = "of the person";
  order.allocation.ports = {20'001, 20'002};
  order.index = 1;
  order.gang = {{"10.0.0.1", 20'009}, {"10.0.0.2", 20'002}};
  answer(start(order));
  ASSERT_EQ(runner->starts.size(), 1u);
  auto const& spec = runner->starts[0];
  EXPECT_EQ(spec.env.at("RANK"), "1");
  EXPECT_EQ(spec.env.at("MASTER_ADDR"), "10.0.0.1");
  EXPECT_EQ(spec.env.at("MASTER_PORT"), "20009");
  EXPECT_EQ(spec.ports, std::vector<std::uint16_t>{20'001}) << "the gang's own is no $PORT";
}

TEST_F(WorkTest, ARepeatedOrderStartsNothingAgain) {
  answer(start(start_order()));
  answer(start(start_order()));
  answer(start(start_order()));
  EXPECT_EQ(runner->starts.size(), 1u);
  EXPECT_EQ(reported_state("job-1-0-1"), "running");
}

TEST_F(WorkTest, AFailedStartIsReportedWithItsReason) {
  script("job-1-0", {.start_error = Error{Code::denied, "there is no user 'nobody2'"}});
  answer(start(start_order()));
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  EXPECT_NE(reported("job-1-0-1")->reason.find("nobody2"), std::string::npos);
  answer(acknowledge("job-1-0-1"));
  EXPECT_EQ(reported_state("job-1-0-1"), "none");
}

TEST_F(WorkTest, ALaunchThatWasCutOffIsALoss) {
  runner->fake.cut_next_launch();
  answer(start(start_order()));
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
}

TEST_F(WorkTest, ATaskWhoseLockIsHeldDoesNotStart) {
  answer(start(start_order()));
  answer(start(start_order("job-1", 2)));
  EXPECT_EQ(reported_state("job-1-0-1"), "running");
  EXPECT_EQ(reported_state("job-1-0-2"), "lost final") << "it has not failed by itself";
  EXPECT_EQ(runner->fake.running().size(), 1u);
}

TEST_F(WorkTest, AStopEndsTheAttempt) {
  answer(start(start_order()));
  answer(stop("job-1-0-1"));
  pass(500);
  EXPECT_EQ(reported_state("job-1-0-1"), "exited final");
  EXPECT_EQ(reported("job-1-0-1")->signal, 15);
  EXPECT_TRUE(runner->fake.running().empty());
}

TEST_F(WorkTest, AStopOfAnUnknownAttemptIsAnsweredLostAndItNeverStarts) {
  answer(stop("job-1-0-1"));
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
  answer(start(start_order()));
  EXPECT_TRUE(runner->starts.empty()) << "an order that was overtaken by its stop";
  answer(acknowledge("job-1-0-1"));
  EXPECT_EQ(reported_state("job-1-0-1"), "none");
}

TEST_F(WorkTest, AnAttemptThatDiesWithItsRunnerIsLost) {
  answer(start(start_order()));
  answer(NodeOrders{});
  runner->fake.kill_runner("job-1-0-1");
  pass(500);
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
}

TEST_F(WorkTest, WhatLivesOnAfterItsRunnerIsNotFinal) {
  answer(start(start_order()));
  answer(NodeOrders{});
  runner->fake.kill_runner("job-1-0-1", true);
  pass(500);
  EXPECT_EQ(reported_state("job-1-0-1"), "stopping");
  answer(NodeOrders{});
  runner->fake.clear_leftovers("job-1-0-1");
  pass(500);
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
}

TEST_F(WorkTest, ARestartAdoptsWhatRunsAndReportsWhatEnded) {
  script("job-2-0", {.duration_ms = 100});
  answer(start(start_order()));
  answer(start(start_order("job-2")));
  clock.now += 5'000;
  boot();
  EXPECT_EQ(reported_state("job-1-0-1"), "running");
  EXPECT_EQ(reported_state("job-2-0-1"), "exited final");
  answer(start(start_order()));
  EXPECT_EQ(runner->starts.size(), 2u) << "nothing starts twice";
  answer(lease("job-1-0-1"));
  pass(8'000);
  EXPECT_EQ(runner->fake.running().size(), 1u) << "adopted work gets its leases";
  answer(stop("job-1-0-1"));
  pass(500);
  EXPECT_EQ(reported_state("job-1-0-1"), "exited final");
}

TEST_F(WorkTest, OnlyTheNewestEndedAttemptsAreKept) {
  node_settings.kept_max = 2;
  boot();
  for (int i = 0; i < 5; ++i) {
    auto const job = "job-" + std::to_string(10 + i);
    script(job + "-0", {.duration_ms = 0});
    answer(start(start_order(job)));
    answer(NodeOrders{});
    pass(300);
    EXPECT_EQ(reported_state(job + "-0-1"), "exited final");
    answer(acknowledge(job + "-0-1"));
  }
  auto const kept = runner->scan();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].attempt, "job-13-0-1");
  EXPECT_EQ(kept[1].attempt, "job-14-0-1");
}

TEST_F(WorkTest, ASlowRunnerIsNotAskedAgainBeforeItHasAnswered) {
  answer(start(start_order()));
  advance(300);  // a look is on its way; the worker does not come back
  auto const before = runner->polls;
  advance(60'000);
  rest();
  EXPECT_LE(runner->polls - before, 2);
}

// Leases

TEST_F(WorkTest, RenewalsAreFewAndKeepItAlive) {
  answer(start(start_order()));
  runner->renewals = 0;
  for (int i = 0; i < 30; ++i) {
    pass(1'000);
    answer(lease("job-1-0-1"));
  }
  EXPECT_EQ(runner->fake.running().size(), 1u);
  EXPECT_LE(runner->renewals, 13) << "a quarter of a lease at a time";
  EXPECT_GE(runner->renewals, 6);
}

// Found by the simulation: a renewal that seemed too small to be worth it was left out, and the
// answer after it came too late.
TEST_F(WorkTest, NoRenewalIsLeftOutWhenLittleOfTheLeaseIsLeft) {
  node_settings.sync_timeout_ms = 7'000;
  boot();
  answer(start(start_order()));
  for (TimeMs const gap_ms : {2'200, 4'200, 4'200, 2'200, 4'200, 4'200, 2'200, 4'200, 4'200}) {
    pass(gap_ms);
    answer(lease("job-1-0-1"));
    ASSERT_EQ(runner->fake.running().size(), 1u);
  }
}

TEST_F(WorkTest, WithoutALeaseItEndsAndIsReportedLost) {
  answer(start(start_order()));
  for (int i = 0; i < 12; ++i) {
    pass(1'000);
    answer(NodeOrders{});
  }
  EXPECT_TRUE(runner->fake.running().empty());
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
}

TEST_F(WorkTest, AStartWhoseLeaseRanOutOnItsWayIsNotTaken) {
  auto order = start_order();
  order.spec.lease_ms = 1'000;
  pass(1'500);
  answer(start(order));
  EXPECT_TRUE(runner->starts.empty());
  EXPECT_EQ(reported_state("job-1-0-1"), "none");
  answer(start(order));
  EXPECT_EQ(runner->starts.size(), 1u) << "a fresh order is";
}

}  // namespace
}  // namespace lepton::node::testing
