// The cluster: tables for what is refused, properties for what must hold in any order of calls.

#include <gtest/gtest.h>

#include "services/deployer/core/cluster.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

Allocation on(std::string node_id, std::int64_t cpu, std::int64_t memory,
              std::vector<GpuShare> gpus = {}, std::vector<std::uint32_t> ports = {}) {
  return {{std::move(node_id)}, cpu, memory, 0, std::move(gpus), std::move(ports)};
}

struct Refused {
  char const* why;
  Allocation allocation;
  Code code;
};

TEST(Cluster, RefusesWhatDoesNotFit) {
  Cluster c;
  ASSERT_TRUE(c.upsert_node(node("a", capacity(4000, 4096, 2))));
  ASSERT_TRUE(c.reserve({"first"}, on("a", 1000, 1024, {{0, 600}}, {20'001})));
  Refused const table[] = {
      {"cpu", on("a", 3001, 1), Code::exhausted},
      {"memory", on("a", 1, 3073), Code::exhausted},
      {"share of a used GPU", on("a", 1, 1, {{0, 401}}), Code::exhausted},
      {"whole of a used GPU", on("a", 1, 1, {{0, 1000}}), Code::exhausted},
      {"a GPU that is not there", on("a", 1, 1, {{2, 1000}}), Code::invalid},
      {"a GPU twice", on("a", 1, 1, {{1, 500}, {1, 400}}), Code::invalid},
      {"more than a whole", on("a", 1, 1, {{1, 1001}}), Code::invalid},
      {"an empty share", on("a", 1, 1, {{1, 0}}), Code::invalid},
      {"a used port", on("a", 1, 1, {}, {20'001}), Code::exhausted},
      {"a foreign port", on("a", 1, 1, {}, {20'100}), Code::exhausted},
      {"a port twice", on("a", 1, 1, {}, {20'005, 20'005}), Code::invalid},
      {"a negative amount", on("a", -1, 1), Code::invalid},
      {"an unknown node", on("b", 1, 1), Code::not_found},
  };
  for (auto const& t : table) {
    auto const s = c.reserve({"second"}, t.allocation);
    ASSERT_FALSE(s) << t.why;
    EXPECT_EQ(s.error().code, t.code) << t.why << ": " << s.error().what;
    EXPECT_EQ(c.held({"second"}), nullptr) << t.why;
    c.check_invariants();
  }
  EXPECT_TRUE(c.reserve({"second"}, on("a", 3000, 3072, {{0, 400}, {1, 1000}}, {20'000})));
  c.check_invariants();
}

TEST(Cluster, TheSameReservationAgainIsHarmlessAnotherIsAConflict) {
  Cluster c;
  ASSERT_TRUE(c.upsert_node(node("a", capacity(4000, 4096))));
  ASSERT_TRUE(c.reserve({"x"}, on("a", 3000, 1)));
  EXPECT_TRUE(c.reserve({"x"}, on("a", 3000, 1)));
  EXPECT_EQ(c.reserve({"x"}, on("a", 1, 1)).error().code, Code::conflict);
  EXPECT_EQ(c.find({"a"})->free.cpu_milli(), 1000);
  EXPECT_TRUE(c.release({"x"}));
  EXPECT_FALSE(c.release({"x"}));
  EXPECT_EQ(c.find({"a"})->free.cpu_milli(), 4000);
}

TEST(Cluster, ANodeThatShrinksBelowWhatIsHeldIsAConflict) {
  Cluster c;
  ASSERT_TRUE(c.upsert_node(node("a", capacity(4000, 4096, 2))));
  ASSERT_TRUE(c.reserve({"x"}, on("a", 3000, 1, {{1, 500}})));
  EXPECT_EQ(c.upsert_node(node("a", capacity(2000, 4096, 2))).error().code, Code::conflict);
  EXPECT_EQ(c.upsert_node(node("a", capacity(4000, 4096, 1))).error().code, Code::conflict);
  auto other = node("a", capacity(4000, 4096, 2));
  other.capacity.gpus[1].uuid = "another";
  EXPECT_EQ(c.upsert_node(other).error().code, Code::conflict);
  EXPECT_TRUE(c.upsert_node(node("a", capacity(3000, 4096, 3))));
  EXPECT_EQ(c.find({"a"})->free.cpu_milli(), 0);
  EXPECT_EQ(c.find({"a"})->free.devices()[1].free_milli, 500u);
  c.check_invariants();
}

TEST(Cluster, RefusesNodesThatCannotBe) {
  Cluster c;
  auto ports = node("a", capacity(1, 1));
  ports.capacity.port_first = 65'535;
  ports.capacity.port_count = 2;
  auto negative = node("a", capacity(-1, 1));
  auto no_pool = node("a", capacity(1, 1));
  no_pool.pool = {};
  for (auto const& n : {ports, negative, no_pool, node("", capacity(1, 1))})
    EXPECT_EQ(c.upsert_node(n).error().code, Code::invalid);
  ASSERT_TRUE(c.upsert_node(node("a", capacity(1, 1), 7)));
  EXPECT_EQ(c.upsert_node(node("b", capacity(1, 1), 7)).error().code, Code::conflict);
  EXPECT_EQ(c.upsert_node(node("a", capacity(1, 1), 8)).error().code, Code::conflict);
  EXPECT_TRUE(c.upsert_node(node("b", capacity(1, 1))));
  EXPECT_EQ(c.find({"b"})->spec.order, 8u);
}

TEST(Cluster, ANodeLeavesOnlyEmpty) {
  Cluster c;
  ASSERT_TRUE(c.upsert_node(node("a", capacity(1000, 1000))));
  ASSERT_TRUE(c.reserve({"x"}, on("a", 1, 1)));
  EXPECT_EQ(c.remove_node({"a"}).error().code, Code::conflict);
  EXPECT_EQ(c.holders({"a"}), std::vector<AttemptId>{{"x"}});
  c.release({"x"});
  EXPECT_TRUE(c.remove_node({"a"}));
  EXPECT_EQ(c.remove_node({"a"}).error().code, Code::not_found);
  EXPECT_TRUE(c.pools().empty());
  c.check_invariants();
}

TEST(Cluster, FreedRisesOnlyWhenSomethingMayFitAgain) {
  Cluster c;
  ASSERT_TRUE(c.upsert_node(node("a", capacity(1000, 1000))));
  auto last = c.freed(default_pool);
  auto const rose = [&] {
    auto const before = last;
    last = c.freed(default_pool);
    return last > before;
  };
  ASSERT_TRUE(c.reserve({"x"}, on("a", 1, 1)));
  EXPECT_FALSE(rose());
  ASSERT_TRUE(c.set_state({"a"}, NodeState::draining));
  EXPECT_FALSE(rose());
  ASSERT_TRUE(c.set_state({"a"}, NodeState::ready));
  EXPECT_TRUE(rose());
  c.release({"x"});
  EXPECT_TRUE(rose());
  c.release({"x"});
  EXPECT_FALSE(rose());
  ASSERT_TRUE(c.upsert_node(node("b", capacity(1, 1))));
  EXPECT_TRUE(rose());
}

TEST(Cluster, TotalsAreSums) {
  Cluster c;
  ASSERT_TRUE(c.upsert_node(node("a", capacity(4000, 4096, 2))));
  ASSERT_TRUE(c.upsert_node(node("b", capacity(1000, 1024, 1))));
  ASSERT_TRUE(c.set_state({"b"}, NodeState::down));
  ASSERT_TRUE(c.reserve({"x"}, on("a", 500, 96, {{0, 250}})));
  auto const t = c.totals();
  EXPECT_EQ(t.nodes, 2u);
  EXPECT_EQ(t.ready_nodes, 1u);
  EXPECT_EQ(t.cpu_milli, 5000);
  EXPECT_EQ(t.cpu_milli_free, 4500);
  EXPECT_EQ(t.memory_mib_free, 5024);
  EXPECT_EQ(t.gpu_milli, 3000);
  EXPECT_EQ(t.gpu_milli_free, 2750);
  EXPECT_EQ(t.gpus_whole_free, 2u);
  EXPECT_EQ(c.totals({"other"}).nodes, 0u);
}

// Any allocation, sensible or not.
Allocation any_allocation(int nodes) {
  Allocation a{{"n" + std::to_string(*rc::gen::inRange(0, nodes + 1))},
               *rc::gen::inRange(-1, 9) * 1000,
               *rc::gen::inRange(-1, 9) * 1024,
               *rc::gen::inRange(0, 2) * 1000,
               {},
               {}};
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    a.gpus.push_back({static_cast<std::uint32_t>(*rc::gen::inRange(0, 5)),
                      static_cast<std::uint32_t>(*rc::gen::inRange(0, 12)) * 100});
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    a.ports.push_back(static_cast<std::uint32_t>(*rc::gen::inRange(20'000, 20'006)));
  return a;
}

void random_step(Cluster& c, int nodes) {
  AttemptId const attempt{"t" + std::to_string(*rc::gen::inRange(0, 20))};
  NodeId const id{"n" + std::to_string(*rc::gen::inRange(0, nodes + 1))};
  switch (*rc::gen::inRange(0, 7)) {
    case 0: {
      auto const a = any_allocation(nodes);
      if (c.reserve(attempt, a)) RC_ASSERT(*c.held(attempt) == a);
      break;
    }
    case 1:
    case 2:
      if (auto p = place(c, any_request(), default_pool); !c.held(attempt))
        if (auto* a = std::get_if<Allocation>(&p)) must(c.reserve(attempt, *a));
      break;
    case 3:
      c.release(attempt);
      RC_ASSERT(c.held(attempt) == nullptr);
      break;
    case 4:
      if (c.find(id)) must(c.set_state(id, any_state()));
      break;
    case 5: {
      auto const removable = c.find(id) != nullptr && c.holders(id).empty();
      RC_ASSERT(c.remove_node(id).has_value() == removable);
      break;
    }
    default:
      if (auto s = c.upsert_node(node(id.value, any_capacity())); !s)
        RC_ASSERT(s.error().code == Code::conflict);
  }
}

TEST(ClusterProperty, CapacityIsNeverExceededInAnyOrder) {
  ASSERT_TRUE(rc::check([] {
    auto c = cluster_of(any_nodes(5));
    for (int i = *rc::gen::inRange(0, 60); i > 0; --i) {
      random_step(c, 5);
      c.check_invariants();
    }
  }));
}

TEST(ClusterProperty, ReleasingAllGivesAllBack) {
  ASSERT_TRUE(rc::check([] {
    auto c = cluster_of(any_nodes(5));
    for (int i = 0; i < 20; ++i)
      if (auto p = place(c, any_request(), default_pool); std::holds_alternative<Allocation>(p))
        must(c.reserve({"t" + std::to_string(i)}, std::get<Allocation>(p)));
    for (int i = 19; i >= 0; --i) c.release({"t" + std::to_string(i)});
    auto const t = c.totals();
    RC_ASSERT(t.cpu_milli == t.cpu_milli_free);
    RC_ASSERT(t.memory_mib == t.memory_mib_free);
    RC_ASSERT(t.gpu_milli == t.gpu_milli_free);
    RC_ASSERT(c.held_count() == 0u);
    c.check_invariants();
  }));
}

}  // namespace
}  // namespace lepton::deployer
