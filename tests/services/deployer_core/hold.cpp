// Places that are held piece by piece while other work ends.

#include "services/deployer/core/hold.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

Allocation all_of_a() {
  return {{"a"}, 4000, 4000, 0, {{0, 1000}, {1, 1000}}, {20'000, 20'001}};
}

TEST(Hold, ItsPlacesAreLostWhereTheyCanNeverBeWhole) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 2))});
  Hold const h({{"new-0-1"}}, {all_of_a()});
  EXPECT_FALSE(h.is_lost(c, default_pool));
  EXPECT_TRUE(h.is_lost(c, PoolId{"other"}));
  must(c.set_state({"a"}, NodeState::suspect));
  EXPECT_FALSE(h.is_lost(c, default_pool));
  must(c.set_state({"a"}, NodeState::draining));
  EXPECT_TRUE(h.is_lost(c, default_pool));
  for (auto const& smaller :
       {capacity(3999, 8000, 2), capacity(4000, 3999, 2), capacity(4000, 8000, 1)}) {
    auto small = cluster_of({node("a", smaller)});
    EXPECT_TRUE(h.is_lost(small, default_pool));
  }
  auto none = cluster_of({node("b", capacity(4000, 8000, 2))});
  EXPECT_TRUE(h.is_lost(none, default_pool));
}

// Two places on one node count together; what the hold has itself is in nobody's way.
TEST(Hold, CannotBeWholeWhereOthersStay) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 2))});
  must(c.reserve({"job-0-1"}, {{"a"}, 1000, 1000, 0, {}, {}}));
  must(c.reserve({"service-0-1"}, {{"a"}, 500, 1000, 0, {}, {}}));
  auto const can = [&](std::int64_t cpu_milli) {
    Allocation const place{{"a"}, cpu_milli, 1000, 0, {}, {}};
    Hold h({{"new-0-1"}, {"new-1-1"}}, {place, place});
    h.top_up(c);
    EXPECT_TRUE(h.can_be_whole(c, [](AttemptId const&) { return false; }));
    auto const whole =
        h.can_be_whole(c, [](AttemptId const& attempt) { return attempt.value != "job-0-1"; });
    h.release(c);
    return whole;
  };
  EXPECT_TRUE(can(1750));
  EXPECT_FALSE(can(1751));
}

TEST(Hold, TakesWhatIsFreeAndTheRestWhenItIs) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 2))});
  must(c.reserve({"one"}, {{"a"}, 3000, 1000, 0, {{0, 500}}, {20'000}}));
  must(c.reserve({"two"}, {{"a"}, 500, 1000, 0, {{1, 1000}}, {}}));
  Hold h({{"new-0-1"}}, {all_of_a()});
  auto const freed = c.freed(default_pool);
  EXPECT_FALSE(h.top_up(c));
  EXPECT_EQ(c.held({"new-0-1"})->cpu_milli, 500);
  EXPECT_EQ(c.held({"new-0-1"})->gpus, (std::vector<GpuShare>{{0, 500}}));
  EXPECT_EQ(c.held({"new-0-1"})->ports, (std::vector<std::uint32_t>{20'001}));
  EXPECT_TRUE(h.wants_of(c, *c.held({"two"})));
  c.release({"two"});
  EXPECT_FALSE(h.top_up(c));
  EXPECT_EQ(c.find({"a"})->free.gpu_milli(), 0u) << "nobody else gets it in between";
  c.release({"one"});
  EXPECT_TRUE(h.top_up(c));
  EXPECT_EQ(*c.held({"new-0-1"}), all_of_a());
  EXPECT_FALSE(h.wants_of(c, all_of_a())) << "nothing is missing";
  EXPECT_EQ(c.freed(default_pool), freed + 2) << "topping up frees nothing";
  c.check_invariants();
  h.release(c);
  EXPECT_EQ(c.held_count(), 0u);
  c.check_invariants();
}

TEST(Hold, BreaksWhenANodeTakesNoWork) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 2)), node("b", capacity(1000, 1000))});
  Hold h({{"new-0-1"}}, {all_of_a()});
  EXPECT_FALSE(h.is_broken(c));
  must(c.set_state({"b"}, NodeState::down));
  EXPECT_FALSE(h.is_broken(c)) << "another node";
  must(c.set_state({"a"}, NodeState::suspect));
  EXPECT_TRUE(h.is_broken(c));
}

TEST(Hold, GrowingIsRefusedWhereItDoesNotFit) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 2))});
  must(c.reserve({"x"}, {{"a"}, 1000, 1, 0, {}, {}}));
  must(c.reserve({"y"}, {{"a"}, 1000, 1, 0, {}, {}}));
  EXPECT_EQ(c.grow({"x"}, {{"a"}, 3001, 1, 0, {}, {}}).error().code, Code::exhausted);
  EXPECT_EQ(c.grow({"x"}, {{"b"}, 1, 1, 0, {}, {}}).error().code, Code::conflict);
  EXPECT_EQ(c.grow({"z"}, {{"a"}, 1, 1, 0, {}, {}}).error().code, Code::conflict);
  c.check_invariants();
  EXPECT_TRUE(c.grow({"x"}, {{"a"}, 3000, 1, 0, {{1, 1000}}, {}}));
  c.check_invariants();
}

TEST(HoldProperty, TopsUpToTheWholeWhateverEndsFirst) {
  ASSERT_TRUE(rc::check([] {
    auto c = cluster_of({node("a", capacity(8000, 8000, 4))});
    std::vector<AttemptId> others;
    for (int i = 0; i < 8; ++i) {
      auto const p = place(c, any_request(), default_pool);
      auto const* place = std::get_if<Allocation>(&p);
      if (place == nullptr) continue;
      others.push_back({"other-" + std::to_string(i) + "-1"});
      must(c.reserve(others.back(), *place));
    }
    auto const whole =
        part_of(c.find({"a"})->full, {{"a"}, 8000, 6000, 0, {{0, 1000}, {3, 470}}, {20'000}});
    Hold h({{"new-0-1"}}, {whole});
    h.top_up(c);
    while (!others.empty()) {
      auto const at =
          static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(others.size())));
      c.release(others[at]);
      others.erase(others.begin() + static_cast<long>(at));
      auto const done = h.top_up(c);
      c.check_invariants();
      RC_ASSERT(!others.empty() || done);
    }
    RC_ASSERT(h.top_up(c));
  }));
}

}  // namespace
}  // namespace lepton::deployer
