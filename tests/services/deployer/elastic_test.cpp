// Elastic jobs: workers join what runs, take only what is free, and go with the round they joined.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class ElasticTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.offer = capacity(4);
    boot();
    orders(n1);
  }
  JobSpec elastic(std::uint32_t nodes, std::uint32_t most, std::string name = "train") {
    auto s = spec(std::move(name), 1);
    s.nodes = nodes;
    s.nodes_max = most;
    s.gang_port = true;
    s.resources.ports = 1;
    return s;
  }
  // All that is to start there runs.
  std::vector<StartOrder> run_all() {
    auto const starts = orders(n1).starts;
    for (auto const& start : starts) n1.says(start.attempt, AttemptState::running);
    orders(n1);
    return starts;
  }
  void second() { keep({&n1}, 1'500); }
};

TEST_F(ElasticTest, WorkersJoinWhatRunsAndAreNumberedAfterItsTasks) {
  ASSERT_TRUE(submit("job-1", elastic(2, 4)));
  EXPECT_EQ(run_all().size(), 2u);
  second();
  auto const joined = run_all();
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined[0].index + joined[1].index, 2u + 3u);
  EXPECT_EQ(joined[0].size, 2u);
  EXPECT_EQ(joined[0].gang.size(), 2u) << "its tasks, by which it finds them";
  EXPECT_EQ(joined[0].spec.nodes_max, 4u);
  EXPECT_EQ(view("job-1").workers, 2u);
  EXPECT_EQ(view("job-1").tasks.size(), 2u);
  EXPECT_EQ(gpu_milli_free(), 0);
  EXPECT_EQ(audited("deployer.job.worker_added").size(), 2u);
  second();
  EXPECT_TRUE(orders(n1).starts.empty()) << "there are no more than four";
}

TEST_F(ElasticTest, WorkersTakeOnlyWhatIsFreeAndNobodyWaitsBehindThem) {
  ASSERT_TRUE(submit("job-1", elastic(1, 8)));
  run_all();
  second();
  EXPECT_EQ(run_all().size(), 3u);
  EXPECT_EQ(view("job-1").workers, 3u) << "four wait for room";
  auto first = spec("first", 2);
  ASSERT_TRUE(submit("job-2", first));
  keep({&n1}, 3'000);
  auto const told = orders(n1).stops;
  EXPECT_EQ(told.size(), 2u) << "workers give way to a job of the same priority";
  for (auto const& stop : told) {
    n1.says(stop.attempt, AttemptState::exited, 143);
    orders(n1);
  }
  second();
  EXPECT_EQ(state("job-2"), "starting");
  EXPECT_EQ(state("job-1"), "running");
}

TEST_F(ElasticTest, WorkersGoWithTheirJob) {
  ASSERT_TRUE(submit("job-1", elastic(1, 3)));
  auto const base = run_all().at(0).attempt;
  second();
  auto const joined = run_all();
  ASSERT_EQ(joined.size(), 2u);
  end_on(n1, base);
  EXPECT_EQ(state("job-1"), "succeeded");
  second();
  for (auto const& one : joined) {
    EXPECT_TRUE(stops(orders(n1), one.attempt));
    n1.says(one.attempt, AttemptState::exited, 143);
    orders(n1);
    EXPECT_EQ(state(one.job.value), "cancelled");
  }
  second();
  EXPECT_EQ(gpu_milli_free(), 4'000);
  EXPECT_TRUE(orders(n1).starts.empty());
}

TEST_F(ElasticTest, ANewRoundGetsNewWorkers) {
  auto again = elastic(1, 2);
  again.retry.max = 1;
  again.retry.on_error = true;
  ASSERT_TRUE(submit("job-1", again));
  auto const base = run_all().at(0).attempt;
  second();
  auto const one = run_all().at(0);
  end_on(n1, base, 1);
  keep({&n1}, 2'500);
  EXPECT_TRUE(stops(orders(n1), one.attempt)) << "the port that it knows may be another's";
  n1.says(one.attempt, AttemptState::exited, 143);
  orders(n1);
  run_all();
  EXPECT_EQ(view("job-1").round, 2u);
  second();
  auto const joined = run_all();
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_NE(joined[0].job, one.job);
}

TEST_F(ElasticTest, AWorkerThatHasEndedStaysEndedAndOneThatIsLostComesBack) {
  ASSERT_TRUE(submit("job-1", elastic(1, 3)));
  run_all();
  second();
  auto const joined = run_all();
  ASSERT_EQ(joined.size(), 2u);
  end_on(n1, joined[0].attempt, 0);
  n1.says(joined[1].attempt, AttemptState::lost);
  orders(n1);
  keep({&n1}, 4'000);
  auto const back = run_all();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].job, joined[1].job);
  EXPECT_EQ(view("job-1").workers, 1u);
}

TEST_F(ElasticTest, ANewLifeKnowsItsWorkers) {
  ASSERT_TRUE(submit("job-1", elastic(1, 2)));
  auto const base = run_all().at(0).attempt;
  second();
  auto const one = run_all().at(0);
  boot();
  orders(n1);
  second();
  EXPECT_TRUE(orders(n1).starts.empty()) << "it is there already";
  EXPECT_EQ(view("job-1").workers, 1u);
  end_on(n1, base);
  second();
  EXPECT_TRUE(stops(orders(n1), one.attempt));
}

TEST_F(ElasticTest, BadOnesAreRefused) {
  EXPECT_EQ(outcome(submit("job-1", elastic(3, 2))), "invalid");
  auto array = elastic(1, 2);
  array.array = 2;
  EXPECT_EQ(outcome(submit("job-1", array)), "invalid");
}

}  // namespace
}  // namespace lepton::deployer::testing
