// MIG instances are devices of their own: who names no profile never gets one, and who names one
// gets nothing else.

#include <gtest/gtest.h>

#include "services/deployer/core/mix.hpp"
#include "services/deployer/core/placer.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

// A node of two whole A100, three instances of 1g.10gb and one of 3g.40gb, in this order.
NodeSpec cut(std::string id) {
  auto n = node(std::move(id), capacity(64'000, 64'000, 6));
  for (std::size_t i = 2; i < 6; ++i) {
    n.capacity.gpus[i].mig_profile = i < 5 ? "1g.10gb" : "3g.40gb";
    n.capacity.gpus[i].memory_mib = i < 5 ? 9'984 : 40'192;
  }
  return n;
}
ResourceRequest ask_mig(std::uint32_t gpus, std::string profile,
                        std::vector<std::string> models = {}) {
  auto r = ask_gpus(gpus, 1000, std::move(models));
  r.mig_profile = std::move(profile);
  return r;
}
std::string gpus_of(Cluster const& c, ResourceRequest const& r) {
  auto const p = place(c, r, default_pool);
  auto const* a = std::get_if<Allocation>(&p);
  if (a == nullptr) return "none";
  std::string all;
  for (auto const& g : a->gpus) all += std::to_string(g.index);
  return all;
}

TEST(Mig, EachAskGetsItsKindAndNoOther) {
  auto const c = cluster_of({cut("a")});
  struct Row {
    char const* what;
    ResourceRequest ask;
    char const* gpus;
  };
  auto large = ask_mig(1, "1g.10gb");
  large.gpu_memory_mib = 20'000;
  for (auto const& row : {Row{"whole ones", ask_gpus(2), "01"},
                          {"more whole ones than there are", ask_gpus(3), "none"},
                          {"a share is of a whole one", ask_gpus(1, 500), "0"},
                          {"one instance", ask_mig(1, "1g.10gb"), "2"},
                          {"three", ask_mig(3, "1g.10gb"), "234"},
                          {"four", ask_mig(4, "1g.10gb"), "none"},
                          {"of another profile", ask_mig(1, "3g.40gb"), "5"},
                          {"of none", ask_mig(1, "2g.20gb"), "none"},
                          {"of its model", ask_mig(1, "1g.10gb", {"H100", "A100"}), "2"},
                          {"of another model", ask_mig(1, "1g.10gb", {"H100"}), "none"},
                          {"with more memory than it has", large, "none"},
                          {"no GPU at all", ask_gpus(0), ""}})
    EXPECT_EQ(gpus_of(c, row.ask), row.gpus) << row.what;
}

TEST(Mig, WhatIsNoMeaningIsRefused) {
  EXPECT_TRUE(check_request(ask_mig(1, "1g.10gb")));
  EXPECT_FALSE(check_request(ask_mig(1, "10gb")));
  EXPECT_FALSE(check_request(ask_mig(0, "1g.10gb")));
  auto r = ask_mig(1, "1g.10gb");
  r.gpu_milli = 500;
  EXPECT_EQ(check_request(r).error().what, "resources: mig: an instance is not shared");
  r = ask_mig(2, "1g.10gb");
  r.where.one_island = true;
  EXPECT_FALSE(check_request(r));
  auto n = cut("a");
  n.capacity.gpus[2].mig_profile = "half";
  EXPECT_EQ(Cluster().upsert_node(n).error().what,
            "node 'a' has a MIG instance of profile 'half', which is none; write for example "
            "1g.10gb");
}

TEST(Mig, ReasonsNameTheRuleAndTheKind) {
  auto a = cut("a");
  a.capacity.gpus.erase(a.capacity.gpus.begin(), a.capacity.gpus.begin() + 2);
  auto c = cluster_of({a, node("b", capacity(64'000, 64'000, 2)), node("c", capacity(1000, 1000))});
  auto const none = std::get<Misfit>(place(c, ask_mig(1, "2g.20gb"), default_pool));
  EXPECT_TRUE(none.never);
  EXPECT_EQ(none.rejected, (std::vector<Rejection>{{"mig", 3}}));
  EXPECT_EQ(none.what, "no node of pool 'default' has MIG instances of 2g.20gb");
  must(c.reserve({"x"}, {{"b"}, 1, 1, 0, {{0, 1000}, {1, 1000}}, {}}));
  auto const busy = std::get<Misfit>(place(c, ask_gpus(1), default_pool));
  EXPECT_FALSE(busy.never);
  EXPECT_EQ(busy.rejected, (std::vector<Rejection>{{"mig", 1}, {"gpus", 2}}))
      << "a node without GPUs lacks GPUs, not their kind";
  must(c.reserve({"y"}, {{"a"}, 1, 1, 0, {{3, 1000}}, {}}));
  auto const taken = std::get<Misfit>(place(c, ask_mig(1, "3g.40gb"), default_pool));
  EXPECT_EQ(taken.nearest.value, "a");
  EXPECT_NE(taken.what.find("nearest: node a lacks 1 GPUs of one model"), std::string::npos)
      << taken.what;
}

TEST(Mig, ThePlacerKeepsThemApartWhenTheFirstInstanceComes) {
  auto c = cluster_of({node("b", capacity(64'000, 64'000, 1))});
  Placer placer(c);
  EXPECT_TRUE(placer.find(ask_gpus(1), default_pool));
  auto a = cut("a");
  a.capacity.gpus.erase(a.capacity.gpus.begin(), a.capacity.gpus.begin() + 2);
  must(c.upsert_node(a));
  must(c.reserve({"x"}, {{"b"}, 1, 1, 0, {{0, 1000}}, {}}));
  EXPECT_FALSE(placer.find(ask_gpus(1), default_pool)) << "the rest are instances";
  EXPECT_EQ(placer.find(ask_mig(2, "1g.10gb"), default_pool)->front().node.value, "a");
  EXPECT_FALSE(placer.find(ask_mig(2, "3g.40gb"), default_pool));
}

TEST(Mig, InTheMixTheyAreModelsOfTheirOwn) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(TaskClass::of(ask_mig(1, "1g.10gb", {"H100", "A100"})).models,
            (Names{"A100 1g.10gb", "H100 1g.10gb"}));
  EXPECT_NE(TaskClass::of(ask_mig(1, "1g.10gb")), TaskClass::of(ask_gpus(1)));
}

TEST(MigProperty, NobodyGetsADeviceOfAnotherKind) {
  ASSERT_TRUE(rc::check([] {
    auto const c = cluster_of(any_nodes(5));
    auto const r = any_request();
    auto const placed = place(c, r, default_pool);
    if (placed.index() != 0) return;
    auto const& a = std::get<Allocation>(placed);
    for (auto const& share : a.gpus)
      RC_ASSERT(c.find(a.node)->spec.capacity.gpus[share.index].mig_profile == r.mig_profile);
  }));
}

}  // namespace
}  // namespace lepton::deployer
