// Power caps through the actor: nothing starts that would draw too much, work goes where it may,
// and what waits starts when there is power again.

#include "schemas/power.hpp"
#include "schemas/node_marks.hpp"
#include "schemas/slice.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class PowerTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.labels["rack"] = "r1";
    n2.labels["rack"] = "r2";
    n1.offer = n2.offer = capacity(4);
    boot();
    orders(n1);
  }
  Result<PowerCapLine> cap(std::string rack, std::int64_t watts) {
    return ask(PowerCapPut{"rack", std::move(rack), watts}, root);
  }
  PowerCapLine shown() { return ask(PowerCapList{}, root)->caps.at(0); }
};

TEST_F(PowerTest, NothingStartsThatWouldDrawTooMuch) {
  auto const put = cap("r1", 2'000);
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(put->drawn_watts, 4 * 87) << "four H100 that idle";
  ASSERT_TRUE(submit("job-1", spec("two", 2)));
  auto const first = run_on(n1);
  EXPECT_EQ(shown().drawn_watts, 2 * 700 + 2 * 87);
  ASSERT_TRUE(submit("job-2", spec("one", 1)));
  EXPECT_EQ(state("job-2"), "queued");
  EXPECT_EQ(view("job-2").why,
            "would draw 613 W more, and nodes with rack=r1 have 426 W left of their power cap");
  EXPECT_EQ(ask(JobExplain{JobId{"job-2"}}, ann)->what, view("job-2").why);
  ASSERT_TRUE(submit("job-3", spec("cpu", 0)));
  EXPECT_EQ(state("job-3"), "starting") << "no GPU, no cap";
  end_on(n1, first);
  EXPECT_EQ(state("job-2"), "starting");
}

TEST_F(PowerTest, WorkGoesWhereThereIsPower) {
  orders(n2);
  ASSERT_TRUE(cap("r1", 1'100));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(submit("job-" + std::to_string(i), spec("one", 1)));
  EXPECT_EQ(orders(n1).starts.size(), 1u);
  EXPECT_EQ(orders(n2).starts.size(), 4u);
  ASSERT_TRUE(submit("job-9", spec("one", 1)));
  EXPECT_EQ(state("job-9"), "queued");
  ASSERT_TRUE(cap("r1", 3'000));
  EXPECT_EQ(state("job-9"), "starting");
}

TEST_F(PowerTest, CapsOutliveTheDeployerAndGo) {
  ASSERT_TRUE(cap("r1", 400));
  boot();
  orders(n1);
  ASSERT_TRUE(submit("job-1", spec("one", 1)));
  EXPECT_EQ(state("job-1"), "queued");
  ASSERT_TRUE(ask(PowerCapRemove{"rack", "r1"}, root));
  EXPECT_EQ(state("job-1"), "starting");
  EXPECT_EQ(outcome(ask(PowerCapRemove{"rack", "r1"}, root)), "not_found");
  EXPECT_EQ(audited("deployer.power.remove").size(), 1u);
}

TEST_F(PowerTest, ASliceThatWouldDrawTooMuchIsRefused) {
  ASSERT_TRUE(cap("r1", 1'100));
  SliceCreate m;
  m.name = "team-a";
  m.size = {1'000, 1'024, 0, 0, 2};
  EXPECT_EQ(outcome(ask(m, root)), "exhausted");
  m.size.gpus = 1;
  ASSERT_TRUE(ask(m, root));
  ASSERT_TRUE(submit("job-1", spec("beside", 1)));
  EXPECT_EQ(state("job-1"), "queued") << "what the slice has counts as in use";
  auto inside = spec("inside", 1);
  inside.pool = PoolId{"team-a"};
  ASSERT_TRUE(submit("job-2", inside));
  EXPECT_EQ(state("job-2"), "starting");
}

TEST_F(PowerTest, WhoAsksToBeRefusedStartsWhereThereIsPower) {
  orders(n2);
  for (auto const* full : {"r1", "r2"}) {
    ASSERT_TRUE(cap("r1", 2'800));
    ASSERT_TRUE(cap("r2", 2'800));
    ASSERT_TRUE(cap(full, 400));
    auto now = spec("now", 1);
    now.no_fit = NoFit::refuse;
    EXPECT_EQ(submit(std::string("job-") + full, now)->state, JobState::starting) << full;
  }
}

TEST_F(PowerTest, WhoAsksToBeRefusedIsToldOfThePower) {
  ASSERT_TRUE(cap("r1", 400));
  auto now = spec("now", 1);
  now.no_fit = NoFit::refuse;
  EXPECT_EQ(submit("job-1", now)->state, JobState::refused);
}

TEST_F(PowerTest, OnlyThoseWhoManageMayAndBadOnesAreRefused) {
  EXPECT_EQ(outcome(ask(PowerCapPut{"rack", "r1", 400}, ann)), "denied");
  EXPECT_EQ(outcome(ask(PowerCapPut{"rack", "", 400}, root)), "invalid");
  EXPECT_EQ(outcome(ask(PowerCapPut{"no key", "r1", 400}, root)), "invalid");
  EXPECT_TRUE(ask(PowerCapList{}, root)->caps.empty());
}

TEST_F(PowerTest, MoreImportantWorkStopsNothingInVain) {
  ASSERT_TRUE(cap("r1", 1'100));
  auto low = spec("low", 1);
  low.priority = 10;
  ASSERT_TRUE(submit("low-1", low));
  run_on(n1);
  auto high = spec("high", 2);
  high.priority = 90;
  ASSERT_TRUE(submit("high-1", high));
  keep({&n1}, 5'000);
  EXPECT_EQ(state("low-1"), "running") << "two draw too much, with or without it";
  EXPECT_EQ(state("high-1"), "queued");
}

}  // namespace
}  // namespace lepton::deployer::testing
