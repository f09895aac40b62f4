// Arrays, and jobs that wait for others.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class RelationsTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  JobSpec cpu(std::string name) {
    auto s = spec(std::move(name), 0);
    s.resources.cpu_milli = 1'000;
    return s;
  }
  JobSpec array(std::uint32_t size, std::uint32_t parallel = 0) {
    auto s = cpu("many");
    s.array = size;
    s.array_parallel = parallel;
    return s;
  }
  JobSpec after(std::vector<Dependency> jobs, std::string name = "later") {
    auto s = cpu(std::move(name));
    s.after = std::move(jobs);
    return s;
  }
  // Ends one job that runs with one task.
  void end(std::string const& job, int exit_code = 0) {
    auto const attempt = AttemptId{job + "-0-1"};
    orders(n1);
    n1.says(attempt, AttemptState::running);
    orders(n1);
    end_on(n1, attempt, exit_code);
  }
  std::string why(std::string const& id) { return view(id).why; }
};

TEST_F(RelationsTest, AnArrayIsOneLineAndItsJobsKnowTheirNumber) {
  auto const got = submit("batch", array(10));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->why, "2 queued, 8 starting") << "a node of eight cores";
  auto const starts = orders(n1).starts;
  ASSERT_EQ(starts.size(), 8u);
  EXPECT_EQ(starts[3].spec.env.at("LEPTON_ARRAY_INDEX"), "3");
  EXPECT_EQ(starts[3].spec.env.at("LEPTON_ARRAY_SIZE"), "10");
  auto const page = ask(JobList{}, ann);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->jobs.size(), 1u);
  EXPECT_EQ(page->jobs[0].name, "many[10]");
  EXPECT_EQ(page->jobs[0].reason, "2 queued, 8 starting");
  EXPECT_EQ(page->states.at("queued"), 2);
  JobList expanded;
  expanded.expand = true;
  EXPECT_EQ(ask(expanded, ann)->jobs.size(), 10u);
  EXPECT_EQ(view("batch-7").spec.env.at("LEPTON_ARRAY_INDEX"), "7");
  EXPECT_EQ(outcome(ask(JobShow{JobId{"batch"}}, bob)), "denied");
  EXPECT_EQ(outcome(submit("batch", array(10))), "ok") << "sent twice";
  EXPECT_EQ(outcome(submit("batch", array(11))), "conflict");
  EXPECT_EQ(outcome(submit("batch-3", cpu("other"))), "conflict");
}

TEST_F(RelationsTest, OnlySoManyRunAtOneTimeAlsoAfterARestart) {
  ASSERT_TRUE(submit("batch", array(4, 2)));
  EXPECT_EQ(orders(n1).starts.size(), 2u);
  EXPECT_EQ(why("batch-2"), "waits for its turn: at most 2 jobs of its array run at one time");
  boot();
  EXPECT_EQ(orders(n1).starts.size(), 2u);
  end("batch-0");
  EXPECT_EQ(state("batch-2"), "starting");
  EXPECT_EQ(state("batch-3"), "queued");
  end("batch-1", 1);
  end("batch-2");
  end("batch-3");
  EXPECT_EQ(state("batch"), "failed");
  EXPECT_EQ(why("batch"), "3 succeeded, 1 failed");
}

TEST_F(RelationsTest, AnArrayIsCancelledWhole) {
  ASSERT_TRUE(submit("batch", array(4, 2)));
  orders(n1);
  EXPECT_EQ(outcome(ask(JobCancel{JobId{"batch"}, ""}, bob)), "denied");
  auto const cancelled = ask(JobCancel{JobId{"batch"}, "wrong data"}, ann);
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(schema::name_of(cancelled->state), "stopping");
  EXPECT_EQ(state("batch-3"), "cancelled");
  n1.says(AttemptId{"batch-0-0-1"}, AttemptState::exited, 143);
  n1.says(AttemptId{"batch-1-0-1"}, AttemptState::exited, 143);
  orders(n1);
  EXPECT_EQ(state("batch"), "cancelled");
  EXPECT_EQ(why("batch-3"), "cancelled by ann: wrong data");
}

TEST_F(RelationsTest, AJobStartsWhenWhatItWaitsForHasEndedAsWanted) {
  ASSERT_TRUE(submit("prep-1", cpu("prep")));
  ASSERT_TRUE(submit("ok-1", after({{"prep", AfterEnd::ok}})));
  ASSERT_TRUE(submit("any-1", after({{"prep-1", AfterEnd::any}})));
  ASSERT_TRUE(submit("bad-1", after({{"prep", AfterEnd::failed}}, "cleanup")));
  ASSERT_TRUE(submit("next-1", after({{"cleanup", AfterEnd::any}})));
  EXPECT_EQ(why("ok-1"), "waits for job prep-1 to end");
  boot();
  EXPECT_EQ(why("bad-1"), "waits for job prep-1:failed to end") << "also after a restart";
  end("prep-1");
  EXPECT_EQ(state("ok-1"), "starting");
  EXPECT_EQ(state("any-1"), "starting");
  EXPECT_EQ(state("bad-1"), "cancelled");
  EXPECT_EQ(why("bad-1"), "job prep-1 is succeeded, and this one was to start after prep-1:failed");
  EXPECT_EQ(state("next-1"), "starting") << "one that was cancelled has ended too";
}

TEST_F(RelationsTest, WhoWaitsForTwoRemembersTheEndOfOneThatIsForgotten) {
  deployer_settings.finished_kept_max = 0;
  boot();
  orders(n1);
  for (auto const* name : {"prep", "slow"})
    ASSERT_TRUE(submit(name + std::string("-1"), cpu(name)));
  auto const both = [&](AfterEnd how) {
    return std::vector<Dependency>{{"prep", AfterEnd::ok}, {"slow", how}};
  };
  ASSERT_TRUE(submit("ok-1", after(both(AfterEnd::ok), "first")));
  ASSERT_TRUE(submit("bad-1", after(both(AfterEnd::failed), "second")));
  end("prep-1");
  advance(600);
  ASSERT_EQ(outcome(ask(JobShow{JobId{"prep-1"}}, ann)), "not_found");
  EXPECT_EQ(why("ok-1"), "waits for job slow-1 to end");
  end("slow-1");
  EXPECT_EQ(state("ok-1"), "starting");
  EXPECT_EQ(state("bad-1"), "cancelled") << why("bad-1");
}

TEST_F(RelationsTest, TheEndsOfTwoThatComeTogetherStartAJobOnce) {
  ASSERT_TRUE(submit("prep-1", cpu("prep")));
  ASSERT_TRUE(submit("slow-1", cpu("slow")));
  ASSERT_TRUE(submit("ok-1", after({{"prep", AfterEnd::ok}, {"slow", AfterEnd::ok}}, "first")));
  auto many = array(2, 1);
  many.after = {{"prep", AfterEnd::ok}, {"slow", AfterEnd::ok}};
  ASSERT_TRUE(submit("batch", many));
  orders(n1);
  for (auto const* job : {"prep-1-0-1", "slow-1-0-1"})
    n1.says(AttemptId{job}, AttemptState::exited);
  orders(n1);
  n1.reports.clear();
  EXPECT_EQ(state("ok-1"), "starting");
  EXPECT_EQ(why("batch"), "1 queued, 1 starting");
  end("batch-0");
  EXPECT_EQ(state("batch-1"), "starting");
}

// The end of the one that was cancelled comes after that of the one that it waited for.
TEST_F(RelationsTest, WhoWaitsForAJobAndForWhoeverWaitsForItStartsOnce) {
  ASSERT_TRUE(submit("prep-1", cpu("prep")));
  ASSERT_TRUE(submit("a-1", after({{"prep", AfterEnd::ok}}, "a")));
  ASSERT_TRUE(submit("b-1", after({{"prep", AfterEnd::any}, {"a", AfterEnd::any}}, "b")));
  end("prep-1", 3);
  EXPECT_EQ(state("a-1"), "cancelled");
  EXPECT_EQ(state("b-1"), "starting");
}

TEST_F(RelationsTest, AFailureOrACancelIsNoGoodEnd) {
  ASSERT_TRUE(submit("prep-1", cpu("prep")));
  ASSERT_TRUE(submit("ok-1", after({{"prep", AfterEnd::ok}}, "first")));
  ASSERT_TRUE(submit("ok-2", after({{"first", AfterEnd::ok}})));
  ASSERT_TRUE(ask(JobCancel{JobId{"ok-1"}, ""}, ann));
  advance(600);
  orders(n1);
  EXPECT_EQ(state("ok-2"), "cancelled");
  ASSERT_TRUE(submit("bad-1", after({{"prep", AfterEnd::failed}})));
  end("prep-1", 3);
  EXPECT_EQ(state("bad-1"), "starting");
}

TEST_F(RelationsTest, AnArrayIsWaitedForWhole) {
  ASSERT_TRUE(submit("batch", array(2)));
  ASSERT_TRUE(submit("sum-1", after({{"many", AfterEnd::ok}}, "sum")));
  end("batch-0");
  EXPECT_EQ(state("sum-1"), "queued");
  end("batch-1");
  EXPECT_EQ(state("sum-1"), "starting");
}

TEST_F(RelationsTest, WhatCannotBeWaitedForIsRefused) {
  auto const refused = [&](std::vector<Dependency> jobs) {
    auto const got = submit("later-1", after(std::move(jobs)), ann);
    return got ? std::string("taken") : got.error().what;
  };
  EXPECT_EQ(refused({{"nothing", AfterEnd::ok}}).find("after: there is no job 'nothing' of yours"),
            0u);
  EXPECT_EQ(refused({{"later-1", AfterEnd::ok}}), "after: a job cannot wait for itself");
  EXPECT_EQ(refused({{"later", AfterEnd::ok}}).find("after: there is no job 'later' of yours"), 0u)
      << "no cycle can be written: what is named must exist";
  ASSERT_TRUE(submit("bobs-1", cpu("bobs"), bob));
  EXPECT_EQ(refused({{"bobs-1", AfterEnd::ok}}).find("after: there is no job 'bobs-1' of yours"),
            0u);
  ASSERT_TRUE(submit("prep-1", cpu("prep")));
  EXPECT_EQ(refused({{"prep", AfterEnd::ok}, {"prep", AfterEnd::any}}),
            "after: 'prep' is named twice");
  end("prep-1", 1);
  EXPECT_EQ(refused({{"prep", AfterEnd::ok}}),
            "after: job prep is failed, so this job could never start");
  auto s = array(3);
  s.no_fit = NoFit::refuse;
  EXPECT_EQ(outcome(submit("batch", s)), "invalid");
  s = cpu("one");
  s.array_parallel = 2;
  EXPECT_EQ(outcome(submit("one-1", s)), "invalid");
}

}  // namespace
}  // namespace lepton::deployer::testing
