// The state machine of jobs, step by step.

#include "services/deployer/core/lifecycle.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

using Kinds = std::vector<ActionKind>;

// One job with its run and a clock.
struct Life {
  explicit Life(std::uint32_t tasks = 1) {
    spec.nodes = tasks;
    spec.lease_ms = 10'000;
    spec.stop_grace_ms = 1000;
  }
  Actions feed(Event const& e) { return apply(job, spec, run, e, now); }
  Kinds kinds(Event const& e) {
    Kinds k;
    for (auto const& a : feed(e)) k.push_back(a.kind);
    return k;
  }
  void place() {
    Placed p;
    for (std::uint32_t i = 0; i < spec.nodes; ++i) p.nodes.push_back({"n" + std::to_string(i)});
    feed(p);
  }
  Report report(AttemptState state, std::uint32_t i = 0, std::int32_t exit_code = 0) const {
    return {{"n" + std::to_string(i)}, attempt_id(job, i, run.round), state, exit_code, 0, ""};
  }
  void run_all() {
    for (std::uint32_t i = 0; i < spec.nodes; ++i) feed(report(AttemptState::running, i));
  }

  JobId job{"j"};
  JobSpec spec;
  JobRun run;
  Instant now{1'000'000, 50'000};
};

TEST(Lifecycle, AJobThatSucceeds) {
  Life l;
  auto const started = l.feed(Placed{{{"n0"}}});
  EXPECT_EQ(started, (Actions{{ActionKind::start, {"j-0-1"}, {"n0"}, 0, ""}}));
  EXPECT_EQ(l.run.state, JobState::starting);
  EXPECT_EQ(l.kinds(l.report(AttemptState::running)), Kinds{});
  EXPECT_EQ(l.run.state, JobState::running);
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited)),
            (Kinds{ActionKind::release, ActionKind::finish}));
  EXPECT_EQ(l.run.state, JobState::succeeded);
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited)), Kinds{});
  EXPECT_EQ(l.kinds(Cancel{}), Kinds{});
  EXPECT_EQ(l.run.state, JobState::succeeded);
}

TEST(Lifecycle, APreemptedGangIsStoppedWholeAndQueuedAgain) {
  Life l(2);
  l.spec.retry.on_interruption = false;
  EXPECT_EQ(l.kinds(Preempt{"too early"}), Kinds{}) << "it holds nothing";
  l.place();
  l.run_all();
  EXPECT_EQ(l.kinds(Preempt{"for others"}), (Kinds{ActionKind::stop, ActionKind::stop}));
  EXPECT_EQ(l.run.state, JobState::stopping);
  EXPECT_EQ(l.kinds(Preempt{"again"}), Kinds{});
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 0, 143)), Kinds{ActionKind::release});
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 1)),
            (Kinds{ActionKind::release, ActionKind::requeue}));
  EXPECT_EQ(l.run.state, JobState::queued);
  EXPECT_EQ(l.run.ending.reason, "for others");
  EXPECT_EQ(l.run.preemptions, 1u);
  EXPECT_EQ(l.run.failures + l.run.interruptions, 0u) << "no retry is used up";
  EXPECT_EQ(l.run.not_before_ms, 0);
  EXPECT_EQ(l.kinds(Preempt{"late"}), Kinds{});
}

TEST(Lifecycle, APreemptedJobMayBeCancelledWhileItStops) {
  Life l;
  l.place();
  l.run_all();
  l.feed(Preempt{"for others"});
  l.feed(Cancel{"enough"});
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 0, 143)),
            (Kinds{ActionKind::release, ActionKind::finish}));
  EXPECT_EQ(l.run.state, JobState::cancelled);
}

TEST(Lifecycle, ReportsThatAreLateOrDoubledChangeNothing) {
  Life l;
  l.place();
  l.run_all();
  auto const before = l.run;
  for (auto s : {AttemptState::claimed, AttemptState::starting, AttemptState::running,
                 AttemptState::unknown})
    EXPECT_EQ(l.kinds(l.report(s)), Kinds{});
  EXPECT_EQ(l.run, before);
}

TEST(Lifecycle, ANodeSpeaksOnlyForItself) {
  Life l;
  l.place();
  auto forged = l.report(AttemptState::exited);
  forged.from = {"n9"};
  EXPECT_EQ(l.kinds(forged), Kinds{});
  EXPECT_EQ(l.run.state, JobState::starting);
  forged.state = AttemptState::running;
  EXPECT_EQ(l.feed(forged),
            (Actions{{ActionKind::stop, {"j-0-1"}, {"n9"}, 0, "its round is over"}}));
}

TEST(Lifecycle, AGangRunsWhenAllRunAndEndsWhenAllEnded) {
  Life l(2);
  l.place();
  l.feed(l.report(AttemptState::running, 0));
  EXPECT_EQ(l.run.state, JobState::starting);
  l.feed(l.report(AttemptState::exited, 0));
  l.feed(l.report(AttemptState::running, 1));
  EXPECT_EQ(l.run.state, JobState::running);
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 1)),
            (Kinds{ActionKind::release, ActionKind::finish}));
  EXPECT_EQ(l.run.state, JobState::succeeded);
}

TEST(Lifecycle, OneFailureStopsTheGangThenAllTryAgain) {
  Life l(3);
  l.spec.retry = {1, true, true, {}, 2000};
  l.place();
  l.run_all();
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 1, 3)),
            (Kinds{ActionKind::release, ActionKind::stop, ActionKind::stop}));
  EXPECT_EQ(l.run.state, JobState::stopping);
  EXPECT_EQ(outstanding(l.job, l.run).size(), 2u);
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 0, 143)), Kinds{ActionKind::release});
  auto const last = l.feed(l.report(AttemptState::exited, 2, 0));
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[1].kind, ActionKind::requeue);
  EXPECT_EQ(last[1].at_ms, 1'002'000);
  EXPECT_EQ(last[1].why, "exit code 3; retry 1 of 1");
  EXPECT_EQ(l.run.state, JobState::queued);
  l.place();
  EXPECT_EQ(l.run.round, 2u);
  l.run_all();
  l.feed(l.report(AttemptState::exited, 0, 3));
  l.feed(l.report(AttemptState::exited, 1, 0));
  l.feed(l.report(AttemptState::exited, 2, 0));
  EXPECT_EQ(l.run.state, JobState::failed);
  EXPECT_EQ(l.run.ending.exit_code, 3);
}

TEST(Lifecycle, CancelWinsOverRetry) {
  Life l;
  l.spec.retry = {5, true, true, {}, 0};
  l.place();
  l.run_all();
  EXPECT_EQ(l.kinds(Cancel{"enough"}), Kinds{ActionKind::stop});
  EXPECT_EQ(l.kinds(Cancel{"enough"}), Kinds{});
  EXPECT_EQ(l.kinds(l.report(AttemptState::exited, 0, 1)),
            (Kinds{ActionKind::release, ActionKind::finish}));
  EXPECT_EQ(l.run.state, JobState::cancelled);
}

TEST(Lifecycle, CancelWinsOverAFailureThatCameFirst) {
  Life l(2);
  l.spec.retry = {5, true, true, {}, 0};
  l.place();
  l.run_all();
  l.feed(l.report(AttemptState::exited, 0, 1));
  EXPECT_EQ(l.kinds(Cancel{}), Kinds{});
  l.feed(l.report(AttemptState::exited, 1, 1));
  EXPECT_EQ(l.run.state, JobState::cancelled);
}

TEST(Lifecycle, AWaitingJobIsCancelledOrRefusedAtOnce) {
  Life a, b;
  EXPECT_EQ(a.kinds(Cancel{}), Kinds{ActionKind::finish});
  EXPECT_EQ(a.run.state, JobState::cancelled);
  EXPECT_EQ(b.kinds(Refuse{"no node fits"}), Kinds{ActionKind::finish});
  EXPECT_EQ(b.run.state, JobState::refused);
  EXPECT_EQ(b.run.ending.reason, "no node fits");
}

TEST(Lifecycle, ASilentNodeIsWaitedForThenItsWorkIsLost) {
  Life l;
  l.place();
  l.run_all();
  EXPECT_EQ(l.kinds(NodeSilent{{"n0"}, 45'000}), Kinds{});
  auto const lost_at = *lost_at_ms(l.spec, 45'000);
  EXPECT_EQ(next_wake_in_ms(l.spec, l.run, l.now), lost_at - l.now.mono_ms);
  l.now.mono_ms = lost_at - 1;
  l.now.wall_ms += 10'000'000;
  EXPECT_EQ(l.kinds(Tick{}), Kinds{});
  l.now.mono_ms = lost_at;
  EXPECT_EQ(l.kinds(Tick{}), (Kinds{ActionKind::release, ActionKind::requeue}));
  EXPECT_EQ(l.run.state, JobState::queued);
  EXPECT_EQ(l.run.interruptions, 1u);
  EXPECT_EQ(l.run.failures, 0u);
  EXPECT_EQ(l.kinds(l.report(AttemptState::running)), Kinds{ActionKind::stop});
}

TEST(Lifecycle, ANodeThatReturnsInTimeKeepsItsWork) {
  Life l;
  l.place();
  l.run_all();
  l.feed(NodeSilent{{"n0"}, 45'000});
  l.feed(NodeHeard{{"n0"}});
  l.now.mono_ms += 10'000'000;
  EXPECT_EQ(l.kinds(Tick{}), Kinds{});
  EXPECT_EQ(l.run.state, JobState::running);
}

TEST(Lifecycle, AutonomousWorkHoldsItsPlace) {
  Life l;
  l.spec.autonomous = true;
  l.place();
  l.run_all();
  l.feed(NodeSilent{{"n0"}, 45'000});
  EXPECT_EQ(next_wake_in_ms(l.spec, l.run, l.now), std::nullopt);
  l.now.mono_ms += 10'000'000;
  EXPECT_EQ(l.kinds(Tick{}), Kinds{});
  EXPECT_EQ(l.kinds(NodeGone{{"n0"}, ""}), (Kinds{ActionKind::release, ActionKind::requeue}));
}

TEST(Lifecycle, ARestartCountsLeasesFromNow) {
  Life l;
  l.place();
  l.run_all();
  after_restart(l.run, {l.now.wall_ms, 90'000});
  l.now.mono_ms = *lost_at_ms(l.spec, 90'000) - 1;
  EXPECT_EQ(l.kinds(Tick{}), Kinds{});
  ++l.now.mono_ms;
  EXPECT_EQ(l.kinds(Tick{}), (Kinds{ActionKind::release, ActionKind::requeue}));
}

TEST(Lifecycle, AWallClockSteppedBackHoldsNothingBackAfterARestart) {
  Life l;
  l.place();
  l.run_all();
  l.run.not_before_ms = l.now.wall_ms;
  l.now.wall_ms -= 3'600'000;
  after_restart(l.run, l.now);
  EXPECT_EQ(l.run.not_before_ms, l.now.wall_ms + backoff_cap_ms);
  EXPECT_EQ(l.run.members[0].started_at_ms, l.now.wall_ms);
}

TEST(Lifecycle, WhatHasEndedIsNotChangedByARestart) {
  Life l;
  l.place();
  l.run_all();
  l.run.state = JobState::failed;
  for (auto& m : l.run.members) m.state = AttemptState::lost;
  auto const before = l.run;
  l.now.wall_ms -= 3'600'000;
  after_restart(l.run, l.now);
  EXPECT_EQ(l.run, before);
}

TEST(Lifecycle, TheTimeLimitEndsAnAttemptForGood) {
  Life l;
  l.spec.max_duration_ms = 60'000;
  l.spec.retry = {5, true, true, {}, 0};
  l.place();
  EXPECT_EQ(next_wake_in_ms(l.spec, l.run, l.now), std::nullopt);
  l.run_all();
  EXPECT_EQ(next_wake_in_ms(l.spec, l.run, l.now), 60'000);
  l.now.wall_ms += 59'999;
  EXPECT_EQ(l.kinds(Tick{}), Kinds{});
  l.now.wall_ms += 1;
  EXPECT_EQ(l.kinds(Tick{}), Kinds{ActionKind::stop});
  EXPECT_EQ(l.kinds(Tick{}), Kinds{});
  EXPECT_EQ(next_wake_in_ms(l.spec, l.run, l.now), std::nullopt);
  l.feed(l.report(AttemptState::exited, 0, 143));
  EXPECT_EQ(l.run.state, JobState::failed);
  EXPECT_EQ(l.run.ending.reason, "ran longer than its limit of 60000 ms");
}

// A node that is cut off ends it by itself, and tells later: no error of the job's own.
TEST(Lifecycle, ALimitThatTheNodeHasSeenToIsNotTriedAgainEither) {
  for (auto const exit_code : {143, 0}) {
    Life l;
    l.spec.max_duration_ms = 60'000;
    l.spec.retry = {5, true, true, {}, 0};
    l.place();
    l.run_all();
    auto ended = l.report(AttemptState::exited, 0, exit_code);
    ended.over_limit = true;
    l.feed(ended);
    EXPECT_EQ(l.run.state, JobState::failed);
    EXPECT_EQ(l.run.ending.cause, Cause::time_limit);
    EXPECT_EQ(l.run.ending.reason, "ran longer than its limit of 60000 ms");
  }
}

TEST(Lifecycle, WhatIsOutstandingCanBeSentAgain) {
  Life l(2);
  l.place();
  l.feed(l.report(AttemptState::running, 0));
  EXPECT_EQ(outstanding(l.job, l.run), (Actions{{ActionKind::start, {"j-1-1"}, {"n1"}, 0, ""}}));
  EXPECT_TRUE(outstanding(l.job, l.run, {"n0"}).empty());
  l.feed(Cancel{"enough"});
  EXPECT_EQ(outstanding(l.job, l.run, {"n1"}),
            (Actions{{ActionKind::stop, {"j-1-1"}, {"n1"}, 0, "enough"}}));
}

TEST(LifecycleDeath, PlacingWhatDoesNotWaitStopsTheProcess) {
  Life l;
  l.place();
  EXPECT_DEATH(l.place(), "a job is placed that does not wait");
}

TEST(Lifecycle, NamesOfAttemptsAreReadBack) {
  auto const ref = parse_attempt(attempt_id({"0190-ab-cd"}, 12, 3));
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->job.value, "0190-ab-cd");
  EXPECT_EQ(ref->index, 12u);
  EXPECT_EQ(ref->round, 3u);
  for (auto const* bad :
       {"", "j", "j-1", "-1-1", "j-x-1", "j-1-", "j-01-1", "j-1-99999999999", "j--1-1x"})
    EXPECT_FALSE(parse_attempt({bad})) << bad;
}

}  // namespace
}  // namespace lepton::deployer
