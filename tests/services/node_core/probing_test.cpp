#include "services/node/core/probing.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lepton::node {
namespace {

using Roles = std::vector<ProbeRole>;
constexpr auto startup = ProbeRole::startup, readiness = ProbeRole::readiness,
               liveness = ProbeRole::liveness;

Probe probe(std::uint32_t successes = 1, std::uint32_t failures = 3) {
  Probe p;
  p.period_ms = 1'000;
  p.successes = successes;
  p.failures = failures;
  return p;
}

TEST(Probing, StartupComesFirst) {
  Probing p({probe(), probe(), probe()});
  EXPECT_EQ(p.due(0), Roles{startup});
  EXPECT_EQ(p.due(5'000), Roles{}) << "one question at a time";
  EXPECT_EQ(p.readiness(), Readiness::pending);
  p.take(startup, true, "");
  EXPECT_EQ(p.due(5'000), (Roles{readiness, liveness}));
  p.take(readiness, true, "");
  EXPECT_EQ(p.readiness(), Readiness::yes);
}

TEST(Probing, AsksOncePerPeriod) {
  Probing p({{}, probe(), {}});
  EXPECT_EQ(p.due(100), Roles{readiness});
  p.take(readiness, true, "");
  EXPECT_EQ(p.due(1'099), Roles{});
  EXPECT_EQ(p.due(1'100), Roles{readiness});
  p.put_back(readiness);
  EXPECT_EQ(p.due(1'100), Roles{readiness}) << "it was not asked";
}

TEST(Probing, ReadinessFlipsWithItsThresholds) {
  Probing p({{}, probe(2, 2), {}});
  TimeMs now = 0;
  auto const say = [&](bool good) {
    EXPECT_EQ(p.due(now += 1'000), Roles{readiness});
    p.take(readiness, good, "");
    return p.readiness();
  };
  EXPECT_EQ(say(true), Readiness::pending);
  EXPECT_EQ(say(true), Readiness::yes);
  EXPECT_EQ(say(false), Readiness::yes);
  EXPECT_EQ(say(true), Readiness::yes);
  EXPECT_EQ(say(false), Readiness::yes);
  EXPECT_EQ(say(false), Readiness::no);
  EXPECT_EQ(say(true), Readiness::no);
  EXPECT_EQ(say(true), Readiness::yes);
}

TEST(Probing, LivenessEndsItWithAReason) {
  Probing p({{}, {}, probe(1, 2)});
  EXPECT_EQ(p.readiness(), Readiness::yes) << "nothing says otherwise";
  for (TimeMs now : {1'000, 2'000}) {
    EXPECT_FALSE(p.failed());
    EXPECT_EQ(p.due(now), Roles{liveness});
    p.take(liveness, false, "GET /: HTTP status 500");
  }
  ASSERT_TRUE(p.failed());
  EXPECT_EQ(*p.failed(), "liveness probe failed 2 times: GET /: HTTP status 500");
  EXPECT_EQ(p.readiness(), Readiness::no);
  EXPECT_EQ(p.due(9'000), Roles{});
}

TEST(Probing, AStartupThatNeverComesEndsItToo) {
  Probing p({probe(1, 1), {}, {}});
  EXPECT_EQ(p.due(0), Roles{startup});
  p.take(startup, false, "refused");
  EXPECT_EQ(*p.failed(), "startup probe failed 1 time: refused");
}

TEST(Probing, AnAnswerThatNobodyAskedForCountsNothing) {
  Probing p({{}, probe(1, 1), {}});
  p.take(readiness, true, "");
  p.take(liveness, false, "");
  EXPECT_EQ(p.readiness(), Readiness::pending);
  EXPECT_FALSE(p.failed());
}

// Whatever is answered, the state follows the last answers in a row, and nothing is asked twice.
RC_GTEST_PROP(ProbingProperty, ReadinessIsWhatTheLastRunOfAnswersSays,
              (std::vector<bool> answers)) {
  auto const good = *rc::gen::inRange(1u, 4u), bad = *rc::gen::inRange(1u, 4u);
  Probing p({{}, probe(good, bad), {}});
  auto expected = Readiness::pending;
  std::uint32_t row = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    RC_ASSERT(p.due(TimeMs(i) * 1'000) == Roles{readiness});
    RC_ASSERT(p.due(TimeMs(i) * 1'000 + 999).empty());
    p.take(readiness, answers[i], "");
    row = i > 0 && answers[i] == answers[i - 1] ? row + 1 : 1;
    if (row >= (answers[i] ? good : bad)) expected = answers[i] ? Readiness::yes : Readiness::no;
    RC_ASSERT(p.readiness() == expected);
  }
}

}  // namespace
}  // namespace lepton::node
