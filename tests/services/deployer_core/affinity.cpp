// Labels, taints, regions, islands and the layout of gangs: tables, and properties against the
// rules as they are written down.

#include "services/deployer/core/affinity.hpp"

#include <gtest/gtest.h>

#include <set>

#include "services/deployer/core/islands.hpp"
#include "services/deployer/core/topology.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Affinity, ARuleTestsOneLabel) {
  Labels const labels{{"zone", "a"}, {"nvme", ""}};
  struct Row {
    LabelRule rule;
    bool passes;
  };
  Row const table[] = {
      {{"zone", {}, false}, true},         {{"zone", {"a"}, false}, true},
      {{"zone", {"b", "a"}, false}, true}, {{"zone", {"b"}, false}, false},
      {{"zone", {}, true}, false},         {{"zone", {"a"}, true}, false},
      {{"zone", {"b"}, true}, true},       {{"rack", {}, false}, false},
      {{"rack", {"a"}, false}, false},     {{"rack", {}, true}, true},
      {{"rack", {"a"}, true}, true},       {{"nvme", {}, false}, true},
      {{"nvme", {""}, false}, true},
  };
  for (auto const& row : table)
    EXPECT_EQ(passes(row.rule, labels), row.passes) << text_of(row.rule);
}

TEST(Affinity, AnEarlierWishOutweighsAllLaterOnes) {
  Constraints c;
  c.preferences = {{"a", {}, false}, {"b", {}, false}, {"c", {}, false}};
  auto const missed = [&](Labels const& labels) { return wishes_missed(c, labels, {}); };
  EXPECT_EQ(missed({{"a", ""}, {"b", ""}, {"c", ""}}), 0u);
  EXPECT_LT(missed({{"a", ""}}), missed({{"b", ""}, {"c", ""}}));
  EXPECT_LT(missed({{"b", ""}}), missed({{"c", ""}}));
  EXPECT_LT(missed({}), wishes_missed(c, {{"a", ""}, {"b", ""}, {"c", ""}}, {{"t", "", true}}))
      << "a soft taint weighs more than all wishes";
  c.tolerations = {{"t", {}, false}};
  EXPECT_EQ(wishes_missed(c, {{"a", ""}, {"b", ""}, {"c", ""}}, {{"t", "", true}}), 0u);
}

TEST(Affinity, WhatCannotBeMeantIsRefusedByItsField) {
  auto const why = [](Constraints const& c, std::uint32_t tasks = 1) {
    auto const checked = check_constraints(c, tasks);
    return checked ? std::string("good") : checked.error().what.substr(0, 9);
  };
  Constraints c;
  EXPECT_EQ(why(c), "good");
  c.requirements = {{"zone!", {}, false}};
  EXPECT_EQ(why(c), "requires:");
  c.requirements = {{"zone", {"a b"}, false}};
  EXPECT_EQ(why(c), "requires:");
  c.requirements.assign(17, {"zone", {}, false});
  EXPECT_EQ(why(c), "requires:");
  c.requirements.clear();
  c.preferences.assign(9, {"zone", {}, false});
  EXPECT_EQ(why(c), "prefers: ");
  c.preferences.clear();
  c.tolerations = {{"zone", {}, true}};
  EXPECT_EQ(why(c), "tolerates");
  c.tolerations.clear();
  c.regions = {"eu west"};
  EXPECT_EQ(why(c), "regions: ");
  c.regions.clear();
  c.topology = TopologyMode::pack;
  EXPECT_EQ(why(c, 2), "topology:");
  c.topology_label = "rack";
  EXPECT_EQ(why(c, 2), "good");
  EXPECT_EQ(why(c, 1), "topology:");
}

NodeSpec labelled(std::string id, Labels labels, std::vector<Taint> taints = {}) {
  auto n = node(std::move(id), capacity(8000, 8000, 2));
  n.labels = std::move(labels);
  n.taints = std::move(taints);
  return n;
}

std::string where_is(Placement const& p) {
  auto const* a = std::get_if<Allocation>(&p);
  return a ? a->node.value : std::get<Misfit>(p).what;
}

TEST(Affinity, HardRulesNameWhatKeepsTheWorkAway) {
  auto c = cluster_of({labelled("a", {{"zone", "a"}, {"region", "eu"}}, {{"gone", "soon", false}}),
                       labelled("b", {{"zone", "b"}})});
  auto r = ask_gpus(1);
  EXPECT_EQ(where_is(place(c, r, default_pool)), "b");
  r.where.requirements = {{"zone", {"a"}, false}};
  auto const misfit = std::get<Misfit>(place(c, r, default_pool));
  EXPECT_TRUE(misfit.never);
  EXPECT_EQ(misfit.rejected, (std::vector<Rejection>{{"taint", 1}, {"labels", 1}}));
  EXPECT_EQ(misfit.what,
            "no node of pool 'default' has all of it, even when empty; nearest: node a is tainted "
            "gone=soon");
  r.where.tolerations = {{"gone", {}, false}};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "a");
  r.where.requirements = {{"zone", {"c", "d"}, false}};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "no node of pool 'default' passes zone=c|d");
  r.where.requirements = {};
  r.where.regions = {"us", "ap"};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "no node of pool 'default' is in region us or ap");
  r.where.regions = {"eu"};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "a");
}

TEST(Affinity, WishesComeBeforeTheScoreAndAfterTheModel) {
  auto a = labelled("a", {{"zone", "a"}}), b = labelled("b", {{"zone", "b"}});
  for (auto& gpu : b.capacity.gpus) gpu.model = "T4";
  auto c = cluster_of({a, b, labelled("soft", {}, {{"batch", "", true}})});
  auto r = ask_gpus(1);
  r.where.preferences = {{"zone", {"b"}, false}};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "b");
  r.gpu_models = {"A100", "T4"};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "a") << "the model was named first";
  r.where.preferences = {{"zone", {"a"}, true}};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "a") << "a soft taint is the last resort";
  must(c.reserve({"x"}, {{"a"}, 1, 1, 0, {{0, 1000}, {1, 1000}}, {}}));
  r.gpu_models = {"A100"};
  EXPECT_EQ(where_is(place(c, r, default_pool)), "soft");
}

TEST(Islands, GpusComeFromTheSmallestIslandThatIsEnough) {
  auto spec = node("a", capacity(64'000, 64'000, 7));
  for (std::uint32_t i = 0; i < 7; ++i) spec.capacity.gpus[i].island = i < 4 ? 1 : 2;
  auto c = cluster_of({spec});
  auto const gpus = [&](std::uint32_t n, bool one = false) {
    auto r = ask_gpus(n);
    r.where.one_island = one;
    std::string all;
    auto const p = place(c, r, default_pool);
    if (auto const* a = std::get_if<Allocation>(&p))
      for (auto const& g : a->gpus) all += std::to_string(g.index);
    return all;
  };
  EXPECT_EQ(gpus(2), "45");
  EXPECT_EQ(gpus(3), "456");
  EXPECT_EQ(gpus(4), "0123");
  EXPECT_EQ(gpus(5), "01234") << "the largest first, where no island is enough";
  EXPECT_EQ(gpus(4, true), "0123");
  EXPECT_EQ(gpus(5, true), "");
  auto r = ask_gpus(5);
  r.where.one_island = true;
  auto const misfit = std::get<Misfit>(place(c, r, default_pool));
  EXPECT_EQ(misfit.what,
            "no node of pool 'default' is large enough: 5 GPUs of one island wanted, the largest "
            "(a) has 4");
  r.gpus = 3;
  EXPECT_EQ(members_in(now(*c.find({"a"})), Ask(c, r, default_pool)), 2u);
}

TEST(Numa, GpusComeFromOneNodeWhereTheTaskInsists) {
  auto spec = node("a", capacity(64'000, 64'000, 7));
  for (std::uint32_t i = 0; i < 7; ++i) {
    spec.capacity.gpus[i].numa = i < 4 ? 0 : 1;
    spec.capacity.gpus[i].island = i % 2;
  }
  auto c = cluster_of({spec});
  auto r = ask_gpus(1);
  auto const gpus = [&](std::uint32_t n, bool numa, bool island = false) {
    r.gpus = n;
    r.where.one_numa = numa;
    r.where.one_island = island;
    std::string all;
    auto const p = place(c, r, default_pool);
    if (auto const* a = std::get_if<Allocation>(&p))
      for (auto const& g : a->gpus) all += std::to_string(g.index);
    return all;
  };
  EXPECT_EQ(gpus(3, false), "135") << "the smaller island is enough";
  EXPECT_EQ(gpus(3, true), "456");
  EXPECT_EQ(gpus(4, true), "0123");
  EXPECT_EQ(gpus(5, true), "");
  EXPECT_EQ(gpus(2, true, true), "02") << "0 and 2, 1 and 3, 4 and 6 are near in both ways";
  EXPECT_EQ(gpus(3, true, true), "");
  EXPECT_EQ(gpus(3, false, true), "135");
  gpus(5, true);
  auto const misfit = std::get<Misfit>(place(c, r, default_pool));
  EXPECT_EQ(misfit.rejected, (std::vector<Rejection>{{"gpu_numa", 1}}));
  EXPECT_EQ(misfit.what,
            "no node of pool 'default' is large enough: 5 GPUs of one NUMA node wanted, the "
            "largest (a) has 4");
  gpus(2, true);
  EXPECT_EQ(members_in(now(*c.find({"a"})), Ask(c, r, default_pool)), 3u);
  r.gpus = 1;
  r.gpu_milli = 500;
  EXPECT_EQ(place(c, r, default_pool).index(), 0u) << "one GPU is of one node anyway";
  r.gpus = 0;
  EXPECT_FALSE(check_request(r));
}

TEST(Numa, GpusOfWhichNobodyKnowsTheNodeCountAsOfOne) {
  auto const c = cluster_of({node("a", capacity(64'000, 64'000, 4))});
  auto r = ask_gpus(4);
  r.where.one_numa = true;
  EXPECT_EQ(place(c, r, default_pool).index(), 0u);
  auto odd = node("b", capacity(1000, 1000, 1));
  odd.capacity.gpus[0].numa = 1024;
  EXPECT_FALSE(Cluster().upsert_node(odd));
}

std::vector<NodeSpec> racks() {
  return {labelled("a1", {{"rack", "a"}}), labelled("a2", {{"rack", "a"}}),
          labelled("b1", {{"rack", "b"}}), labelled("b2", {{"rack", "b"}}),
          labelled("b3", {{"rack", "b"}}), labelled("none", {})};
}

std::map<std::string, int> per_rack(Cluster const& c, GangPlacement const& gang) {
  std::map<std::string, int> counts;
  for (auto const& a : std::get<std::vector<Allocation>>(gang)) {
    auto const& labels = c.find(a.node)->spec.labels;
    ++counts[labels.contains("rack") ? labels.at("rack") : ""];
  }
  return counts;
}

TEST(Topology, PackTakesTheTightestRackAndSpreadAllOfThem) {
  auto const c = cluster_of(racks());
  auto r = ask_gpus(1);
  r.where.topology_label = "rack";
  r.where.topology = TopologyMode::pack;
  using Counts = std::map<std::string, int>;
  EXPECT_EQ(per_rack(c, place_gang(c, r, default_pool, 4)), (Counts{{"a", 4}}));
  EXPECT_EQ(per_rack(c, place_gang(c, r, default_pool, 5)), (Counts{{"b", 5}}));
  auto const misfit = std::get<Misfit>(place_gang(c, r, default_pool, 7));
  EXPECT_TRUE(misfit.never);
  EXPECT_EQ(misfit.what,
            "the gang is larger than every rack of pool 'default': 7 tasks wanted, 6 would fit if "
            "all was empty");
  r.where.topology = TopologyMode::spread;
  EXPECT_EQ(per_rack(c, place_gang(c, r, default_pool, 6)), (Counts{{"", 2}, {"a", 2}, {"b", 2}}));
  EXPECT_EQ(per_rack(c, place_gang(c, r, default_pool, 12)), (Counts{{"", 2}, {"a", 4}, {"b", 6}}));
}

TEST(Topology, AFullRackIsNamed) {
  auto c = cluster_of(racks());
  must(c.reserve({"x"}, {{"b1"}, 1, 1, 0, {{0, 1000}, {1, 1000}}, {}}));
  auto r = ask_gpus(1);
  r.where.topology = TopologyMode::pack;
  r.where.topology_label = "rack";
  auto const misfit = std::get<Misfit>(place_gang(c, r, default_pool, 5));
  EXPECT_FALSE(misfit.never);
  EXPECT_EQ(misfit.what.find("no rack has room for all 5 tasks; the roomiest, rack="), 0u)
      << misfit.what;
  EXPECT_EQ(misfit.fit_now, 4u);
}

TEST(TopologyProperty, PackIsWholeInOneRackWheneverOneHasRoomAndSpreadIsEvenWhileThereIsRoom) {
  ASSERT_TRUE(rc::check([] {
    auto const c = cluster_of(any_nodes(8));
    auto r = any_request();
    r.where.topology_label = "rack";
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(2, 6));
    Ask const ask(c, r, default_pool);
    std::map<std::string, std::uint64_t> room;
    for (auto slot : c.pool(default_pool))
      if (auto const& labels = c.at(slot).spec.labels; labels.contains("rack"))
        room[labels.at("rack")] += members_in(now(c.at(slot)), ask);
    r.where.topology = TopologyMode::pack;
    auto const packed = place_gang(c, r, default_pool, tasks);
    auto const possible =
        std::any_of(room.begin(), room.end(), [&](auto const& x) { return x.second >= tasks; });
    RC_ASSERT(possible == (packed.index() == 0));
    if (packed.index() == 0) RC_ASSERT(per_rack(c, packed).size() == 1u);
    r.where.topology = TopologyMode::spread;
    auto const spread = place_gang(c, r, default_pool, tasks);
    if (spread.index() != 0) return;
    auto counts = per_rack(c, spread);
    for (auto const& [rack, n] : counts)
      for (auto const& [other, has] : room)
        if (has > static_cast<std::uint64_t>(counts[other])) RC_ASSERT(n <= counts[other] + 1);
  }));
}

}  // namespace
}  // namespace lepton::deployer
