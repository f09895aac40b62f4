// What the tasks of a gang are told about each other.

#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class GangTest : public DeployerTest {
 protected:
  static JobSpec gang() {
    auto s = spec("gang", 2);  // a node each
    s.nodes = 2;
    s.resources.ports = 2;
    s.gang_port = true;
    s.retry = {3, true, true, {}, 0};
    return s;
  }
  std::vector<StartOrder> starts() {
    std::vector<StartOrder> all;
    for (auto* node : {&n1, &n2})
      for (auto const& start : orders(*node).starts) all.push_back(start);
    return all;
  }
};

TEST_F(GangTest, EachTaskHearsTheSameOfAll) {
  orders(n1);
  orders(n2);
  ASSERT_TRUE(submit("job-1", gang()));
  auto const both = starts();
  ASSERT_EQ(both.size(), 2u);
  ASSERT_EQ(both[0].gang.size(), 2u);
  EXPECT_EQ(both[0].gang, both[1].gang);
  for (auto const& start : both)
    EXPECT_EQ(start.gang[start.index].port, start.allocation.ports.back());
}

TEST_F(GangTest, ASecondRoundHasItsOwnValuesForAll) {
  orders(n1);
  orders(n2);
  ASSERT_TRUE(submit("job-1", gang()));
  auto const first = starts();
  ASSERT_EQ(first.size(), 2u);
  orders(n1), orders(n2);
  auto& broken = first[0].allocation.node.value == "n1" ? n1 : n2;
  auto& other = &broken == &n1 ? n2 : n1;
  other.says(first[1].attempt, AttemptState::running);
  orders(other);
  broken.says(first[0].attempt, AttemptState::exited, 1);
  orders(broken);
  other.says(first[1].attempt, AttemptState::exited, 1);
  orders(other);
  broken.reports.clear();
  other.reports.clear();
  keep({&n1, &n2}, 3'000);  // until both have taken part in the placing
  auto const second = starts();
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(view("job-1").round, 2u);
  EXPECT_EQ(second[0].gang, second[1].gang);
}

TEST_F(GangTest, SurvivesARestartBetweenTwoStarts) {
  orders(n1);
  orders(n2);
  ASSERT_TRUE(submit("job-1", gang()));
  auto const before = orders(n1).starts.at(0);
  boot();
  auto const after = orders(n2).starts.at(0);
  EXPECT_EQ(before.gang, after.gang);
  EXPECT_NE(before.index, after.index);
}

TEST_F(GangTest, ASingleTaskHearsNothing) {
  orders(n1);
  ASSERT_TRUE(submit("job-1"));
  EXPECT_TRUE(orders(n1).starts.at(0).gang.empty());
}

TEST_F(GangTest, AVariableOfTheGangIsRefused) {
  auto s = gang();
  s.env["RANK"] = "7";
  EXPECT_EQ(outcome(submit("job-1", s)), "invalid");
}

}  // namespace
}  // namespace lepton::deployer::testing
