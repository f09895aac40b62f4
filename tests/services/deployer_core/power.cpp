// Watts worked out by hand from the published model.

#include "services/deployer/core/power.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/place.hpp"
#include "services/deployer/core/placer.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

std::map<std::string, Draw> const draws{{"G2", {30, 150}}, {"T4", {10, 70}}};

TEST(Power, AGpuInUseDrawsAllASocketPerSixteenCores) {
  auto c = cluster_of({node("a", capacity(96'000, 90'000, 8, "G2"))});
  PowerModel const power(draws, {}, c.models());
  auto const& n = *c.find({"a"});
  // 96 virtual CPUs are 48 cores: 3 sockets.
  EXPECT_DOUBLE_EQ(power.watts(n.free, n.full), 3 * 15 + 8 * 30);
  auto r = ask_gpus(1, 500);
  r.cpu_milli = 12'000;
  Ask const ask(c, r, default_pool);
  EXPECT_DOUBLE_EQ(power.added(n, n.free, ask, tightest_gpus(n.free, ask)), 105 + 120);
  must(c.reserve({"x"}, {{"a"}, 12'000, 1, 0, {{0, 500}}, {}}));
  EXPECT_DOUBLE_EQ(power.watts(n.free, n.full), 120 + 2 * 15 + 150 + 7 * 30);
  // The rest of that GPU and of that socket costs nothing.
  EXPECT_DOUBLE_EQ(power.added(n, n.free, ask, tightest_gpus(n.free, ask)), 0);
}

TEST(Power, TheLeastAddedWattsWin) {
  auto const c = cluster_of(
      {node("g", capacity(32'000, 90'000, 2, "G2")), node("t", capacity(32'000, 90'000, 2, "T4"))});
  PowerModel const power(draws, {}, c.models());
  Fgd const fgd({{{1000, 0, 1, 1000, {}}, 1.0}}, c.models());
  PowerAndFragmentation const pwr(power, fgd, 1000);
  auto const p = place(c, ask_gpus(1), default_pool, pwr);
  EXPECT_EQ(std::get<Allocation>(p).node.value, "t");
  Placer sparing(c, {{{1000, 0, 1, 1000, {}}, 1.0}}, true, PlacementPolicy::foresight_power);
  EXPECT_EQ(std::get<Allocation>(sparing.place(ask_gpus(1), default_pool)).node.value, "t");
}

TEST(Power, BothScoresAreWeighed) {
  auto const c = cluster_of(
      {node("g", capacity(32'000, 90'000, 2, "G2")), node("t", capacity(32'000, 90'000, 2, "T4"))});
  PowerModel const power(draws, {}, c.models());
  Fgd const fgd({{{1000, 0, 1, 1000, {}}, 1.0}}, c.models());
  PowerAndFragmentation const both(power, fgd, 200);
  auto const r = ask_gpus(1);
  Ask const ask(c, r, default_pool);
  std::vector<Verdict> v;
  for (auto const* id : {"g", "t"}) v.push_back(both.judge(*c.find({id}), c.find({id})->free, ask));
  ShelfRange range;
  for (auto const& verdict : v) range.include(verdict.shelf);
  auto const score = [&](Verdict const& x) { return x.score - both.price(x.shelf, ask, range); };
  // FGD drops nothing on either: 50. Power: 0 of 100, and 100.
  EXPECT_EQ(score(v[0]), 800 * 50);
  EXPECT_EQ(score(v[1]), 200 * 100 + 800 * 50);
}

}  // namespace
}  // namespace lepton::deployer
