// The first job in line keeps its place in time, and everybody can ask why.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TimeMs minute = 60'000;

class BackfillTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  JobSpec limited(std::string name, std::uint32_t gpus, TimeMs limit_ms) {
    auto s = spec(std::move(name), gpus);
    s.max_duration_ms = limit_ms;
    return s;
  }
  JobExplanation explain(std::string const& id) {
    auto const got = ask(JobExplain{JobId{id}}, ann);
    EXPECT_TRUE(got) << got.error().what;
    return got ? *got : JobExplanation{};
  }
  std::string why(std::string const& id) { return view(id).why; }
  // The first in line waits for work that its node does not end.
  void hold_back(TimeMs ms) {
    ASSERT_TRUE(submit("run-1", limited("run", 1, 10 * minute)));
    run_on(n1);
    ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
    ASSERT_TRUE(submit("endless-1", spec("endless", 1)));
    keep({&n1}, ms);
    EXPECT_EQ(state("endless-1"), "queued");
  }
};

TEST_F(BackfillTest, LaterWorkStartsOnlyIfItEndsBeforeTheReservedInstant) {
  ASSERT_TRUE(submit("run-1", limited("run", 1, 10 * minute)));
  auto const running = run_on(n1);
  ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
  ASSERT_TRUE(submit("long-1", limited("long", 1, 20 * minute)));
  ASSERT_TRUE(submit("endless-1", spec("endless", 1)));
  EXPECT_EQ(state("long-1"), "queued");
  EXPECT_EQ(why("long-1"),
            "would delay job wide-1, whose room is reserved in 10.1 min at the latest");
  EXPECT_EQ(state("endless-1"), "queued");
  ASSERT_TRUE(submit("short-1", limited("short", 1, 5 * minute)));
  EXPECT_EQ(state("short-1"), "starting");
  ASSERT_TRUE(submit("cpu-1", spec("cpu", 0)));
  EXPECT_EQ(state("cpu-1"), "starting") << "not in its way";
  auto const e = explain("wide-1");
  EXPECT_TRUE(e.reserved);
  EXPECT_EQ(e.starts_after.value, "run-1");
}

// Nobody knows any more when the first in line starts.
TEST_F(BackfillTest, ForWorkBeyondItsLimitNobodyIsHeldBack) {
  hold_back(10 * minute + 30'000);
  keep({&n1}, minute);
  EXPECT_EQ(state("endless-1"), "starting");
}

// Another one has asked in the moment between, and found that nothing is reserved any more.
TEST_F(BackfillTest, WhoWasHeldBackForWorkBeyondItsLimitIsNotForgotten) {
  deployer_settings.tick_ms = 30'000;
  SetUp();
  hold_back(10 * minute + 55'000);
  for (int i = 0; i < 30; ++i) {
    auto small = spec("small", 0);
    small.resources.cpu_milli = small.resources.memory_mib = 10;
    ASSERT_TRUE(submit("small-" + std::to_string(i), small));
    keep({&n1}, 1'000);
  }
  keep({&n1}, minute);
  EXPECT_NE(state("endless-1"), "queued");
}

TEST_F(BackfillTest, TheFirstInLineStartsAndThenTheOthersAreTriedAgain) {
  ASSERT_TRUE(submit("run-1", limited("run", 1, 10 * minute)));
  auto const running = run_on(n1);
  ASSERT_TRUE(submit("wide-1", limited("wide", 2, minute)));
  ASSERT_TRUE(submit("long-1", limited("long", 1, 20 * minute)));
  EXPECT_EQ(state("long-1"), "queued");
  end_on(n1, running);
  EXPECT_EQ(state("wide-1"), "starting") << "earlier than its limit said";
  auto const wide = run_on(n1);
  EXPECT_EQ(state("long-1"), "queued");
  end_on(n1, wide);
  EXPECT_EQ(state("long-1"), "starting");
}

TEST_F(BackfillTest, ACancelledFirstInLineHoldsNobodyBack) {
  ASSERT_TRUE(submit("run-1", limited("run", 1, 10 * minute)));
  run_on(n1);
  ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
  ASSERT_TRUE(submit("long-1", spec("long", 1)));
  EXPECT_EQ(state("long-1"), "queued");
  ASSERT_TRUE(ask(JobCancel{JobId{"wide-1"}, ""}, ann));
  advance(600);
  orders(n1);
  EXPECT_EQ(state("long-1"), "starting");
}

TEST_F(BackfillTest, WithoutLimitsNothingIsReserved) {
  ASSERT_TRUE(submit("run-1", spec("run", 1)));
  run_on(n1);
  ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
  ASSERT_TRUE(submit("long-1", spec("long", 1)));
  EXPECT_EQ(state("long-1"), "starting");
  auto const e = explain("wide-1");
  EXPECT_FALSE(e.reserved);
  EXPECT_EQ(e.starts_by_ms, 0);
}

TEST_F(BackfillTest, AnImportantJobThatComesLaterIsNotHeldBack) {
  ASSERT_TRUE(submit("run-1", limited("run", 1, 10 * minute)));
  run_on(n1);
  ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
  auto urgent = spec("urgent", 1);
  urgent.priority = 90;
  ASSERT_TRUE(submit("urgent-1", urgent));
  EXPECT_EQ(state("urgent-1"), "starting");
}

TEST_F(BackfillTest, ATimeLimitEndsAJobAndSaysSo) {
  ASSERT_TRUE(submit("run-1", limited("run", 1, 2'000)));
  auto const attempt = run_on(n1);
  keep({&n1}, 3'000);
  EXPECT_TRUE(stops(orders(n1), attempt));
  end_on(n1, attempt, 143);
  EXPECT_EQ(state("run-1"), "failed");
  EXPECT_EQ(why("run-1"), "ran longer than its limit of 2000 ms");
}

TEST_F(BackfillTest, AnExplanationCountsTheNodesAndNamesWhatIsMissing) {
  orders(n2);
  auto half = spec("half", 1);
  half.resources.gpu_milli = 700;
  for (auto const* id : {"half-1", "half-2", "half-3", "half-4"}) ASSERT_TRUE(submit(id, half));
  half.resources.gpu_milli = 420;
  ASSERT_TRUE(submit("wait-1", half));
  auto const e = explain("wait-1");
  EXPECT_EQ(schema::name_of(e.state), "queued");
  EXPECT_EQ(e.pool_nodes, 2u);
  ASSERT_EQ(e.rejected.size(), 1u);
  EXPECT_EQ(e.rejected[0].rule, "gpu_share");
  EXPECT_EQ(e.rejected[0].nodes, 2u);
  EXPECT_EQ(e.nearest_miss, "fits if 0.12 of one GPU more were free on node " + e.nearest.value);
  ASSERT_EQ(e.lacks.size(), 1u);
  EXPECT_EQ(e.lacks[0].wants, 420);
  EXPECT_EQ(e.lacks[0].has, 300);
  EXPECT_EQ(e.ahead, 0u);
  ASSERT_TRUE(submit("wait-2", half));
  EXPECT_EQ(explain("wait-2").ahead, 1u);
  EXPECT_EQ(outcome(ask(JobExplain{JobId{"wait-1"}}, bob)), "denied");
}

TEST_F(BackfillTest, AnExplanationOfARunningJobComparesTheNodes) {
  orders(n2);
  ASSERT_TRUE(submit("run-1", spec("run", 1)));
  auto const e = explain("run-1");
  EXPECT_EQ(e.policy, "foresight");
  EXPECT_EQ(e.nodes_that_fit, 2u);
  ASSERT_EQ(e.choices.size(), 2u);
  EXPECT_TRUE(e.choices[0].chosen) << "nothing has changed since";
  EXPECT_EQ(e.choices[0].rank, 1u);
  ASSERT_FALSE(e.choices[0].terms.empty());
  EXPECT_EQ(e.choices[0].terms[0].name, "stranded");
}

TEST_F(BackfillTest, AnExplanationNamesALimitOfItsOwner) {
  ASSERT_TRUE(ask(QuotaPut{PoolId{"default"}, "ann", 1'000, 0, 1'000, 1}, root));
  ASSERT_TRUE(submit("run-1", spec("run", 1)));
  ASSERT_TRUE(submit("wait-1", spec("wait", 1)));
  EXPECT_EQ(explain("wait-1").what.find("ann uses 1 of at most 1 GPUs"), 0u);
}

}  // namespace
}  // namespace lepton::deployer::testing
