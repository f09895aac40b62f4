// MIG instances through the actor: what a node offers as instances goes only to who asks for it.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class MigTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.offer = capacity(3);
    n1.offer.gpus[1].mig_profile = n1.offer.gpus[2].mig_profile = "1g.10gb";
    boot();
    orders(n1);
  }
  JobSpec wanting(std::uint32_t gpus, std::string profile) {
    auto s = spec("mig", gpus);
    s.resources.mig_profile = std::move(profile);
    return s;
  }
};

TEST_F(MigTest, InstancesGoToWhoAsksForThem) {
  ASSERT_TRUE(submit("job-1", wanting(2, "1g.10gb")));
  auto const start = orders(n1).starts.at(0);
  EXPECT_EQ(start.allocation.gpus, (std::vector<GpuShare>{{1, 1000}, {2, 1000}}));
  ASSERT_TRUE(submit("job-2", spec("whole", 1)));
  EXPECT_EQ(state("job-2"), "starting");
  ASSERT_TRUE(submit("job-3", wanting(1, "1g.10gb")));
  EXPECT_EQ(state("job-3"), "queued");
  auto const page = ask(JobList{}, ann);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->jobs[0].resources, "1 GPU 1g.10gb, 1 CPU, 512 MiB");
  boot();
  orders(n1);
  n1.says(start.attempt, AttemptState::exited, 0);
  orders(n1);
  EXPECT_EQ(state("job-3"), "starting") << "the rows know what it asked for";
}

TEST_F(MigTest, WhatNoNodeIsCutIntoIsRefusedAndCounted) {
  auto const refused = submit("job-1", wanting(1, "3g.40gb"), ann);
  EXPECT_EQ(outcome(refused), "invalid");
  EXPECT_EQ(refused.error().what,
            "the job can never start here: no node of pool 'default' has MIG instances of 3g.40gb");
  EXPECT_EQ(submit("job-2", wanting(1, "half"), ann).error().what,
            "resources: mig: 'half' is no profile of a MIG instance; write for example 1g.10gb");
  orders(n2);
  ASSERT_TRUE(submit("job-3", wanting(2, "1g.10gb")));
  ASSERT_TRUE(submit("job-4", wanting(1, "1g.10gb")));
  auto const e = *ask(JobExplain{JobId{"job-4"}}, ann);
  ASSERT_EQ(e.rejected.size(), 2u);
  EXPECT_EQ(e.rejected[0].rule, "mig");
  EXPECT_EQ(e.rejected[0].nodes, 1u) << "n2 has whole ones only";
  EXPECT_EQ(e.rejected[1].rule, "gpus");
}

}  // namespace
}  // namespace lepton::deployer::testing
