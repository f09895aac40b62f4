// Bandwidth through the actor: counted per node, over restarts too, and named where it is missing.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class BandwidthTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.offer.bandwidth_mbit = 10'000;
    boot();
    orders(n1);
  }
  JobSpec wanting(std::int64_t mbit) {
    auto s = spec("net", 0);
    s.resources.bandwidth_mbit = mbit;
    return s;
  }
  std::int64_t free_mbit() { return actor().cluster().find(NodeId{"n1"})->free.bandwidth_mbit(); }
};

TEST_F(BandwidthTest, IsGivenOutOnceAndComesBack) {
  ASSERT_TRUE(submit("job-1", wanting(8'000)));
  EXPECT_EQ(free_mbit(), 2'000);
  auto const start = orders(n1).starts.at(0);
  EXPECT_EQ(start.allocation.bandwidth_mbit, 8'000);
  ASSERT_TRUE(submit("job-2", wanting(4'000)));
  EXPECT_EQ(state("job-2"), "queued");
  auto const e = *ask(JobExplain{JobId{"job-2"}}, ann);
  ASSERT_EQ(e.rejected.size(), 1u);
  EXPECT_EQ(e.rejected[0].rule, "bandwidth");
  EXPECT_EQ(e.nearest_miss, "fits if 2000 Mbit/s of network more were free on node n1");
  boot();
  orders(n1);
  EXPECT_EQ(free_mbit(), 2'000) << "what is held is in the rows";
  n1.says(start.attempt, AttemptState::running);
  orders(n1);
  n1.says(start.attempt, AttemptState::exited, 0);
  orders(n1);
  EXPECT_EQ(state("job-2"), "starting");
  EXPECT_EQ(free_mbit(), 6'000);
}

TEST_F(BandwidthTest, MoreThanAnyNodeHasIsRefused) {
  auto const refused = submit("job-1", wanting(10'001), ann);
  EXPECT_EQ(outcome(refused), "invalid");
  EXPECT_EQ(refused.error().what,
            "the job can never start here: no node of pool 'default' is large enough: 10001 Mbit/s "
            "of network wanted, the largest (n1) has 10000");
}

}  // namespace
}  // namespace lepton::deployer::testing
