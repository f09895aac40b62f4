// The monitor's word on a node: when it withholds new work, and when it does not.

#include "services/deployer/core/doubts.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

NodeId const n1{"n1"}, n2{"n2"};

struct DoubtsTest : testing::Test {
  Doubts doubts{{.word_valid_ms = 5'000, .overruled_after_ms = 60'000}};
  bool doubted(TimeMs now, TimeMs heard_since = 0) {
    return doubts.doubt(n1, heard_since, now) != nullptr;
  }
};

TEST_F(DoubtsTest, TheStatesThatWithholdWork) {
  struct {
    NodeState state;
    bool doubted;
  } const table[] = {{NodeState::ready, false},      {NodeState::suspect, true},
                     {NodeState::unreachable, true}, {NodeState::down, true},
                     {NodeState::draining, false},   {NodeState::unknown, false}};
  doubts.monitor_heard(1'000);
  for (auto const& row : table) {
    doubts.told(n1, row.state, "why", 1'000);
    EXPECT_EQ(doubted(1'000), row.doubted) << schema::name_of(row.state);
  }
  EXPECT_EQ(doubts.doubt(n2, 0, 1'000), nullptr) << "never spoken of";
}

TEST_F(DoubtsTest, SaysWhy) {
  doubts.monitor_heard(0);
  doubts.told(n1, NodeState::suspect, "silent for 4 s", 0);
  ASSERT_TRUE(doubted(0));
  EXPECT_EQ(*doubts.doubt(n1, 0, 0), "suspect: silent for 4 s");
}

TEST_F(DoubtsTest, NothingHoldsWhileTheMonitorItselfIsNotHeard) {
  doubts.told(n1, NodeState::suspect, "", 0);
  EXPECT_FALSE(doubted(0)) << "a word without a hint is old";
  doubts.monitor_heard(0);
  EXPECT_TRUE(doubted(5'000));
  EXPECT_FALSE(doubted(5'001));
  doubts.monitor_heard(8'000);
  EXPECT_TRUE(doubted(8'000)) << "it is back and has not taken it back";
}

TEST_F(DoubtsTest, AMinuteOfSteadySyncsOverrulesIt) {
  auto const at = [this](TimeMs now, TimeMs heard_since) {
    doubts.monitor_heard(now);
    return doubted(now, heard_since);
  };
  doubts.told(n1, NodeState::suspect, "", 100'000);
  EXPECT_TRUE(at(159'999, 0)) << "steady before the doubt says nothing";
  EXPECT_FALSE(at(160'000, 0));
  EXPECT_TRUE(at(160'000, 130'000)) << "its syncs had a gap since";
  EXPECT_FALSE(at(190'000, 130'000));
  doubts.told(n1, NodeState::unreachable, "", 180'000);
  EXPECT_FALSE(at(190'000, 130'000)) << "one doubt, since its beginning";
  doubts.told(n1, NodeState::ready, "", 191'000);
  doubts.told(n1, NodeState::suspect, "", 192'000);
  EXPECT_TRUE(at(192'000, 130'000)) << "another one";
}

TEST_F(DoubtsTest, AllStatesAnewForgetWhatIsNotNamed) {
  doubts.monitor_heard(0);
  doubts.told(n1, NodeState::suspect, "", 0);
  doubts.clear();
  EXPECT_FALSE(doubted(0));
}

}  // namespace
}  // namespace lepton::deployer
