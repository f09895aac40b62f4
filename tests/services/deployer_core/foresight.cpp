// The default policy in small pools: what a room is worth, what is scarce, and where tasks go.

#include "services/deployer/core/foresight.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/outlook.hpp"
#include "services/deployer/core/placer.hpp"
#include "services/deployer/core/scarcity.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

MixPart part(std::uint32_t gpus, std::uint32_t milli, double weight, std::int64_t cpu = 1000,
             std::vector<std::string> models = {}) {
  return {{cpu, 0, gpus, milli, std::move(models)}, weight};
}

Supply supply_of(Outlook const& outlook, Cluster const& c) {
  Supply sum;
  for (auto slot : c.pool(default_pool)) sum.add(outlook, c.at(slot).free, c.at(slot).full);
  return sum;
}

std::string chosen(Placer& placer, ResourceRequest const& r) {
  auto const p = placer.place(r, default_pool);
  return std::get<Allocation>(p).node.value;
}

TEST(Outlook, GpusWithoutCpuAreStranded) {
  auto c = cluster_of({node("a", capacity(20'000, 100'000, 2))});
  Outlook const outlook({part(1, 1000, 1.0, 8000)}, c.models());
  auto const stranded = [&] { return outlook.stranded(Parts(c.find({"a"})->free)); };
  auto const before = stranded();
  must(c.reserve({"x"}, {{"a"}, 20'000, 0, 0, {}, {}}));
  EXPECT_NEAR(stranded() - before, 2000, 1);
}

TEST(Outlook, BlocksNeedGpusAndCpuOnOneNode) {
  auto const c =
      cluster_of({node("a", capacity(9000, 9000, 8)), node("b", capacity(90'000, 9000, 7))});
  Outlook const outlook({part(2, 1000, 0.5, 2000), part(4, 1000, 0.5, 6000)}, c.models());
  ASSERT_EQ(outlook.block_kinds().size(), 2u);
  EXPECT_EQ(outlook.block_kinds()[0].gpus, 4u);
  EXPECT_EQ(outlook.blocks(c.find({"a"})->free), (Blocks{1, 4}));
  EXPECT_EQ(outlook.blocks(c.find({"b"})->free), (Blocks{1, 3}));
}

TEST(Scarcity, AModelIsDearWhenThoseWhoInsistOnItMayNeedAllOfIt) {
  auto const c = cluster_of(
      {node("t", capacity(64'000, 64'000, 8, "T4")), node("a", capacity(640'000, 64'000, 80))});
  auto const t4 = [&](double weight) {
    Outlook const outlook({part(1, 1000, weight, 1000, {"T4"}), part(1, 1000, 1 - weight)},
                          c.models());
    return prices_of(outlook, supply_of(outlook, c));
  };
  // 88 arrivals until all is used: 26, or 1, of them insist on 8 GPUs.
  EXPECT_GT(t4(0.3).model[0], 0.8);
  EXPECT_LT(t4(0.01).model[0], 0.1);
  EXPECT_LT(t4(0.3).model[1], 1e-9);
}

TEST(Scarcity, ABlockIsDearWhenLargeTasksMayNeedAllOfThem) {
  auto const c =
      cluster_of({node("a", capacity(64'000, 64'000, 8)), node("b", capacity(64'000, 64'000, 8))});
  auto const dear = [&](double weight) {
    Outlook const outlook({part(8, 1000, weight), part(1, 1000, 1 - weight)}, c.models());
    return prices_of(outlook, supply_of(outlook, c)).block_milli[0];
  };
  EXPECT_GT(dear(0.9), dear(0.01));
  EXPECT_GT(dear(0.9), 1000);
}

TEST(Scarcity, SuppliesAddAndSubtract) {
  ASSERT_TRUE(rc::check([] {
    auto const c = cluster_of(any_nodes(5));
    Outlook const outlook(unknown_mix(), c.models());
    auto all = supply_of(outlook, c);
    auto const once = all;
    all.add(once);
    all.subtract(once);
    RC_ASSERT(all == once);
    for (auto milli : rounded(once).useful_milli) RC_ASSERT(milli >= 0);
  }));
}

TEST(Foresight, ATaskThatAcceptsAnyModelLeavesTheScarceOne) {
  auto const c = cluster_of(
      {node("t", capacity(64'000, 64'000, 2, "T4")), node("a", capacity(64'000, 64'000, 8))});
  Placer placer(c, {part(1, 1000, 0.5), part(1, 1000, 0.5, 1000, {"T4"})});
  EXPECT_EQ(chosen(placer, ask_gpus(1)), "a");
  EXPECT_EQ(chosen(placer, ask_gpus(1, 1000, {"T4"})), "t");
}

TEST(Foresight, AShareGoesWhereTheRestIsWanted) {
  auto c =
      cluster_of({node("a", capacity(64'000, 64'000, 1)), node("b", capacity(64'000, 64'000, 1)),
                  node("c", capacity(64'000, 64'000, 1))});
  must(c.reserve({"x"}, {{"a"}, 0, 0, 0, {{0, 700}}, {}}));
  must(c.reserve({"y"}, {{"b"}, 0, 0, 0, {{0, 500}}, {}}));
  Placer placer(c, {part(1, 300, 0.4), part(1, 500, 0.2), part(1, 700, 0.4)});
  EXPECT_EQ(chosen(placer, ask_gpus(1, 300)), "a");
  EXPECT_EQ(chosen(placer, ask_gpus(1, 500)), "b");
  EXPECT_EQ(chosen(placer, ask_gpus(1, 700)), "c");
}

TEST(Foresight, WorkThatNeedsMuchCpuLeavesTheNodesThatAreShortOfIt) {
  auto const c = cluster_of(
      {node("poor", capacity(36'000, 900'000, 4)), node("rich", capacity(128'000, 900'000, 4))});
  Placer placer(c,
                {part(1, 1000, 0.1, 4000), part(1, 1000, 0.6, 8000), part(1, 1000, 0.3, 16'000)});
  auto hungry = ask_gpus(1);
  hungry.cpu_milli = 16'000;
  auto modest = ask_gpus(1);
  modest.cpu_milli = 4000;
  EXPECT_EQ(chosen(placer, hungry), "rich");
  EXPECT_EQ(chosen(placer, modest), "poor");
}

TEST(Foresight, LargeTasksKeepTheirNodes) {
  auto c = cluster_of(
      {node("whole", capacity(64'000, 64'000, 8)), node("begun", capacity(64'000, 64'000, 8))});
  must(c.reserve({"x"}, {{"begun"}, 1000, 1, 0, {{0, 1000}}, {}}));
  Placer placer(c, {part(8, 1000, 0.5), part(1, 1000, 0.5)});
  EXPECT_EQ(chosen(placer, ask_gpus(1)), "begun");
}

TEST(Foresight, ALearningPlacerFollowsWhatItSaw) {
  auto const c = cluster_of(
      {node("t", capacity(64'000, 64'000, 2, "T4")), node("a", capacity(64'000, 64'000, 8))});
  Placer placer(c);
  for (int i = 0; i < 100; ++i) {
    placer.observe(ask_gpus(1), 1);
    placer.observe(ask_gpus(1, 1000, {"T4"}), 1);
  }
  EXPECT_EQ(placer.outlook()->insisting().size(), 1u);
  EXPECT_EQ(chosen(placer, ask_gpus(1)), "a");
}

}  // namespace
}  // namespace lepton::deployer
