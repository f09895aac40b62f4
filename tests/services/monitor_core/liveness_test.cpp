// Liveness by a table of days in a node's life, and by properties over any life.

#include "services/monitor/core/liveness.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace lepton::monitor {
namespace {

using enum NodeState;

// A node and its monitor, which looks every 500 ms.
struct Life {
  LivenessRules rules;
  TimeMs now = 1'000'000;
  Liveness node{rules, now};
  std::vector<std::pair<TimeMs, Transition>> story;

  void note(Transition const& t) { story.push_back({now, t}); }
  void report(std::string const& boot = "a", bool draining = false) {
    for (auto const& t : node.heard(boot, draining, now)) note(t);
  }
  void pass(TimeMs ms, bool reports) {
    for (TimeMs end = now + ms; now < end;) {
      now += 500;
      if (reports && now % 1'000 == 0) report();
      if (auto t = node.look(now)) note(*t);
    }
  }
  std::vector<NodeState> states() const {
    std::vector<NodeState> all;
    for (auto const& [at, t] : story) all.push_back(t.state);
    return all;
  }
  TimeMs at(NodeState state) const {
    for (auto const& [at, t] : story)
      if (t.state == state) return at;
    return -1;
  }
};

TEST(Liveness, APunctualNodeIsReadyAndStaysSo) {
  Life l;
  l.pass(3'600'000, true);
  EXPECT_EQ(l.states(), (std::vector{ready}));
  EXPECT_EQ(l.story[0].second, (Transition{unknown, ready, "heard"}));
}

TEST(Liveness, SuspicionComesBeforeDeath) {
  Life l;
  l.pass(60'000, true);
  auto const silent = l.now;
  l.pass(60'000, false);
  ASSERT_EQ(l.states(), (std::vector{ready, suspect, unreachable}));
  EXPECT_EQ(l.at(suspect) - silent, 4'000);  // the first look with phi of 8 and more
  EXPECT_EQ(l.at(unreachable) - silent, 15'000);
  EXPECT_EQ(l.story[1].second.reason, "silent for 4.0 s, phi 9.0");
  l.pass(1'000, true);
  EXPECT_EQ(l.node.state(), ready);
}

TEST(Liveness, OneLateReportIsNoReason) {
  Life l;
  for (int i = 0; i < 50; ++i) {
    l.pass(10'000, true);
    l.pass(2'500, false);
  }
  EXPECT_EQ(l.states(), (std::vector{ready}));
}

TEST(Liveness, HoweverIrregularSuspicionHasALimit) {
  Life l;
  for (int i = 0; i < 100; ++i) {
    l.report();
    l.pass(i % 2 == 0 ? 500 : 9'000, false);
  }
  ASSERT_NE(l.node.state(), unreachable);
  auto const silent = l.now;
  l.report();
  l.pass(20'000, false);
  EXPECT_LE(l.at(unreachable) - silent, 15'000);
  EXPECT_GT(l.at(unreachable), silent);
}

TEST(Liveness, AFlappingNodeMustProveItself) {
  Life l;
  l.pass(60'000, true);
  for (int i = 0; i < 3; ++i) {
    l.pass(6'000, false);
    l.pass(6'000, true);
    EXPECT_EQ(l.node.state(), ready) << i;  // three relapses are harmless
  }
  l.pass(6'000, false);
  l.pass(14'000, true);
  EXPECT_EQ(l.node.state(), suspect);
  EXPECT_TRUE(l.node.is_flapping(l.now));
  l.pass(3'000, true);
  EXPECT_EQ(l.node.state(), ready);
  l.pass(6'000, false);
  l.pass(29'000, true);
  EXPECT_EQ(l.node.state(), suspect);  // twice as long
  l.pass(3'000, true);
  EXPECT_EQ(l.node.state(), ready);
  l.pass(700'000, true);
  EXPECT_FALSE(l.node.is_flapping(l.now));  // forgiven
  l.pass(6'000, false);
  l.pass(1'000, true);
  EXPECT_EQ(l.node.state(), ready);
}

TEST(Liveness, AFlappingNodeThatDiesIsStillFound) {
  Life l;
  for (int i = 0; i < 8; ++i) {
    l.pass(6'000, true);
    l.pass(6'000, false);
  }
  l.pass(5'000, true);
  ASSERT_EQ(l.node.state(), suspect);
  l.pass(15'500, false);
  EXPECT_EQ(l.node.state(), unreachable);
  l.pass(2'000, true);
  EXPECT_EQ(l.node.state(), suspect);  // heard, not yet trusted
  EXPECT_NE(l.story.back().second.reason.find("trusted after"), std::string::npos);
}

TEST(Liveness, ANewBootEndsWhatRanBefore) {
  Life l;
  l.pass(10'000, true);
  l.report("b");
  EXPECT_EQ(l.states(), (std::vector{ready, down, ready}));
  l.pass(30'000, false);
  l.report("c");
  EXPECT_EQ(l.states(), (std::vector{ready, down, ready, suspect, unreachable, down, ready}));
  l.report("c");
  EXPECT_EQ(l.story.size(), 7u);
}

TEST(Liveness, DrainingIsToldAndSilenceStillCounts) {
  Life l;
  l.report("a", true);
  EXPECT_EQ(l.node.state(), draining);
  l.pass(60'000, false);
  EXPECT_EQ(l.node.state(), unreachable);
  l.report("a", true);
  EXPECT_EQ(l.node.state(), draining);
  l.report("a", false);
  EXPECT_EQ(l.states(), (std::vector{draining, suspect, unreachable, draining, ready}));
}

TEST(Liveness, AStallOfTheMonitorIsNoSilenceOfTheNode) {
  Life l;
  l.pass(60'000, true);
  l.now += 40'000;
  l.node.excuse(40'000);
  EXPECT_EQ(l.node.look(l.now), std::nullopt);
  l.pass(60'000, true);
  EXPECT_EQ(l.states(), (std::vector{ready}));
}

TEST(Liveness, AfterARestartNodesHaveTimeToDialIn) {
  LivenessRules const rules;
  Liveness back(rules, ready, "a", 50'000);
  EXPECT_EQ(back.look(50'000 + rules.restart_grace_ms), std::nullopt);
  EXPECT_EQ(back.heard("a", false, 56'000), std::vector<Transition>{});
  Liveness gone(rules, unreachable, "a", 50'000);
  EXPECT_EQ(gone.look(500'000), std::nullopt);  // known already
  EXPECT_EQ(gone.heard("a", false, 500'500)[0].state, ready);
  Liveness lost(rules, ready, "a", 50'000);
  EXPECT_EQ(lost.look(59'500)->state, suspect);
  EXPECT_EQ(lost.look(80'000)->state, unreachable);
}

// Whatever happens: each step begins where the last one ended, nothing is unreachable without
// having been suspect, and a node that is silent long enough is found.
TEST(Liveness, AnyLifeKeepsTheRules) {
  ASSERT_TRUE(rc::check([] {
    Life l;
    l.report();
    auto const days = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 40), rc::gen::inRange(0, 4)));
    for (auto const& [length, kind] : days) {
      if (kind == 2) l.report("b");
      if (kind == 3) l.report("a", true);
      l.pass(length * 500, kind == 0);
    }
    l.pass(40'000, false);
    RC_ASSERT(l.node.state() == unreachable);
    auto before = unknown;
    for (auto const& [at, t] : l.story) {
      RC_ASSERT(t.before == before);
      RC_ASSERT(t.state != before);
      RC_ASSERT(!t.reason.empty());
      if (t.state == unreachable) RC_ASSERT(before == suspect);
      before = t.state;
    }
  }));
}

}  // namespace
}  // namespace lepton::monitor
