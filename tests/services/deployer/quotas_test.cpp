// Quotas: who may set them, whose turn it is, what is taken back, and that they outlive a restart.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class QuotasTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  std::string put(std::string owner, std::int64_t gpus, std::int64_t most = 0, As const& who = {}) {
    auto const as = who.name == "ann" ? root : who;
    return outcome(
        ask(QuotaPut{PoolId{"default"}, std::move(owner), gpus * 1000, 0, most * 1000, 1}, as));
  }
  void tick() {
    advance(600);
    orders(n1);
  }
  QuotaLine line(std::string const& owner) {
    auto const page = ask(QuotaList{}, root);
    EXPECT_TRUE(page);
    for (auto const& q : page->quotas)
      if (q.owner == owner) return q;
    return {};
  }
};

TEST_F(QuotasTest, OnlyWhoManagesThePoolSetsThem) {
  EXPECT_EQ(put("ann", 1, 0, bob), "denied");
  EXPECT_EQ(put("ann", 1), "ok");
  EXPECT_EQ(put("Ann/..", 1), "invalid");
  EXPECT_EQ(put("ann", 2, 1), "invalid") << "the limit is below what is owed";
  EXPECT_EQ(outcome(ask(QuotaRemove{PoolId{"default"}, "ann"}, bob)), "denied");
  EXPECT_EQ(outcome(ask(QuotaRemove{PoolId{"default"}, "ann"}, root)), "ok");
  EXPECT_EQ(outcome(ask(QuotaRemove{PoolId{"default"}, "ann"}, root)), "not_found");
}

TEST_F(QuotasTest, UseIsCountedAndOutlivesARestart) {
  EXPECT_EQ(put("ann", 1, 2), "ok");
  ASSERT_TRUE(submit("job-1"));
  auto const attempt = run_on(n1);
  EXPECT_EQ(line("ann").gpu_milli_used, 1'000);
  boot();
  EXPECT_EQ(line("ann").gpu_milli_used, 1'000);
  EXPECT_EQ(line("ann").gpu_milli_max, 2'000);
  end_on(n1, attempt);
  EXPECT_EQ(line("ann").gpu_milli_used, 0);
}

TEST_F(QuotasTest, ALimitHoldsAlsoWhereThereIsRoom) {
  EXPECT_EQ(put("ann", 1, 1), "ok");
  ASSERT_TRUE(submit("job-1"));
  ASSERT_TRUE(submit("job-2"));
  EXPECT_EQ(state("job-2"), "queued");
  EXPECT_EQ(view("job-2").why.find("ann uses 1 of at most 1 GPUs in pool 'default'"), 0u);
  EXPECT_EQ(outcome(submit("job-3", spec("big", 2))), "invalid") << "could never start";
  ASSERT_TRUE(submit("job-4", spec(), bob));
  EXPECT_EQ(state("job-4"), "starting") << "others are not held up";
  EXPECT_EQ(put("ann", 1, 2), "ok");
  tick();
  EXPECT_EQ(state("job-2"), "queued") << "no room now";
}

TEST_F(QuotasTest, ALimitThatIsRaisedLetsWaitingWorkStart) {
  EXPECT_EQ(put("ann", 1, 1), "ok");
  ASSERT_TRUE(submit("job-1"));
  ASSERT_TRUE(submit("job-2"));
  tick();
  EXPECT_EQ(state("job-2"), "queued");
  EXPECT_EQ(outcome(ask(QuotaRemove{PoolId{"default"}, "ann"}, root)), "ok");
  tick();
  EXPECT_EQ(state("job-2"), "starting");
}

TEST_F(QuotasTest, TheOwnerWithTheSmallerShareGoesFirst) {
  EXPECT_EQ(put("cid", 1), "ok");
  ASSERT_TRUE(submit("ann-1"));
  ASSERT_TRUE(submit("bob-1", spec(), bob));
  auto const starts = orders(n1).starts;
  ASSERT_EQ(starts.size(), 2u);
  ASSERT_TRUE(submit("ann-2"));
  ASSERT_TRUE(submit("ann-3"));
  ASSERT_TRUE(submit("bob-2", spec(), bob));
  for (auto const& start : starts) n1.says(start.attempt, AttemptState::running);
  orders(n1);
  end_on(n1, AttemptId{"bob-1-0-1"});
  EXPECT_EQ(state("bob-2"), "starting") << "ann has a GPU, bob has none";
  EXPECT_EQ(state("ann-2"), "queued");
}

TEST_F(QuotasTest, WhatIsOwedIsTakenBackFromWhoHasBorrowedIt) {
  EXPECT_EQ(put("ann", 1), "ok");
  ASSERT_TRUE(submit("bob-1", spec(), bob));
  auto const first = run_on(n1);
  ASSERT_TRUE(submit("bob-2", spec(), bob));
  auto const second = run_on(n1);
  keep({&n1}, 3'000);
  ASSERT_TRUE(submit("ann-1"));
  tick();
  auto const now = orders(n1);
  EXPECT_EQ(stops(now, first) + stops(now, second), 1) << "one GPU is owed, one is stopped";
  auto const stopped = stops(now, first) ? first : second;
  end_on(n1, stopped, 143);
  EXPECT_EQ(state("ann-1"), "starting");
  auto const victim = stopped == first ? "bob-1" : "bob-2";
  EXPECT_NE(view(victim).why.find("ann takes back what bob had borrowed"), std::string::npos)
      << view(victim).why;
  ASSERT_TRUE(submit("ann-2"));
  tick();
  tick();
  EXPECT_EQ(state("ann-2"), "queued") << "she has what she is owed; the rest is bob's as well";
  EXPECT_EQ(audited("deployer.job.preempting").size(), 1u);
}

TEST_F(QuotasTest, WhatOthersAreOwedIsSafeFromHigherPriority) {
  EXPECT_EQ(put("bob", 2), "ok");
  ASSERT_TRUE(submit("bob-1", spec("train", 2), bob));
  auto const attempt = run_on(n1);
  auto high = spec("high", 1);
  high.priority = 100;
  ASSERT_TRUE(submit("ann-1", high));
  tick();
  tick();
  EXPECT_FALSE(stops(orders(n1), attempt));
  EXPECT_EQ(state("bob-1"), "running");
}

}  // namespace
}  // namespace lepton::deployer::testing
