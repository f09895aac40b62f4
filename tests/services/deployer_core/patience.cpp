// Patience: who is looked at, and the bound: from the instant at which its places are kept, a job
// starts at the latest when all has ended that held room then, whatever else comes, borrows or
// asks.

#include "services/deployer/core/patience.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/hold.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

using Names = std::vector<std::string>;

Names looked_at(Patience& patience, Queue const& q, WallMs now) {
  Names names;
  for (auto const& j : patience.candidates(q, default_pool, now)) names.push_back(j.job.value);
  return names;
}

Queue queue_of(int jobs) {
  Queue q;
  for (int i = 0; i < jobs; ++i) {
    QueuedJob j{{"j" + std::to_string(i)}, default_pool, ask_cpu(1000, 1), 1, 50,
                std::uint64_t(i) + 1};
    j.waits_since_ms = i;
    must(q.push(j));
  }
  return q;
}

TEST(Patience, OnlyWhoHasWaitedForLongIsLookedAtTheOldestFirst) {
  auto const q = queue_of(3);
  Patience patience(100);
  EXPECT_EQ(looked_at(patience, q, 99), Names{});
  EXPECT_EQ(looked_at(patience, q, 101), (Names{"j0", "j1"}));
}

TEST(Patience, WhomNothingCanStartKeepsNobodyElseFromBeingLookedAt) {
  auto const q = queue_of(10);
  Patience patience(100);
  EXPECT_EQ(looked_at(patience, q, 200).size(), Patience::looks_per_check);
  EXPECT_EQ(looked_at(patience, q, 200), (Names{"j8", "j9"}));
  EXPECT_EQ(looked_at(patience, q, 200).front(), "j0") << "then from the beginning";
  patience.found(default_pool);
  EXPECT_EQ(looked_at(patience, q, 200).front(), "j0");
}

struct Work {
  std::vector<AttemptId> attempts;
  bool old = false;  // it held room when the places were chosen
};

// Others take all they can get, at any moment; also what is lent, which they give back before the
// last of the old work ends.
TEST(PatienceProperty, ItStartsAtTheLatestWhenAllHasEndedThatHeldRoomThen) {
  int waited = 0;
  ASSERT_TRUE(rc::check([&] {
    auto cluster = cluster_of(any_nodes(5));
    std::vector<Work> running;
    std::vector<Limited> ends;
    int next = 0;
    auto const start = [&](bool old) {
      auto gang = place_gang(cluster, any_request(), default_pool, 1);
      auto* places = std::get_if<std::vector<Allocation>>(&gang);
      if (places == nullptr) return;
      AttemptId const id{"w" + std::to_string(next++)};
      must(cluster.reserve(id, places->front()));
      running.push_back({{id}, old});
      if (old) ends.push_back({{id.value}, *rc::gen::inRange<WallMs>(1, 100), {places->front()}});
    };
    auto const end = [&](std::size_t i) {
      for (auto const& id : running[i].attempts) RC_ASSERT(cluster.release(id));
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    };
    for (int i = *rc::gen::inRange(0, 30); i > 0; --i) start(true);
    auto const tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
    auto const plan =
        reserve(cluster, {"elder"}, any_request(), default_pool, tasks, ends, 0, best_fit());
    if (!plan) return;
    std::vector<AttemptId> mine;
    for (std::uint32_t i = 0; i < tasks; ++i) mine.push_back({"elder-" + std::to_string(i)});
    Hold hold(mine, plan->places);
    auto whole = hold.top_up(cluster);
    waited += whole ? 0 : 1;
    while (!whole) {
      auto const old = std::find_if(running.begin(), running.end(), [](auto& w) { return w.old; });
      RC_ASSERT(old != running.end());
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) start(false);
      if (*rc::gen::inRange(0, 2) == 0) {  // lent, and given back
        auto const before = running.size();
        hold.step_aside(cluster);
        start(false);
        hold.top_up(cluster);
        while (running.size() > before) end(before);
        hold.top_up(cluster);
      }
      end(static_cast<std::size_t>(*rc::gen::inRange<std::size_t>(0, running.size())));
      whole = hold.top_up(cluster);
      cluster.check_invariants();
    }
    for (std::uint32_t i = 0; i < tasks; ++i) RC_ASSERT(*cluster.held(mine[i]) == plan->places[i]);
  }));
  EXPECT_GE(waited, 5) << "places that were not free at once";
}

// Nobody else counts on room that the hold misses; all else is free for them.
TEST(Patience, WhatIsMissingIsWanted) {
  auto c = cluster_of({node("a", capacity(4000, 8000, 3)), node("b", capacity(1000, 1000))});
  Allocation const cpu{{"a"}, 2500, 0, 0, {}, {}}, gpu0{{"a"}, 0, 0, 0, {{0, 1000}}, {}},
      gpu1{{"a"}, 0, 0, 0, {{1, 500}}, {}}, memory{{"a"}, 0, 500, 0, {}, {}};
  must(c.reserve({"cpu"}, cpu));
  must(c.reserve({"gpu1"}, gpu1));
  must(c.reserve({"gpu0"}, gpu0));
  must(c.reserve({"memory"}, memory));
  Hold h({{"new-0-1"}}, {{{"a"}, 2000, 4000, 0, {{1, 1000}, {2, 1000}}, {}}});
  EXPECT_FALSE(h.top_up(c));
  EXPECT_TRUE(h.wants_of(c, cpu));
  EXPECT_TRUE(h.wants_of(c, gpu1));
  EXPECT_FALSE(h.wants_of(c, gpu0));
  EXPECT_FALSE(h.wants_of(c, memory)) << "it has enough";
  auto elsewhere = cpu;
  elsewhere.node = {"b"};
  EXPECT_FALSE(h.wants_of(c, elsewhere));
  auto const freed = c.freed(default_pool);
  h.step_aside(c);
  EXPECT_EQ(c.find({"a"})->free.gpu_milli(), 1500u);
  EXPECT_EQ(c.freed(default_pool), freed) << "nobody is told";
  c.release({"cpu"});
  h.move(c, {{{"a"}, 100, 100, 0, {{2, 1000}}, {}}});
  EXPECT_TRUE(h.top_up(c));
  c.check_invariants();
}

}  // namespace
}  // namespace lepton::deployer
