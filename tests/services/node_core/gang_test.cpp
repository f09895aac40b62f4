// The variables of a gang's tasks.

#include "services/node/core/gang.hpp"

#include <gtest/gtest.h>

#include <set>

namespace lepton::node {
namespace {

std::vector<GangMember> const pair{{"10.0.0.1", 20'001}, {"host-b", 20'002}};

TEST(GangEnvironment, NamesWhatFrameworksRead) {
  auto const second = gang_environment(1, pair);
  EXPECT_EQ(second.at("RANK"), "1");
  EXPECT_EQ(second.at("WORLD_SIZE"), "2");
  EXPECT_EQ(second.at("MASTER_ADDR"), "10.0.0.1");
  EXPECT_EQ(second.at("MASTER_PORT"), "20001");
  EXPECT_EQ(second.at("LOCAL_RANK"), "0") << "its GPUs are numbered from 0";
  EXPECT_EQ(second.at("LOCAL_WORLD_SIZE"), "1");
  EXPECT_EQ(second.at("NODE_RANK"), "1");
  EXPECT_EQ(second.at("TF_CONFIG"),
            R"({"cluster": {"worker": ["10.0.0.1:20001", "host-b:20002"]}, )"
            R"("task": {"type": "worker", "index": 1}})");
  std::set<std::string> names, known(gang_variables.begin(), gang_variables.end());
  for (auto const& [name, value] : second) names.insert(name);
  EXPECT_EQ(names, known) << "a spec may set none of them";
}

TEST(GangEnvironment, DiffersBetweenTasksOnlyByTheirPlace) {
  auto first = gang_environment(0, pair), second = gang_environment(1, pair);
  for (auto const* name : {"RANK", "NODE_RANK", "TF_CONFIG"}) {
    EXPECT_NE(first.at(name), second.at(name));
    first.erase(name);
    second.erase(name);
  }
  EXPECT_EQ(first, second);
}

TEST(GangEnvironment, OfASingleTaskIsEmpty) {
  EXPECT_TRUE(gang_environment(0, {}).empty());
  EXPECT_TRUE(gang_environment(0, {{"10.0.0.1", 20'001}}).empty());
  EXPECT_TRUE(gang_environment(2, pair).empty());
}

TEST(GangEnvironment, WithoutPortsNamesNoPlaceToMeet) {
  auto const all = gang_environment(0, {{"a", 0}, {"b", 20'002}});
  EXPECT_EQ(all.at("RANK"), "0");
  EXPECT_FALSE(all.contains("MASTER_PORT"));
  EXPECT_FALSE(all.contains("TF_CONFIG"));
  EXPECT_FALSE(gang_environment(0, {{"a\"", 1}, {"b", 2}}).contains("TF_CONFIG"));
}

TEST(GangEnvironment, PutsAddressesOfVersionSixInBrackets) {
  auto const all = gang_environment(0, {{"fe80::1", 1}, {"b", 2}});
  EXPECT_NE(all.at("TF_CONFIG").find("\"[fe80::1]:1\""), std::string::npos);
  EXPECT_EQ(all.at("MASTER_ADDR"), "fe80::1");
}

TEST(GangEnvironment, AnElasticJobIsFoundByItsFirstTask) {
  auto const alone = elastic_environment(0, 1, 4, {{"10.0.0.1", 20'001}});
  EXPECT_EQ(alone.at("MASTER_ADDR"), "10.0.0.1");
  EXPECT_EQ(alone.at("MASTER_PORT"), "20001");
  EXPECT_EQ(alone.at("LEPTON_NODES_MIN"), "1");
  EXPECT_EQ(alone.at("LEPTON_NODES_MAX"), "4");
  auto const worker = elastic_environment(3, 1, 4, {{"10.0.0.1", 20'001}});
  EXPECT_EQ(worker.at("NODE_RANK"), "3");
  EXPECT_EQ(worker.at("MASTER_ADDR"), "10.0.0.1");
  EXPECT_FALSE(worker.contains("RANK") || worker.contains("WORLD_SIZE")) << "they change";
  EXPECT_FALSE(elastic_environment(0, 1, 4, {{"no host", 1}}).contains("MASTER_ADDR"));
  EXPECT_FALSE(elastic_environment(0, 1, 4, {{"a", 0}}).contains("MASTER_PORT"));
}

}  // namespace
}  // namespace lepton::node
