// The published policies against scores worked out by hand from their definitions.

#include "services/deployer/core/baseline.hpp"

#include <gtest/gtest.h>

#include <set>

#include "services/deployer/core/place.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

std::int64_t score(Policy const& policy, Cluster const& c, ResourceRequest const& r,
                   std::string const& id = "a") {
  Ask const ask(c, r, default_pool);
  auto const& n = *c.find({id});
  return policy.judge(n, n.free, ask).score;
}

ResourceRequest asks(std::int64_t cpu, std::uint32_t gpus, std::uint32_t milli = 1000) {
  auto r = ask_gpus(gpus, milli);
  r.cpu_milli = cpu;
  return r;
}

TEST(Baseline, DotProductOfWhatIsFreeAndAskedFor) {
  auto const c = cluster_of({node("a", capacity(128'000, 8000, 8))});
  // 1 - (0.1 + 0.125) / 2 = 0.8875
  EXPECT_EQ(score(DotProduct(), c, asks(12'800, 1)), 88);
  // 1 - (0.5 + 1) / 2 = 0.25
  EXPECT_EQ(score(DotProduct(), c, asks(64'000, 8)), 25);
  EXPECT_EQ(score(DotProduct(), c, asks(0, 0)), 100);
}

TEST(Baseline, BestFitOfWhatIsLeft) {
  auto const c = cluster_of({node("a", capacity(128'000, 8000, 8))});
  // 1 - 0.9 / 2 - 0.875 / 2 = 0.1125
  EXPECT_EQ(score(PublishedBestFit(), c, asks(12'800, 1)), 11);
  EXPECT_EQ(score(PublishedBestFit(), c, asks(128'000, 8)), 100);
}

TEST(Baseline, ClusteringKeepsKindsTogether) {
  auto c = cluster_of({node("a", capacity(64'000, 8000, 8))});
  EXPECT_EQ(score(Clustering(), c, asks(1000, 1)), 25);
  EXPECT_EQ(score(Clustering(), c, asks(1000, 0)), 0);
  must(c.reserve({"share"}, {{"a"}, 1000, 1, 0, {{0, 500}}, {}}));
  // 25 * 500 / 8000 = 1.56 on top
  EXPECT_EQ(score(Clustering(), c, asks(1000, 1, 300)), 76);
  EXPECT_EQ(score(Clustering(), c, asks(1000, 1)), 1);
  must(c.reserve({"whole"}, {{"a"}, 1000, 1, 0, {{1, 1000}}, {}}));
  // 25 * 1500 / 8000 = 4.69 on top
  EXPECT_EQ(score(Clustering(), c, asks(1000, 1)), 54);
  EXPECT_EQ(score(Clustering(), c, asks(1000, 2)), 4);
  EXPECT_TRUE(c.release({"share"}));
  EXPECT_EQ(score(Clustering(), c, asks(1000, 1)), 78);
}

TEST(Baseline, PackingTakesUsedGpusThenUsedNodes) {
  auto c = cluster_of({node("a", capacity(64'000, 8000, 8))});
  EXPECT_EQ(score(Packing(), c, asks(1000, 1)), 25);
  EXPECT_EQ(score(Packing(), c, asks(1000, 0)), 0);
  must(c.reserve({"share"}, {{"a"}, 1000, 1, 0, {{3, 400}}, {}}));
  EXPECT_EQ(score(Packing(), c, asks(1000, 1)), 43);
  EXPECT_EQ(score(Packing(), c, asks(1000, 1, 500)), 94);
  EXPECT_EQ(score(Packing(), c, asks(1000, 1, 700)), 43);
}

TEST(Baseline, RandomReachesEveryNodeAndEachSeedAlwaysTheSame) {
  auto const c = cluster_of({node("a", capacity(8000, 8000, 2)), node("b", capacity(8000, 8000, 2)),
                             node("c", capacity(8000, 8000, 2))});
  std::set<std::pair<std::string, std::uint32_t>> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto const once =
        std::get<Allocation>(place(c, asks(1, 1, 500), default_pool, RandomFit(seed)));
    auto const again =
        std::get<Allocation>(place(c, asks(1, 1, 500), default_pool, RandomFit(seed)));
    EXPECT_EQ(once, again);
    seen.emplace(once.node.value, once.gpus.front().index);
  }
  EXPECT_EQ(seen.size(), 6u);
}

}  // namespace
}  // namespace lepton::deployer
