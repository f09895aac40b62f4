// The folder of a stack: what is in it, who may read it, and what it is not mixed with. No
// container runs here; scripts/compose-test has them.

#include "cli/stack/stack_folder.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/stack/environment.hpp"
#include "cli/stack/stack_commands.hpp"
#include "cli/up/settings.hpp"
#include "common/bus/keys.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

std::string text_of(fs::path const& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class StackFolder : public ::testing::Test {
 protected:
  StackFolder() {
    char name[] = "/tmp/lepton_stack.XXXXXX";
    scratch_ = ::mkdtemp(name);
    folder_ = scratch_ / "stack";
    shell_.err = std::tmpfile();
    options_.state = folder_;
    options_.node_name = "box";
  }
  ~StackFolder() override {
    std::fclose(shell_.err);
    fs::remove_all(scratch_);
  }
  Layout layout() const { return find_stack(folder_).value(); }

  fs::path scratch_, folder_;
  Shell shell_;
  UpOptions options_;
};

TEST_F(StackFolder, IsMadeAndMadeAgainWithTheSameKeys) {
  auto const made = prepare_stack(shell_, options_);
  ASSERT_TRUE(made) << made.error().what;
  auto const first = plan_inside(layout());
  ASSERT_TRUE(first) << first.error().what;
  auto const log_key = text_of(layout().part("auditor") / "auditor_log.key");
  EXPECT_FALSE(log_key.empty());
  // Without options everything stays as it was.
  UpOptions again;
  again.state = folder_;
  ASSERT_TRUE(prepare_stack(shell_, again));
  auto const second = plan_inside(layout());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->public_keys, first->public_keys);
  EXPECT_EQ(second->settings, first->settings);
  EXPECT_EQ(text_of(layout().part("auditor") / "auditor_log.key"), log_key);
}

TEST_F(StackFolder, NobodyElseMayReadAnything) {
  ASSERT_TRUE(prepare_stack(shell_, options_));
  struct stat info {};
  ASSERT_EQ(::stat(folder_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  auto const owner = ::geteuid() == 0 ? stack_uid : ::geteuid();
  std::size_t files = 0;
  for (auto const& entry : fs::recursive_directory_iterator(folder_)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    // The node, root in its container, fills its own.
    auto const wanted = entry.path() == layout().node() ? ::geteuid() : owner;
    EXPECT_EQ(info.st_uid, wanted) << entry.path();
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(info.st_mode & 07777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 20u);
}

// Every secret of a container is in a folder that no other one sees.
TEST_F(StackFolder, WhatAllPartsSeeHoldsNoSecret) {
  ASSERT_TRUE(prepare_stack(shell_, options_));
  auto const l = layout();
  std::vector<std::string> secrets;
  for (auto const* name : {"vault", "auditor", "deployer", "scaler", "monitor", "admin", "node"})
    secrets.push_back(bus::read_keys(l.keys(name)).value().secret_key.reveal());
  for (auto const& entry : fs::directory_iterator(folder_)) {
    auto const text = entry.is_regular_file() ? text_of(entry.path()) : "";
    for (auto const& secret : secrets) EXPECT_EQ(text.find(secret), text.npos) << entry.path();
  }
  for (auto const& name : service_names())
    for (auto const& secret : secrets)
      EXPECT_EQ(text_of(l.config(name)).find(secret), std::string::npos) << name;
}

TEST_F(StackFolder, TheVariablesOfComposeNameEveryAddressOnce) {
  ASSERT_TRUE(prepare_stack(shell_, options_));
  auto const variables = text_of(folder_ / "compose.env");
  for (auto const* line :
       {"LEPTON_NODE=box\n", "LEPTON_LISTEN=127.0.0.1\n", "LEPTON_PORT_DEPLOYER=7107\n",
        "LEPTON_INSIDE_VAULT=10.171.1.10\n", "LEPTON_DOOR_NODE=10.171.2.15\n",
        "LEPTON_DOOR=10.171.2.0/24\n", "LEPTON_ENTRANCES=7121-7136\n"})
    EXPECT_NE(variables.find(line), std::string::npos) << line;
  EXPECT_NE(variables.find("LEPTON_STACK=" + layout().state.string() + "\n"), std::string::npos);
  // And compose.yaml asks for no other, but for those that a person may set.
  auto const compose = text_of(COMPOSE_FILE);
  ASSERT_FALSE(compose.empty());
  for (auto at = compose.find("${"); at != compose.npos; at = compose.find("${", at + 1)) {
    auto const name = compose.substr(at + 2, compose.find_first_of(":}", at) - at - 2);
    if (name == "LEPTON_NODE_MEMORY" || name == "LEPTON_PORT_PROMETHEUS") continue;
    EXPECT_NE(variables.find("\n" + name + "="), std::string::npos) << name;
  }
}

TEST_F(StackFolder, AndAOneMachineControlPlaneAreNotMixed) {
  Layout const other{folder_, folder_ / "run", folder_ / "client.yaml"};
  ASSERT_TRUE(make_folders(other));
  ASSERT_TRUE(write_settings(other, wanted_settings(other, UpOptions{}).value()));
  auto const refused = prepare_stack(shell_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_FALSE(fs::exists(folder_ / "parts"));

  options_.state = scratch_ / "other";
  ASSERT_TRUE(prepare_stack(shell_, options_));
  UpOptions up_there;
  up_there.state = options_.state;
  auto const started = up(shell_, up_there);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::conflict);
  EXPECT_NE(started.error().what.find("docs/compose.md"), std::string::npos);
}

TEST_F(StackFolder, BadWishesAreRefusedBeforeAnythingIsMade) {
  auto const refused = [&](auto spoil) {
    auto options = options_;
    spoil(options);
    auto const made = prepare_stack(shell_, options);
    return !made && made.error().code == Code::invalid && !fs::exists(folder_);
  };
  EXPECT_TRUE(refused([](UpOptions& o) { o.entrances = 0; }));
  EXPECT_TRUE(refused([](UpOptions& o) { o.inside = "10.1.1.255"; }));
  EXPECT_TRUE(refused([](UpOptions& o) { o.door = "the door"; }));
  EXPECT_TRUE(refused([](UpOptions& o) { o.listen = "localhost"; }));
  EXPECT_TRUE(refused([](UpOptions& o) { o.state += " with blank"; }));
}

TEST_F(StackFolder, HealthSaysWhyNot) {
  EXPECT_EQ(part_health(shell_, folder_, "steward").error().code, Code::not_found);
  ASSERT_TRUE(prepare_stack(shell_, options_));
  EXPECT_EQ(part_health(shell_, folder_, "database").error().code, Code::unavailable);
  EXPECT_EQ(part_health(shell_, folder_, "nobody").error().code, Code::invalid);
}

TEST(StackEnvironment, NamesTheAccountForPostgresql) {
  EXPECT_NE(passwd_text({1000, 100}).find("lepton:x:1000:100:"), std::string::npos);
  EXPECT_EQ(group_text({1000, 0}), "root:x:0:\n");
  EXPECT_NE(group_text({1000, 100}).find("lepton:x:100:"), std::string::npos);
}

}  // namespace
}  // namespace lepton::cli
