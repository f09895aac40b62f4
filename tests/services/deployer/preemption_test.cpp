// Work that gives way: who is stopped, that the freed places start the job that they were freed
// for, and what everybody reads about it.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

JobSpec of_priority(std::string name, std::int32_t priority, std::uint32_t gpus) {
  auto s = spec(std::move(name), gpus);
  s.priority = priority;
  return s;
}

class PreemptionTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  // Time for a tick, with the node heard all along.
  void tick() {
    advance(600);
    orders(n1);
  }
  std::string why(std::string const& id) { return view(id).why; }
  bool stopped(AttemptId const& attempt) { return stops(orders(n1), attempt); }
};

TEST_F(PreemptionTest, TheFreedPlaceStartsTheJobItWasFreedFor) {
  ASSERT_TRUE(submit("low-1", of_priority("low", 10, 2)));
  auto const low = run_on(n1);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 2)));
  tick();
  EXPECT_TRUE(stopped(low));
  EXPECT_EQ(state("low-1"), "stopping");
  EXPECT_EQ(why("high-1"), "starts when low-1 have stopped for it");
  ASSERT_TRUE(submit("next-1", of_priority("next", 100, 1)));
  n1.says(low, AttemptState::exited, 143);
  auto const now = orders(n1);
  ASSERT_EQ(now.starts.size(), 1u);
  EXPECT_EQ(now.starts[0].attempt.value, "high-1-0-1") << "not the one that came later";
  EXPECT_EQ(state("low-1"), "queued");
  EXPECT_EQ(view("low-1").preemptions, 1u);
  EXPECT_EQ(why("low-1").find("preempted by job high-1 (priority 90, its own is 10), 0.0 min of"),
            0u)
      << why("low-1");
  EXPECT_EQ(audited("deployer.job.preempting").size(), 1u);
  ASSERT_EQ(audited("deployer.job.preempted").size(), 1u);
  EXPECT_EQ(audited("deployer.job.preempted")[0].detail.at("job"), "low-1");
}

TEST_F(PreemptionTest, NothingIsStoppedWhereTheJobWouldNotFitAllTheSame) {
  ASSERT_TRUE(submit("low-1", of_priority("low", 10, 1)));
  auto const low = run_on(n1);
  auto fixed = of_priority("fixed", 10, 1);
  fixed.preemptible = false;
  ASSERT_TRUE(submit("fixed-1", fixed));
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 2)));
  tick();
  EXPECT_FALSE(stopped(low));
  EXPECT_EQ(state("low-1"), "running");
  ASSERT_TRUE(submit("same-1", of_priority("same", 10, 1)));
  tick();
  EXPECT_FALSE(stopped(low)) << "equal priority";
}

TEST_F(PreemptionTest, AMinimumRuntimeProtects) {
  auto s = of_priority("low", 10, 2);
  s.min_runtime_ms = 60'000;
  ASSERT_TRUE(submit("low-1", s));
  auto const low = run_on(n1);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 1)));
  keep({&n1}, 58'000);
  EXPECT_FALSE(stopped(low));
  keep({&n1}, 10'000);
  EXPECT_TRUE(stopped(low));
}

TEST_F(PreemptionTest, TheVictimThatLosesLeastIsStopped) {
  auto saved = of_priority("saved", 10, 1);
  saved.checkpoint_interval_ms = 10'000;
  ASSERT_TRUE(submit("saved-1", saved));
  auto const first = run_on(n1);
  keep({&n1}, 5'000);
  ASSERT_TRUE(submit("fresh-1", of_priority("fresh", 10, 1)));
  auto const second = run_on(n1);
  keep({&n1}, 17'000);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 1)));
  tick();
  auto const now = orders(n1);
  EXPECT_TRUE(stops(now, first)) << "2 s since its checkpoint, the other ran for 17 s";
  EXPECT_FALSE(stops(now, second));
}

TEST_F(PreemptionTest, ARestartInBetweenLosesNothing) {
  ASSERT_TRUE(submit("low-1", of_priority("low", 10, 2)));
  auto const low = run_on(n1);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 2)));
  tick();
  boot();
  tick();
  EXPECT_TRUE(stopped(low));
  n1.says(low, AttemptState::exited, 143);
  auto const now = orders(n1);
  ASSERT_EQ(now.starts.size(), 1u);
  EXPECT_EQ(now.starts[0].attempt.value, "high-1-0-1");
  EXPECT_EQ(view("low-1").preemptions, 1u);
}

TEST_F(PreemptionTest, ACancelledJobGivesItsHeldPlacesBack) {
  ASSERT_TRUE(submit("low-1", of_priority("low", 10, 1)));
  auto const low = run_on(n1);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 2)));
  tick();
  EXPECT_TRUE(stopped(low));
  EXPECT_EQ(gpu_milli_free(), 0) << "the free GPU is held";
  ASSERT_TRUE(ask(JobCancel{JobId{"high-1"}, ""}, ann));
  EXPECT_EQ(gpu_milli_free(), 1'000);
  end_on(n1, low, 143);
  EXPECT_EQ(run_on(n1).value, "low-1-0-2") << "it has its place again";
}

TEST_F(PreemptionTest, AVictimThatDoesNotEndInTimeIsNotAwaitedForEver) {
  ASSERT_TRUE(submit("low-1", of_priority("low", 10, 1)));
  auto const low = run_on(n1);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 2)));
  tick();
  EXPECT_EQ(gpu_milli_free(), 0);
  keep({&n1}, 62'000);
  EXPECT_EQ(audited("deployer.job.preemption_ended").size(), 1u);
  n1.says(low, AttemptState::exited, 143);
  tick();
  tick();
  EXPECT_EQ(state("high-1"), "starting") << "the queue still knows it";
}

TEST_F(PreemptionTest, APlanSaysThatItWouldStopOthers) {
  ASSERT_TRUE(submit("low-1", of_priority("low", 10, 2)));
  run_on(n1);
  auto const plan = ask(JobPlan{of_priority("high", 90, 1)}, ann);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->changes.back(), "stop 1 job(s) of lower priority, then start the job");
  EXPECT_EQ(ask(JobPlan{of_priority("equal", 10, 1)}, ann)->changes.back(), "queue the job");
  EXPECT_EQ(state("low-1"), "running");
}

TEST_F(PreemptionTest, OnlySoManyAtOneTime) {
  deployer_settings.preempting_max = 1;
  boot();
  orders(n1);
  ASSERT_TRUE(submit("a-1", of_priority("a", 10, 1)));
  run_on(n1);
  ASSERT_TRUE(submit("b-1", of_priority("b", 10, 1)));
  run_on(n1);
  ASSERT_TRUE(submit("high-1", of_priority("high", 90, 1)));
  ASSERT_TRUE(submit("high-2", of_priority("high", 95, 1)));
  tick();
  tick();
  EXPECT_EQ((state("a-1") == "stopping") + (state("b-1") == "stopping"), 1);
  EXPECT_EQ(why("high-2").find("starts when"), 0u) << "the higher one goes first";
}

}  // namespace
}  // namespace lepton::deployer::testing
