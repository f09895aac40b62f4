// Placement: tables for preferences, properties against slow and simple answers.

#include "services/deployer/core/place.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

std::string where(Placement const& p) {
  auto const* a = std::get_if<Allocation>(&p);
  return a ? a->node.value : "";
}

TEST(Place, CpuOnlyWorkGoesToNodesWithoutGpus) {
  auto const c =
      cluster_of({node("gpu", capacity(2000, 2000, 8)), node("cpu", capacity(64'000, 256'000))});
  EXPECT_EQ(where(place(c, ask_cpu(1000, 1000), default_pool)), "cpu");
}

TEST(Place, LeastLeftOverWins) {
  auto const c =
      cluster_of({node("large", capacity(64'000, 256'000)), node("small", capacity(4000, 4000)),
                  node("tiny", capacity(500, 500))});
  EXPECT_EQ(where(place(c, ask_cpu(1000, 1000), default_pool)), "small");
}

TEST(Place, WholeGpusGoWhereFewestAreFree) {
  auto c =
      cluster_of({node("eight", capacity(8000, 8000, 8)), node("four", capacity(64'000, 64'000, 4)),
                  node("two", capacity(8000, 8000, 2))});
  EXPECT_EQ(where(place(c, ask_gpus(2), default_pool)), "two");
  EXPECT_EQ(where(place(c, ask_gpus(3), default_pool)), "four");
  EXPECT_EQ(where(place(c, ask_gpus(5), default_pool)), "eight");
}

TEST(Place, AShareGoesToTheFullestGpuThatStillFits) {
  auto c = cluster_of({node("a", capacity(8000, 8000, 2)), node("b", capacity(8000, 8000, 2))});
  must(c.reserve({"x"}, {{"a"}, 1, 1, 0, {{0, 300}}, {}}));
  must(c.reserve({"y"}, {{"b"}, 1, 1, 0, {{1, 600}}, {}}));
  auto const fits = std::get<Allocation>(place(c, ask_gpus(1, 400), default_pool));
  EXPECT_EQ(fits.node.value, "b");
  EXPECT_EQ(fits.gpus, (std::vector<GpuShare>{{1, 400}}));
  auto const larger = std::get<Allocation>(place(c, ask_gpus(1, 410), default_pool));
  EXPECT_EQ(larger.node.value, "a");
  EXPECT_EQ(larger.gpus, (std::vector<GpuShare>{{0, 410}}));
}

TEST(Place, TheFirstModelNamedIsPreferred) {
  auto const c =
      cluster_of({node("t", capacity(8000, 8000, 1, "T4")), node("a", capacity(8000, 8000, 8))});
  EXPECT_EQ(where(place(c, ask_gpus(1, 1000, {"A100", "T4"}), default_pool)), "a");
  EXPECT_EQ(where(place(c, ask_gpus(1, 1000, {"T4", "A100"}), default_pool)), "t");
  EXPECT_EQ(where(place(c, ask_gpus(2, 1000, {"T4", "A100"}), default_pool)), "a");
  EXPECT_EQ(where(place(c, ask_gpus(1, 1000, {"B200"}), default_pool)), "");
}

TEST(Place, ATaskNeverMixesModels) {
  auto mixed = node("m", capacity(8000, 8000, 3));
  mixed.capacity.gpus[1].model = "T4";
  auto const c = cluster_of({mixed});
  auto const two = std::get<Allocation>(place(c, ask_gpus(2), default_pool));
  EXPECT_EQ(two.gpus, (std::vector<GpuShare>{{0, 1000}, {2, 1000}}));
  EXPECT_TRUE(std::holds_alternative<Misfit>(place(c, ask_gpus(3), default_pool)));
  auto const t4 = std::get<Allocation>(place(c, ask_gpus(1, 1000, {"T4", "A100"}), default_pool));
  EXPECT_EQ(t4.gpus, (std::vector<GpuShare>{{1, 1000}}));
}

TEST(Place, GpuMemoryIsAskedOfEachDevice) {
  auto n = node("m", capacity(8000, 8000, 3));
  n.capacity.gpus[0].memory_mib = 1000;
  auto const c = cluster_of({n});
  auto r = ask_gpus(2);
  r.gpu_memory_mib = 2000;
  EXPECT_EQ(std::get<Allocation>(place(c, r, default_pool)).gpus,
            (std::vector<GpuShare>{{1, 1000}, {2, 1000}}));
  r.gpus = 3;
  EXPECT_TRUE(std::get<Misfit>(place(c, r, default_pool)).never);
}

TEST(Place, PortsAreTheLowestFree) {
  auto c = cluster_of({node("a", capacity(8000, 8000))});
  must(c.reserve({"x"}, {{"a"}, 1, 1, 0, {}, {20'000, 20'002}}));
  auto r = ask_cpu(1, 1);
  r.ports = 2;
  EXPECT_EQ(std::get<Allocation>(place(c, r, default_pool)).ports,
            (std::vector<std::uint32_t>{20'001, 20'003}));
}

TEST(Place, OnlyReadyNodesOfThePoolCount) {
  auto c = cluster_of({node("a", capacity(8000, 8000)), node("b", capacity(8000, 8000))});
  auto other = node("c", capacity(8000, 8000));
  other.pool = {"other"};
  must(c.upsert_node(other));
  must(c.set_state({"a"}, NodeState::draining));
  EXPECT_EQ(where(place(c, ask_cpu(1, 1), default_pool)), "b");
  must(c.set_state({"b"}, NodeState::suspect));
  EXPECT_EQ(where(place(c, ask_cpu(1, 1), default_pool)), "");
  EXPECT_EQ(where(place(c, ask_cpu(1, 1), {"other"})), "c");
}

TEST(Place, GangsShareNodesAndAreWholeOrNothing) {
  auto const c =
      cluster_of({node("a", capacity(8000, 8000, 4)), node("b", capacity(8000, 8000, 3))});
  auto const three = place_gang(c, ask_gpus(2), default_pool, 3);
  auto const& members = std::get<std::vector<Allocation>>(three);
  EXPECT_EQ(members.size(), 3u);
  auto const four = std::get<Misfit>(place_gang(c, ask_gpus(2), default_pool, 4));
  EXPECT_EQ(four.fit_now, 3u);
  EXPECT_TRUE(four.never);
  EXPECT_EQ(four.what,
            "the gang is larger than pool 'default': 4 tasks wanted, 3 would fit if all was empty");
}

TEST(Place, CandidatesComeBestFirst) {
  auto const c =
      cluster_of({node("four", capacity(8000, 8000, 4)), node("two", capacity(8000, 8000, 2)),
                  node("none", capacity(8000, 8000))});
  auto const found = candidates(c, ask_gpus(1), default_pool, 10);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].node.value, "two");
  EXPECT_GT(found[0].score, found[1].score);
  EXPECT_EQ(candidates(c, ask_gpus(1), default_pool, 1).size(), 1u);
}

TEST(Place, PoliciesAreFoundByName) {
  for (auto name : policy_names()) EXPECT_EQ(find_policy(name)->name(), name);
  EXPECT_EQ(find_policy("best"), nullptr);
  auto const c =
      cluster_of({node("four", capacity(8000, 8000, 4)), node("two", capacity(8000, 8000, 2))});
  EXPECT_EQ(where(place(c, ask_gpus(1), default_pool, *find_policy("spread"))), "four");
}

// Fills a cluster by random placements, then hands it over.
Cluster busy_cluster(std::vector<NodeSpec> const& nodes) {
  auto c = cluster_of(nodes);
  for (int i = *rc::gen::inRange(0, 15); i > 0; --i)
    if (auto p = place(c, any_request(), default_pool); std::holds_alternative<Allocation>(p))
      must(c.reserve({"t" + std::to_string(i)}, std::get<Allocation>(p)));
  return c;
}

TEST(PlaceProperty, AnswersWithWhatCanBeReservedOrNothingFits) {
  ASSERT_TRUE(rc::check([] {
    auto c = busy_cluster(any_nodes(6));
    auto r = any_request();
    r.where.topology = TopologyMode::none;  // of layouts affinity.cpp speaks
    auto const p = place(c, r, default_pool);
    Ask const ask(c, r, default_pool);
    std::uint64_t members = 0;
    for (auto slot : c.pool(default_pool)) members += members_in(now(c.at(slot)), ask);
    RC_ASSERT(std::holds_alternative<Allocation>(p) == (members > 0));
    if (auto const* a = std::get_if<Allocation>(&p)) {
      RC_ASSERT(a->cpu_milli == r.cpu_milli && a->memory_mib == r.memory_mib);
      RC_ASSERT(a->gpus.size() == r.gpus && a->ports.size() == r.ports);
      for (auto const& s : a->gpus) RC_ASSERT(s.milli == r.gpu_milli);
      must(c.reserve({"new"}, *a));
      c.check_invariants();
    }
  }));
}

TEST(PlaceProperty, GangsAreExactAndChangeNothing) {
  ASSERT_TRUE(rc::check([] {
    auto c = busy_cluster(any_nodes(6));
    auto const before = c.totals();
    auto r = any_request();
    r.where.topology = TopologyMode::none;  // of layouts affinity.cpp speaks
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 12));
    Ask const ask(c, r, default_pool);
    std::uint64_t most = 0;
    for (auto slot : c.pool(default_pool)) most += members_in(now(c.at(slot)), ask);
    auto const p = place_gang(c, r, default_pool, tasks);
    RC_ASSERT(c.totals().cpu_milli_free == before.cpu_milli_free);
    RC_ASSERT(c.totals().gpu_milli_free == before.gpu_milli_free);
    if (auto const* members = std::get_if<std::vector<Allocation>>(&p)) {
      RC_ASSERT(members->size() == tasks && most >= tasks);
      for (std::size_t i = 0; i < tasks; ++i)
        must(c.reserve({"g" + std::to_string(i)}, (*members)[i]));
      c.check_invariants();
    } else {
      RC_ASSERT(std::get<Misfit>(p).fit_now == most);
      RC_ASSERT(most < tasks);
    }
  }));
}

TEST(PlaceProperty, TheOrderInWhichNodesAreAddedDoesNotMatter) {
  ASSERT_TRUE(rc::check([] {
    auto nodes = any_nodes(6);
    auto const a = cluster_of(nodes);
    std::reverse(nodes.begin(), nodes.end());
    std::rotate(nodes.begin(),
                nodes.begin() + *rc::gen::inRange<long>(0, static_cast<long>(nodes.size()) + 1),
                nodes.end());
    auto const b = cluster_of(nodes);
    auto const r = any_request();
    auto const x = place_gang(a, r, default_pool, 3), y = place_gang(b, r, default_pool, 3);
    RC_ASSERT(x.index() == y.index());
    if (x.index() == 0)
      RC_ASSERT(std::get<0>(x) == std::get<0>(y));
    else
      RC_ASSERT(std::get<1>(x).what == std::get<1>(y).what);
  }));
}

TEST(PlaceProperty, NamesOfNodesDoNotMatter) {
  ASSERT_TRUE(rc::check([] {
    auto nodes = any_nodes(6);
    auto const a = cluster_of(nodes);
    for (auto& n : nodes) n.id.value = "z" + std::to_string(100 - n.order);
    auto const b = cluster_of(nodes);
    auto const r = any_request();
    auto const x = place(a, r, default_pool), y = place(b, r, default_pool);
    RC_ASSERT(x.index() == y.index());
    if (auto const* p = std::get_if<Allocation>(&x))
      RC_ASSERT(a.find(p->node)->spec.order == b.find(std::get<Allocation>(y).node)->spec.order);
  }));
}

}  // namespace
}  // namespace lepton::deployer
