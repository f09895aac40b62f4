// Looking at jobs, ending them, trying them again.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class JobsTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  std::vector<std::string> listed(JobList const& wish, As const& who) {
    auto const page = ask(wish, who);
    if (!page) return {outcome(page)};
    std::vector<std::string> ids;
    for (auto const& line : page->jobs) ids.push_back(line.job.value);
    return ids;
  }
  std::string shown(std::string const& wanted, As const& who) {
    auto const found = ask(JobShow{JobId{wanted}}, who);
    return found ? found->job.value : outcome(found);
  }
};
using Ids = std::vector<std::string>;

TEST_F(JobsTest, AJobIsFoundByIdentityUniqueStartAndName) {
  ASSERT_TRUE(submit("01abcdef-one", spec("train")));
  ASSERT_TRUE(submit("01abcdef-two", spec("train")));
  ASSERT_TRUE(submit("02abcdef-one", spec("eval")));
  EXPECT_EQ(shown("01abcdef-one", ann), "01abcdef-one");
  EXPECT_EQ(shown("train", ann), "01abcdef-two") << "the newest of the name";
  EXPECT_EQ(shown("02abcdef", ann), "02abcdef-one");
  EXPECT_EQ(shown("01abcdef", ann), "not_found") << "not unique";
  EXPECT_EQ(shown("02abc", ann), "not_found") << "too short";
  EXPECT_EQ(shown("02abcdef-one-and-more", ann), "not_found");
  EXPECT_EQ(shown("train", bob), "not_found") << "names are one's own";
  boot();
  EXPECT_EQ(shown("train", ann), "01abcdef-two");
}

TEST_F(JobsTest, JobsOfOthersAreDenied) {
  ASSERT_TRUE(submit("01abcdef-one"));
  EXPECT_EQ(shown("01abcdef-one", bob), "denied");
  EXPECT_EQ(outcome(ask(JobCancel{JobId{"01abcdef-one"}, ""}, bob)), "denied");
  EXPECT_EQ(outcome(ask(JobLogs{JobId{"01abcdef-one"}}, bob)), "denied");
  EXPECT_EQ(listed({.owner = "ann"}, bob), Ids{"denied"});
  EXPECT_EQ(listed({.owner = "all"}, bob), Ids{"denied"});
  EXPECT_EQ(shown("01abcdef-one", root), "01abcdef-one");
  EXPECT_EQ(state("01abcdef-one"), "starting");
  EXPECT_EQ(audited("deployer.job.cancel").size(), 1u) << "the denial";
}

TEST_F(JobsTest, ListsFilterAndCount) {
  ASSERT_TRUE(submit("job-1"));
  ASSERT_TRUE(submit("job-2"));
  ASSERT_TRUE(submit("job-3"));
  ASSERT_TRUE(submit("job-4", spec(), bob));
  EXPECT_EQ(listed({}, ann), (Ids{"job-3", "job-2", "job-1"})) << "newest first";
  EXPECT_EQ(listed({.limit = 1}, ann), Ids{"job-3"});
  EXPECT_EQ(listed({.state = "queued"}, ann), Ids{"job-3"});
  EXPECT_EQ(listed({.pool = PoolId{"other"}}, ann), Ids{});
  EXPECT_EQ(listed({.owner = "all"}, root).size(), 4u);
  EXPECT_EQ(listed({.owner = "bob"}, root), Ids{"job-4"});
  auto const page = ask(JobList{.state = "queued", .limit = 1}, ann);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, 1u);
  EXPECT_EQ(page->states.at("starting"), 2);
  EXPECT_EQ(page->states.at("queued"), 1);
  EXPECT_FALSE(page->jobs.at(0).reason.empty());
  EXPECT_NE(page->jobs[0].resources.find("1 GPU"), std::string::npos);
}

TEST_F(JobsTest, APlanSaysWhatWouldHappenAndChangesNothing) {
  auto const plan = ask(JobPlan{spec()}, ann);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_TRUE(plan->fits);
  EXPECT_EQ(plan->allocations.at(0).node.value, "n1");
  EXPECT_EQ(gpu_milli_free(), 2'000);
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  auto const beside = ask(JobPlan{spec()}, ann);
  EXPECT_FALSE(beside->fits);
  EXPECT_FALSE(beside->never);
  EXPECT_EQ(beside->changes.size(), 2u) << "a job of this name is unfinished";
  EXPECT_TRUE(ask(JobPlan{spec("train", 3)}, ann)->never);
  EXPECT_EQ(outcome(ask(JobPlan{spec("No Label")}, ann)), "invalid");
}

TEST_F(JobsTest, CancellingAQueuedJobEndsItAtOnce) {
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  ASSERT_TRUE(submit("job-2"));
  auto const cancelled = ask(JobCancel{JobId{"job-2"}, "not needed"}, ann);
  ASSERT_TRUE(cancelled) << cancelled.error().what;
  EXPECT_EQ(cancelled->state, JobState::cancelled);
  EXPECT_EQ(view("job-2").why, "cancelled by ann: not needed");
  EXPECT_EQ(outcome(ask(JobCancel{JobId{"job-2"}, ""}, ann)), "conflict");
  boot();
  EXPECT_EQ(state("job-2"), "cancelled");
}

TEST_F(JobsTest, CancellingARunningJobStopsItAndWaitsForItsEnd) {
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  auto const waiting = park(n1);
  EXPECT_EQ(ask(JobCancel{JobId{"job-1"}, ""}, ann)->state, JobState::stopping);
  auto const heard = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(heard && *heard) << "the waiting node hears at once";
  EXPECT_TRUE(stops(**heard, attempt));
  EXPECT_TRUE((*heard)->leases.empty());
  EXPECT_EQ(gpu_milli_free(), 1'000) << "it holds its place until it is over";
  end_on(n1, attempt, 143);
  EXPECT_EQ(state("job-1"), "cancelled");
  EXPECT_EQ(gpu_milli_free(), 2'000);
  EXPECT_EQ(audited("deployer.job.cancelled").size(), 1u);
}

TEST_F(JobsTest, AStopThatTakesItsGraceHurriesNoSync) {
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  ASSERT_TRUE(ask(JobCancel{JobId{"job-1"}, ""}, ann));
  EXPECT_TRUE(stops(orders(n1), attempt));
  auto const waiting = park(n1);
  EXPECT_TRUE(answers(waiting).empty()) << "told already";
  advance(1'000);
  auto const again = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(again && *again);
  EXPECT_TRUE(stops(**again, attempt)) << "and told again with each answer";
  n1.incarnation = "life-2";
  EXPECT_FALSE(answers(park(n1)).empty()) << "another life of the daemon was told nothing";
}

TEST_F(JobsTest, FailuresAreTriedAgainAsTheSpecSays) {
  auto s = spec();
  s.retry = {1, true, true, {}, 1'000};
  ASSERT_TRUE(submit("job-1", s));
  auto const first = run_on(n1);
  EXPECT_EQ(first.value, "job-1-0-1");
  end_on(n1, first, 1);
  EXPECT_EQ(state("job-1"), "queued");
  EXPECT_EQ(gpu_milli_free(), 2'000);
  keep({&n1}, 4'000);
  EXPECT_EQ(state("job-1"), "starting");
  auto const second = run_on(n1);
  EXPECT_EQ(second.value, "job-1-0-2");
  end_on(n1, second, 1);
  EXPECT_EQ(state("job-1"), "failed");
  EXPECT_EQ(view("job-1").failures, 1u);
  EXPECT_EQ(audited("deployer.job.retried").size(), 1u);
  EXPECT_EQ(audited("deployer.job.placed").size(), 2u);
}

TEST_F(JobsTest, TheTimeLimitStopsAJob) {
  auto s = spec();
  s.max_duration_ms = 5'000;
  ASSERT_TRUE(submit("job-1", s));
  auto const attempt = run_on(n1);
  keep({&n1}, 4'000);
  EXPECT_EQ(state("job-1"), "running");
  keep({&n1}, 2'000);
  EXPECT_EQ(state("job-1"), "stopping");
  EXPECT_TRUE(stops(orders(n1), attempt));
  end_on(n1, attempt, 143);
  EXPECT_EQ(state("job-1"), "failed");
  EXPECT_NE(view("job-1").why.find("5000 ms"), std::string::npos) << view("job-1").why;
}

TEST_F(JobsTest, FinishedJobsLeaveTheMemoryOldestFirst) {
  deployer_settings.finished_kept_max = 1;
  boot();
  orders(n1);
  for (auto const* id : {"job-1", "job-2"}) {
    ASSERT_TRUE(submit(id, spec(id)));
    end_on(n1, run_on(n1));
  }
  advance(1'000);
  EXPECT_EQ(shown("job-1", ann), "not_found");
  EXPECT_EQ(shown("job-2", ann), "job-2");
  auto const plan = ask(JobPlan{spec("job-1")}, ann);
  ASSERT_TRUE(plan) << "of a name whose job was forgotten";
  EXPECT_EQ(plan->changes.size(), 1u);
  EXPECT_EQ(test::rows_of<JobRow>(*store.disk).size(), 2u) << "the rows stay";
}

// Logs

class LogsTest : public JobsTest {
 protected:
  LogChunk chunk(std::string const& text) {
    LogChunk c;
    c.text.data = text;
    c.next = static_cast<std::int64_t>(text.size());
    return c;
  }
};

TEST_F(LogsTest, APartOfALogComesFromItsNode) {
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  auto const waiting = park(n1);
  auto const asked = post_as(JobLogs{.job = JobId{"job-1"}, .offset = 3, .limit = 10}, ann);
  EXPECT_TRUE(answers(asked).empty());
  auto const heard = answer_to<NodeSync>(waiting);
  ASSERT_TRUE(heard && *heard);
  ASSERT_EQ((*heard)->logs.size(), 1u);
  auto const& order = (*heard)->logs[0];
  EXPECT_EQ(order.attempt, attempt);
  EXPECT_EQ(order.offset, 3);
  EXPECT_EQ(order.limit, 10u);
  // Another node cannot answer for it.
  n2.logs.push_back({order.ticket, chunk("forged")});
  orders(n2);
  EXPECT_TRUE(answers(asked).empty());
  n1.logs.push_back({order.ticket, chunk("epoch 1")});
  orders(n1);
  auto const got = answer_to<JobLogs>(asked);
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->text.data, "epoch 1");
}

// A node may still hold an answer when the deployer begins anew: it is of another job.
TEST_F(LogsTest, AnAnswerToAnEarlierLifeReachesNobody) {
  ASSERT_TRUE(submit("job-1"));
  ASSERT_TRUE(submit("job-2"));
  orders(n1);
  post_as(JobLogs{.job = JobId{"job-1"}}, ann);
  auto const earlier = orders(n1).logs.at(0).ticket;
  boot();
  orders(n1);
  auto const asked = post_as(JobLogs{.job = JobId{"job-2"}}, ann);
  orders(n1);
  n1.logs.push_back({earlier, chunk("of job-1")});
  orders(n1);
  EXPECT_FALSE(answer_to<JobLogs>(asked));
}

TEST_F(LogsTest, AWishIsNotLostInTheAnswerOfAnOlderSync) {
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  auto const older = park(n1);
  auto const newer = park(n1);
  ASSERT_EQ(answers(older).size(), 1u) << "let go when a newer one comes";
  post_as(JobLogs{.job = JobId{"job-1"}}, ann);
  auto const old_answer = answer_to<NodeSync>(older), new_answer = answer_to<NodeSync>(newer);
  ASSERT_TRUE(old_answer && *old_answer && new_answer && *new_answer);
  EXPECT_TRUE((*old_answer)->logs.empty());
  EXPECT_EQ((*new_answer)->logs.size(), 1u);
}

TEST_F(LogsTest, WhereThereIsNoLogTheAnswerSaysWhy) {
  ASSERT_TRUE(submit("job-1", spec("train", 2)));
  ASSERT_TRUE(submit("job-2"));
  auto const queued = ask(JobLogs{.job = JobId{"job-2"}}, ann);
  ASSERT_TRUE(queued);
  EXPECT_TRUE(queued->note.starts_with("not started yet")) << queued->note;
  EXPECT_FALSE(queued->ended);
  EXPECT_EQ(outcome(ask(JobLogs{.job = JobId{"job-1"}, .task = 1}, ann)), "invalid");
  EXPECT_EQ(outcome(ask(JobLogs{.job = JobId{"none"}}, ann)), "not_found");
  run_on(n1);
  advance(5'000);
  auto const silent = ask(JobLogs{.job = JobId{"job-1"}}, ann);
  ASSERT_TRUE(silent);
  EXPECT_NE(silent->note.find("silent"), std::string::npos);
}

TEST_F(LogsTest, WishesAreLimitedAndEndByThemselves) {
  ASSERT_TRUE(submit("job-1"));
  run_on(n1);
  for (int i = 0; i < 1'000; ++i) post_as(JobLogs{.job = JobId{"job-1"}}, ann);
  EXPECT_EQ(outcome(ask(JobLogs{.job = JobId{"job-1"}}, ann)), "exhausted");
  keep({&n1}, 16'000);
  EXPECT_EQ(outcome(ask(JobLogs{.job = JobId{"job-1"}}, ann)), "timeout") << "waits for its node";
}

}  // namespace
}  // namespace lepton::deployer::testing
