// Bandwidth is counted like disk: given out, held, kept for others and given back.

#include <gtest/gtest.h>

#include "services/deployer/core/backfill.hpp"
#include "services/deployer/core/hold.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

NodeSpec linked(std::string id, std::int64_t mbit) {
  auto n = node(std::move(id), capacity(8000, 8000));
  n.capacity.bandwidth_mbit = mbit;
  return n;
}
ResourceRequest ask_mbit(std::int64_t mbit) {
  auto r = ask_cpu(1000, 1000);
  r.bandwidth_mbit = mbit;
  return r;
}
Allocation holds(std::string node, std::int64_t mbit) {
  return {{std::move(node)}, 1000, 1000, 0, {}, {}, mbit};
}

TEST(Bandwidth, FitsWhileTheNodeHasSoMuchLeft) {
  struct Row {
    std::int64_t has, held, wants;
    bool fits, ever;
  };
  for (auto const& row : {Row{0, 0, 0, true, true},
                          {0, 0, 1, false, false},
                          {10'000, 0, 10'000, true, true},
                          {10'000, 0, 10'001, false, false},
                          {10'000, 4'000, 6'000, true, true},
                          {10'000, 4'000, 6'001, false, true},
                          {10'000, 10'000, 0, true, true}}) {
    auto c = cluster_of({linked("a", row.has)});
    must(c.reserve({"x"}, holds("a", row.held)));
    auto const placed = place(c, ask_mbit(row.wants), default_pool);
    ASSERT_EQ(placed.index() == 0, row.fits) << row.has << " " << row.held << " " << row.wants;
    if (row.fits) {
      EXPECT_EQ(std::get<Allocation>(placed).bandwidth_mbit, row.wants);
      continue;
    }
    auto const& misfit = std::get<Misfit>(placed);
    EXPECT_EQ(misfit.never, !row.ever);
    EXPECT_EQ(misfit.rejected, (std::vector<Rejection>{{"bandwidth", 1}}));
  }
}

TEST(Bandwidth, WhatIsMissingIsSaidInItsUnit) {
  auto c = cluster_of({linked("a", 10'000), linked("b", 1'000)});
  EXPECT_EQ(std::get<Misfit>(place(c, ask_mbit(12'000), default_pool)).what,
            "no node of pool 'default' is large enough: 12000 Mbit/s of network wanted, the "
            "largest (a) has 10000");
  must(c.reserve({"x"}, holds("a", 4'000)));
  EXPECT_EQ(std::get<Misfit>(place(c, ask_mbit(9'000), default_pool)).what,
            "no node fits: bandwidth short on 2 nodes; nearest: node a lacks 3000 Mbit/s of "
            "network");
  EXPECT_FALSE(check_request(ask_mbit(-1)));
}

TEST(Bandwidth, AGangTakesItMemberByMember) {
  auto const c = cluster_of({linked("a", 10'000), linked("b", 5'000)});
  EXPECT_EQ(members_in(now(*c.find({"a"})), Ask(c, ask_mbit(3'000), default_pool)), 3u);
  EXPECT_EQ(place_gang(c, ask_mbit(3'000), default_pool, 4).index(), 0u);
  auto const misfit = std::get<Misfit>(place_gang(c, ask_mbit(3'000), default_pool, 5));
  EXPECT_TRUE(misfit.never);
}

TEST(Bandwidth, NeverBelowWhatIsHeld) {
  auto c = cluster_of({linked("a", 10'000)});
  must(c.reserve({"x"}, holds("a", 4'000)));
  EXPECT_FALSE(c.reserve({"y"}, holds("a", 6'001)));
  EXPECT_FALSE(c.reserve({"y"}, holds("a", -1)));
  EXPECT_EQ(c.upsert_node(linked("b", -1)).error().code, Code::invalid);
  must(c.upsert_node(linked("a", 5'000)));
  EXPECT_EQ(c.find({"a"})->free.bandwidth_mbit(), 1'000);
  c.check_invariants();
}

TEST(Bandwidth, ALinkThatComesBackSlowerTakesNothingFromWhatRuns) {
  auto c = cluster_of({linked("a", 10'000)});
  must(c.reserve({"x"}, holds("a", 6'000)));
  must(c.upsert_node(linked("a", 1'000)));
  EXPECT_EQ(c.find({"a"})->free.bandwidth_mbit(), 0);
  c.check_invariants();
  EXPECT_TRUE(c.release({"x"}));
  must(c.upsert_node(linked("a", 1'000)));
  EXPECT_EQ(c.find({"a"})->free.bandwidth_mbit(), 1'000);
}

TEST(Bandwidth, IsHeldPieceByPiece) {
  auto c = cluster_of({linked("a", 10'000)});
  must(c.reserve({"x"}, holds("a", 7'000)));
  Hold h({{"new-0-1"}}, {holds("a", 5'000)});
  EXPECT_FALSE(h.top_up(c));
  EXPECT_EQ(c.held({"new-0-1"})->bandwidth_mbit, 3'000);
  EXPECT_TRUE(h.wants_of(c, holds("a", 7'000)));
  EXPECT_FALSE(h.wants_of(c, holds("a", 0)));
  c.release({"x"});
  EXPECT_TRUE(h.top_up(c));
  c.check_invariants();
}

TEST(Bandwidth, WhatIsReservedForTheFirstInLineIsLeftAlone) {
  auto c = cluster_of({linked("a", 10'000)});
  auto const running = holds("a", 8'000);
  must(c.reserve({"run-0"}, running));
  auto const plan = reserve(c, {"head"}, ask_mbit(9'000), default_pool, 1,
                            {{{"run"}, 60'000, {running}}}, 0, best_fit());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->starts_by_ms, 60'000);
  EndsBy const ends = [](AttemptId const&) { return std::optional<WallMs>(60'000); };
  EXPECT_TRUE(leaves_whole(c, *plan, ends, {holds("a", 1'000)}, std::nullopt));
  EXPECT_FALSE(leaves_whole(c, *plan, ends, {holds("a", 1'001)}, std::nullopt));
  EXPECT_TRUE(leaves_whole(c, *plan, ends, {holds("a", 1'001)}, 60'000)) << "it ends in time";
  EXPECT_FALSE(
      place_beside(c, ask_mbit(1'001), default_pool, 1, best_fit(), *plan, ends).has_value());
}

}  // namespace
}  // namespace lepton::deployer
