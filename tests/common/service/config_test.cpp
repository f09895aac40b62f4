// Settings files: complete, or refused with the field named.

#include "common/service/config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/codec/yaml.hpp"

namespace lepton::service::testing {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("lepton-config-" + std::to_string(::getpid()));
  std::string file = folder / "deployer.yaml";

  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void write(std::string const& text) { std::ofstream(file) << text; }
  std::string problem() {
    auto const config = read_config(file);
    return config ? "" : config.error().what;
  }
};

Config full() {
  Config config;
  config.service = "deployer";
  config.keys_file = "/keys";
  config.database_url_file = "/url";
  config.peer_endpoint = "tcp://127.0.0.1:7106";
  config.client_endpoint = "tcp://127.0.0.1:7107";
  config.hint_endpoint = "tcp://127.0.0.1:7108";
  config.peers = {{"vault", "tcp://127.0.0.1:7100", "tcp://127.0.0.1:7102", "key"}};
  return config;
}

TEST_F(ConfigTest, WhatWasWrittenIsReadBack) {
  write(codec::to_yaml(full()));
  auto const config = read_config(file);
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(codec::to_yaml(*config), codec::to_yaml(full()));
  EXPECT_EQ(config->log_level, "info") << "its default";
}

TEST_F(ConfigTest, AWrongFieldIsNamedWithTheNearest) {
  write(codec::to_yaml(full()) + "peer_endpiont: x\n");
  EXPECT_NE(problem().find("peer_endpiont"), std::string::npos) << problem();
  EXPECT_NE(problem().find("peer_endpoint"), std::string::npos) << problem();
  EXPECT_NE(problem().find(file), std::string::npos) << problem();
}

TEST_F(ConfigTest, AWrongPolicyIsRefusedWithThoseThatThereAre) {
  EXPECT_EQ(full().placement_policy, PlacementPolicy::foresight) << "its default";
  auto text = codec::to_yaml(full());
  auto const at = text.find("placement_policy: \"foresight\"");
  ASSERT_NE(at, std::string::npos) << text;
  for (auto const& wrong : {std::string("fgdd"), std::string("unknown")}) {
    write(std::string(text).replace(at, 29, "placement_policy: " + wrong));
    for (auto const& part : {"placement_policy", wrong.c_str(), "foresight", "fgd", "bandit"})
      EXPECT_NE(problem().find(part), std::string::npos) << problem();
  }
  write(text.replace(at, 29, "placement_policy: bandit"));
  EXPECT_EQ(read_config(file)->placement_policy, PlacementPolicy::bandit);
}

TEST_F(ConfigTest, AMissingFieldIsNamed) {
  write("service: deployer\n");
  EXPECT_NE(problem().find("keys_file"), std::string::npos) << problem();
}

TEST_F(ConfigTest, NoFileAndAHugeOneAreRefused) {
  EXPECT_EQ(read_config(file).error().code, Code::not_found);
  write(std::string(70'000, '#'));
  EXPECT_NE(problem().find("64 KiB"), std::string::npos) << problem();
}

}  // namespace
}  // namespace lepton::service::testing
