// The setting that names how nodes are chosen.

#include <set>

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TimeMs hour = 3'600'000;

class PolicyTest : public DeployerTest {
 protected:
  void SetUp() override {}
  void start(PlacementPolicy policy) {
    deployer_settings.placement_policy = policy;
    boot();
    ASSERT_TRUE(ask(simulated_nodes(2, 4), root));
  }
  std::string policy(std::string const& id) {
    auto const got = ask(JobExplain{JobId{id}}, ann);
    EXPECT_TRUE(got) << got.error().what;
    return got ? got->policy : "";
  }
  // Nodes with something on them after two jobs of one GPU.
  int nodes_in_use() {
    EXPECT_TRUE(submit("one-1", simulated(hour), ann));
    EXPECT_TRUE(submit("two-1", simulated(hour), ann));
    int used = 0;
    for (auto const* name : {"s1", "s2"})
      used += actor().cluster().find({name})->holders.empty() ? 0 : 1;
    return used;
  }
};

TEST_F(PolicyTest, OneSpreadsWork) {
  start(PlacementPolicy::spread);
  EXPECT_EQ(nodes_in_use(), 2);
  EXPECT_EQ(policy("one-1"), "spread");
}

TEST_F(PolicyTest, AnotherPacksIt) {
  start(PlacementPolicy::packing);
  EXPECT_EQ(nodes_in_use(), 1);
  EXPECT_EQ(policy("one-1"), "packing");
}

TEST_F(PolicyTest, TheDefaultIsForesight) {
  start(Settings().placement_policy);
  ASSERT_TRUE(submit("one-1", simulated(hour), ann));
  EXPECT_EQ(policy("one-1"), "foresight");
}

// Both machines have four free GPUs; those of one draw a tenth of the other's.
TEST_F(PolicyTest, OneSparesPower) {
  start(PlacementPolicy::foresight_power);
  for (std::string const frugal : {"a", "b"}) {
    NodeDeclare m{PoolId{"frugal-" + frugal}, {}};
    for (std::string const name : {"a", "b"}) {
      m.nodes.push_back({NodeId{m.pool.value + "-" + name}, capacity(4)});
      for (auto& gpu : m.nodes.back().capacity.gpus) gpu.model = name == frugal ? "L4" : "H100";
    }
    ASSERT_TRUE(ask(m, root));
    auto job = simulated(hour);
    job.pool = m.pool;
    ASSERT_TRUE(submit("one-" + frugal, job, ann));
    EXPECT_EQ(view("one-" + frugal).tasks[0].allocation.node.value, m.pool.value + "-" + frugal);
    EXPECT_EQ(policy("one-" + frugal), "foresight_power");
  }
}

TEST_F(PolicyTest, ABanditTriesOneAfterAnotherAsWorkIsPlaced) {
  start(PlacementPolicy::bandit);
  std::set<std::string> policies;
  for (int i = 0; i < 5 * static_cast<int>(Epoch::tasks_enough); ++i) {
    auto const id = "job-" + std::to_string(i);
    ASSERT_TRUE(submit(id, simulated(100), ann));
    ASSERT_NE(state(id), "queued") << view(id).why;
    policies.insert(policy(id));
    advance(1'000);
  }
  EXPECT_EQ(policies, (std::set<std::string>{"foresight", "fgd", "best_fit", "packing"}));
}

}  // namespace
}  // namespace lepton::deployer::testing
