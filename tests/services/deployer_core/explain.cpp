// Explanations: the sentences, and that their counts add up.

#include "services/deployer/core/explain.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

Misfit misfit(Cluster const& c, ResourceRequest const& r, PoolId const& pool = default_pool) {
  auto const p = place(c, r, pool);
  EXPECT_TRUE(std::holds_alternative<Misfit>(p));
  return std::get<Misfit>(p);
}

TEST(Explain, CountsRulesAndNamesTheNearest) {
  auto c =
      cluster_of({node("gpu-1", capacity(8000, 8192, 1)), node("gpu-2", capacity(8000, 8192, 1)),
                  node("t4", capacity(8000, 8192, 1, "T4"))});
  must(c.reserve({"x"}, {{"gpu-1"}, 0, 7680, 0, {}, {}}));
  must(c.reserve({"y"}, {{"gpu-2"}, 0, 7000, 0, {}, {}}));
  auto r = ask_gpus(1, 1000, {"A100"});
  r.memory_mib = 2048;
  auto const m = misfit(c, r);
  EXPECT_FALSE(m.never);
  EXPECT_EQ(m.rejected, (std::vector<Rejection>{{"gpu_model", 1}, {"memory", 2}}));
  EXPECT_EQ(m.nearest.value, "gpu-2");
  EXPECT_EQ(
      m.what,
      "no node fits: memory short on 2 nodes, gpu model differs on 1; nearest: node gpu-2 lacks "
      "856 MiB of memory");
}

struct Never {
  char const* what;
  ResourceRequest request;
};

TEST(Explain, SaysWhatTheLargestNodeHas) {
  auto const c =
      cluster_of({node("a", capacity(8000, 8192, 2)), node("b", capacity(64'000, 1024))});
  auto memory = ask_gpus(1);
  memory.gpu_memory_mib = 50'000;
  auto ports = ask_cpu(1, 1);
  ports.ports = 101;
  Never const table[] = {
      {"no node of pool 'default' is large enough: 65000 thousandths of a core wanted, the largest "
       "(b) "
       "has 64000",
       ask_cpu(65'000, 1)},
      {"no node of pool 'default' is large enough: 8193 MiB of memory wanted, the largest (a) has "
       "8192",
       ask_cpu(1, 8193)},
      {"no node of pool 'default' is large enough: 3 GPUs of one model wanted, the largest (a) has "
       "2",
       ask_gpus(3)},
      {"no node of pool 'default' is large enough: 50000 MiB of memory on each GPU wanted, the "
       "largest "
       "(a) has 40960",
       memory},
      {"no node of pool 'default' is large enough: 101 ports wanted, the largest (a) has 100",
       ports},
      {"no node of pool 'default' has GPU model B200 or H100", ask_gpus(1, 1000, {"B200", "H100"})},
      {"no node of pool 'default' has all of it, even when empty; nearest: node a lacks 2000 "
       "thousandths of a core",
       [] {
         auto r = ask_gpus(1);
         r.cpu_milli = 10'000;
         return r;
       }()},
      {"resources: a share of a GPU (gpu_milli below 1000) is given with gpus: 1 only",
       ask_gpus(2, 500)},
  };
  for (auto const& t : table) {
    auto const m = misfit(c, t.request);
    EXPECT_TRUE(m.never) << m.what;
    EXPECT_EQ(m.what, t.what);
  }
}

TEST(Explain, NodesThatAreNotReadyMayComeBack) {
  auto c = cluster_of({node("a", capacity(8000, 8192))});
  must(c.set_state({"a"}, NodeState::draining));
  auto const m = misfit(c, ask_cpu(1000, 1000));
  EXPECT_FALSE(m.never);
  EXPECT_EQ(m.what, "no node fits: not ready on 1 node; nearest: node a is draining");
}

TEST(Explain, AnEmptyPoolNamesTheOthers) {
  auto const c = cluster_of({node("a", capacity(8000, 8192))});
  auto const m = misfit(c, ask_cpu(1, 1), {"gpu"});
  EXPECT_FALSE(m.never);
  EXPECT_EQ(m.what,
            "pool 'gpu' has no nodes (pools with nodes: default); add one with `lepton node join`");
}

TEST(Explain, GangsSayHowManyFit) {
  auto c = cluster_of({node("a", capacity(4000, 8192, 2)), node("b", capacity(4000, 8192, 2))});
  must(c.reserve({"x"}, {{"a"}, 0, 0, 0, {{0, 10}}, {}}));
  auto const m = std::get<Misfit>(place_gang(c, ask_gpus(2), default_pool, 2));
  EXPECT_EQ(m.fit_now, 1u);
  EXPECT_FALSE(m.never);
  EXPECT_EQ(
      m.what,
      "1 of 2 tasks fit, then no node: gpus short on 2 nodes; nearest: node a lacks 1 GPUs of "
      "one model");
}

TEST(ExplainProperty, CountsSumToTheNodesOfThePool) {
  ASSERT_TRUE(rc::check([] {
    auto c = cluster_of(any_nodes(8));
    for (int i = 0; i < 8; ++i) {
      auto const r = any_request();
      auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 6));
      auto const p = place_gang(c, r, default_pool, tasks);
      if (auto const* m = std::get_if<Misfit>(&p)) {
        std::uint32_t sum = 0;
        for (auto const& x : m->rejected) sum += x.nodes;
        RC_ASSERT(sum == m->pool_nodes);
        RC_ASSERT(m->pool_nodes == c.pool(default_pool).size());
        RC_ASSERT(m->nearest.empty() == (m->pool_nodes == 0));
        RC_ASSERT(!m->what.empty());
      }
      if (auto one = place(c, r, default_pool); std::holds_alternative<Allocation>(one))
        must(c.reserve({"t" + std::to_string(i)}, std::get<Allocation>(one)));
    }
  }));
}

// "Never" is true exactly when the same pool, ready and empty, could not take it.
TEST(ExplainProperty, NeverMeansNeverEvenOnAnEmptyPool) {
  ASSERT_TRUE(rc::check([] {
    auto nodes = any_nodes(5);
    auto c = cluster_of(nodes);
    for (auto& n : nodes) n.state = NodeState::ready;
    auto const fresh = cluster_of(nodes);
    auto const r = any_request();
    auto const p = place(c, r, default_pool);
    if (auto const* m = std::get_if<Misfit>(&p); m && m->pool_nodes > 0)
      RC_ASSERT(m->never == std::holds_alternative<Misfit>(place(fresh, r, default_pool)));
  }));
}

}  // namespace
}  // namespace lepton::deployer
