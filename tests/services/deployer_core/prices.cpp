// Prices and spot nodes: tables of the rules, and in which order they are weighed. That what is
// kept gives the same answers is a property of the placer (placer.cpp), whose requests read prices
// too.

#include "services/deployer/core/prices.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/placer.hpp"
#include "services/deployer/core/shapes.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

constexpr std::int64_t unit = 1'000'000;

NodeSpec priced(std::string id, double price, bool spot = false, std::uint32_t gpus = 2) {
  auto n = node(std::move(id), capacity(8000, 8000, gpus));
  n.capacity.price_per_hour_micro = static_cast<std::int64_t>(price * unit);
  n.capacity.spot = spot;
  return n;
}
std::string where_is(Cluster const& c, ResourceRequest const& r) {
  auto const p = place(c, r, default_pool);
  auto const* a = std::get_if<Allocation>(&p);
  return a ? a->node.value : std::get<Misfit>(p).what;
}

TEST(Prices, ANodeMayCostAsMuchAsIsSaidAndNoMore) {
  struct Row {
    std::int64_t most, price;
    bool within;
  };
  for (auto const& row : {Row{0, 0, true},
                          {0, 9 * unit, true},
                          {unit, unit, true},
                          {unit, unit + 1, false},
                          {unit, 0, true},
                          {1, 2, false}}) {
    Constraints c;
    c.max_price_per_hour_micro = row.most;
    NodeCapacity n;
    n.price_per_hour_micro = row.price;
    EXPECT_EQ(within_price(c, n), row.within) << row.most << " " << row.price;
  }
}

TEST(Prices, SpotNodesAreForWhoAllowsThem) {
  struct Row {
    SpotUse use;
    bool spot, may, misses;
  };
  for (auto const& row : {Row{SpotUse::never, true, false, false},
                          {SpotUse::never, false, true, false},
                          {SpotUse::allowed, true, true, false},
                          {SpotUse::allowed, false, true, false},
                          {SpotUse::preferred, true, true, false},
                          {SpotUse::preferred, false, true, true},
                          {SpotUse::only, true, true, false},
                          {SpotUse::only, false, false, false}}) {
    Constraints c;
    c.spot = row.use;
    NodeCapacity n;
    n.spot = row.spot;
    EXPECT_EQ(may_use(c, n), row.may) << schema::name_of(row.use) << row.spot;
    EXPECT_EQ(misses_spot(c, n), row.misses) << schema::name_of(row.use) << row.spot;
  }
}

TEST(Prices, ABaseKeepsTheNextOneOffSpotNodesUntilItStands) {
  struct Row {
    std::uint32_t base, standing;
    SpotUse says, asks;
  };
  for (auto const& row : {Row{0, 0, SpotUse::allowed, SpotUse::allowed},
                          {2, 0, SpotUse::allowed, SpotUse::never},
                          {2, 1, SpotUse::preferred, SpotUse::never},
                          {2, 2, SpotUse::preferred, SpotUse::preferred},
                          {2, 9, SpotUse::allowed, SpotUse::allowed}}) {
    JobSpec spec;
    spec.on_demand_base = row.base;
    spec.resources = ask_gpus(1);
    spec.resources.where.spot = row.says;
    auto want = spec.resources;
    want.where.spot = row.asks;
    EXPECT_EQ(asked_now(spec, row.standing), want) << row.base << " " << row.standing;
  }
}

TEST(Prices, WhatCannotBeMeantIsRefusedByItsField) {
  auto const why = [](std::int64_t most, SpotUse spot, std::uint32_t base) {
    JobSpec s;
    s.resources.where.max_price_per_hour_micro = most;
    s.resources.where.spot = spot;
    s.on_demand_base = base;
    auto const checked = check_prices(s);
    return checked ? std::string("good") : checked.error().what;
  };
  EXPECT_EQ(why(unit, SpotUse::preferred, 3), "good");
  EXPECT_EQ(why(-1, SpotUse::allowed, 0),
            "price.max_per_hour: must be above 0 and at most a million");
  EXPECT_EQ(why(price_micro_max + 1, SpotUse::allowed, 0),
            "price.max_per_hour: must be above 0 and at most a million");
  EXPECT_EQ(why(0, SpotUse::unknown, 0), "spot: must be never, allowed, preferred or only");
  EXPECT_EQ(why(0, SpotUse::only, 1).find("on_demand_base: "), 0u);
  EXPECT_EQ(why(0, SpotUse::never, 1).find("on_demand_base: "), 0u);
  EXPECT_FALSE(Cluster().upsert_node(priced("a", -1)));
}

TEST(Prices, HardRulesNameWhatKeepsTheWorkAway) {
  auto const c = cluster_of({priced("dear", 4.5), priced("spot", 1.25, true)});
  auto r = ask_gpus(1);
  r.where.max_price_per_hour_micro = 2 * unit;
  EXPECT_EQ(where_is(c, r), "spot");
  r.where.spot = SpotUse::never;
  auto const misfit = std::get<Misfit>(place(c, r, default_pool));
  EXPECT_TRUE(misfit.never);
  EXPECT_EQ(misfit.rejected, (std::vector<Rejection>{{"price", 1}, {"spot", 1}}));
  EXPECT_NE(misfit.what.find(misfit.nearest.value == "dear" ? "node dear costs 4.5 an hour, more "
                                                              "than 2"
                                                            : "node spot is a spot node"),
            std::string::npos)
      << misfit.what;
  r.where.max_price_per_hour_micro = unit;
  EXPECT_EQ(where_is(c, r), "no node of pool 'default' costs at most 1 an hour");
  r.where.max_price_per_hour_micro = 0;
  EXPECT_EQ(where_is(c, r), "dear");
  auto const alone = cluster_of({priced("spot", 1, true)});
  EXPECT_EQ(where_is(alone, r), "no node of pool 'default' is an on-demand node");
  r.where.spot = SpotUse::only;
  EXPECT_EQ(where_is(c, r), "spot");
  EXPECT_EQ(where_is(cluster_of({priced("dear", 4.5)}), r),
            "no node of pool 'default' is a spot node");
}

TEST(Prices, TheCheapestComesAfterModelAndWishesAndBeforeTheScore) {
  auto dear = priced("dear", 3), cheap = priced("cheap", 1, false, 4);
  auto c = cluster_of({dear, cheap});
  auto r = ask_gpus(2);
  EXPECT_EQ(where_is(c, r), "dear") << "the better fit";
  r.where.cheapest = true;
  EXPECT_EQ(where_is(c, r), "cheap");
  r.where.preferences = {{"zone", {"a"}, false}};
  dear.labels["zone"] = "a";
  must(c.upsert_node(dear));
  EXPECT_EQ(where_is(c, r), "dear") << "a wish";
  r.where.preferences.clear();
  for (auto& gpu : dear.capacity.gpus) gpu.model = "H100";
  must(c.upsert_node(dear));
  r.gpu_models = {"H100", "A100"};
  EXPECT_EQ(where_is(c, r), "dear") << "the model named first";
  r.gpu_models = {"A100", "H100"};
  EXPECT_EQ(where_is(c, r), "cheap");
}

TEST(Prices, SpotNodesArePreferredAfterAllOtherWishes) {
  auto mine = priced("mine", 1), spot = priced("spot", 1, true);
  auto c = cluster_of({mine, spot});
  auto r = ask_gpus(1);
  r.where.spot = SpotUse::preferred;
  EXPECT_EQ(where_is(c, r), "spot");
  mine.labels["zone"] = "a";
  must(c.upsert_node(mine));
  r.where.preferences = {{"zone", {"a"}, false}};
  EXPECT_EQ(where_is(c, r), "mine");
  r.where.preferences.clear();
  must(c.reserve({"x"}, {{"spot"}, 1, 1, 0, {{0, 1000}, {1, 1000}}, {}}));
  EXPECT_EQ(where_is(c, r), "mine") << "only preferred";
}

// A price of each node's own costs nothing to requests that read none.
TEST(Prices, NodesAreToldApartByPriceOnlyForWhoReadsIt) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 50; ++i) nodes.push_back(priced("n" + std::to_string(i), 1 + i * 0.01));
  auto const c = cluster_of(nodes);
  Shapes plain, by_labels(Shapes::By{true, false}), by_prices(Shapes::By{false, true});
  for (auto slot : c.pool(default_pool))
    for (auto* shapes : {&plain, &by_labels, &by_prices}) shapes->add(c.at(slot), slot);
  EXPECT_EQ(plain.alive_count(), 1u);
  EXPECT_EQ(by_labels.alive_count(), 1u);
  EXPECT_EQ(by_prices.alive_count(), 50u);
  auto spot = priced("n0", 1, true);
  auto const other = cluster_of({spot});
  by_prices.add(*other.find({"n0"}), 0);
  EXPECT_EQ(by_prices.alive_count(), 51u) << "of the same price, and a spot node";
}

TEST(Prices, AGangFillsTheCheapestFirst) {
  auto c = cluster_of({priced("a", 3), priced("b", 1), priced("c", 2)});
  Placer placer(c);
  auto r = ask_gpus(1);
  r.where.cheapest = true;
  auto const gang = placer.find(r, default_pool, 5);
  ASSERT_TRUE(gang);
  std::string order;
  for (auto const& a : *gang) order += a.node.value;
  EXPECT_EQ(order, "bbcca");
}

}  // namespace
}  // namespace lepton::deployer
