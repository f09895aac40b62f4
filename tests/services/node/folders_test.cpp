// An attempt with a working folder: fetched first, then started; refused, stopped and tried again.

#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"
#include "tests/services/node/rig.hpp"

namespace lepton::node::testing {
namespace {

class FoldersTest : public NodeTest {
 protected:
  std::filesystem::path state =
      std::filesystem::path(::testing::TempDir()) / ("lepton-node-" + std::to_string(::getpid()));
  std::string const content = "print('hello')";
  FolderManifest manifest{{{"main.py", 14, false, ""}}, {chunk_of(content)}};

  static FolderChunk chunk_of(std::string const& data) {
    return {Bytes{std::string(crypto::view(crypto::sha256(data)))},
            static_cast<std::uint32_t>(data.size())};
  }
  void SetUp() override {
    std::filesystem::remove_all(state);
    store_ = std::make_shared<FolderStore>(*FolderStore::open({state.string()}));
    boot_service("node",
                 [this] { return std::make_unique<Node>(node_settings, runner, nullptr, store_); });
    rest();
  }
  void TearDown() override {
    NodeTest::TearDown();
    std::filesystem::remove_all(state);
  }

  NodeOrders with_folder() {
    auto order = start_order();
    order.spec.workdir = text::hex(crypto::view(crypto::sha256(codec::encode(manifest))));
    return start(order);
  }
  // Of the oldest question for a part.
  std::uint32_t asked() {
    auto const open = open_requests<WorkdirFetch>();
    EXPECT_FALSE(open.empty());
    return open.empty() ? 99 : codec::decode<WorkdirFetch>(open.front().body)->part;
  }
  void give(Result<WorkdirData> const& data) {
    auto const open = open_requests<WorkdirFetch>();
    ASSERT_FALSE(open.empty());
    reply_to<WorkdirFetch>(open.front(), data);
    rest();
  }
  void give_manifest() { give(WorkdirData{{codec::encode(manifest)}}); }

  std::shared_ptr<FolderStore> store_;
};

TEST_F(FoldersTest, TheFolderComesFirst) {
  answer(with_folder());
  EXPECT_TRUE(runner->starts.empty());
  EXPECT_EQ(reported_state("job-1-0-1"), "starting");
  EXPECT_EQ(asked(), 0u);
  give_manifest();
  EXPECT_EQ(asked(), 1u);
  EXPECT_TRUE(runner->starts.empty());
  give(WorkdirData{{content}});
  ASSERT_EQ(runner->starts.size(), 1u);
  EXPECT_EQ(runner->starts[0].folder, (state / "folders/job-1-0-1").string());
  EXPECT_TRUE(std::filesystem::exists(state / "folders/job-1-0-1/main.py"));
}

TEST_F(FoldersTest, WhatIsHereIsNotFetchedAgain) {
  answer(with_folder());
  give_manifest();
  give(WorkdirData{{content}});
  auto again = with_folder();
  again.starts[0].attempt = AttemptId{"job-2-0-1"};
  again.starts[0].task = TaskId{"job-2-0"};
  answer(again);
  give_manifest();
  EXPECT_EQ(runner->starts.size(), 2u);
  EXPECT_TRUE(open_requests<WorkdirFetch>().empty());
}

TEST_F(FoldersTest, AnEmptyFolderIsOneToo) {
  manifest = {};
  answer(with_folder());
  give_manifest();
  EXPECT_EQ(runner->starts.size(), 1u);
}

TEST_F(FoldersTest, ChangedPartsRefuseTheStart) {
  answer(with_folder());
  give(WorkdirData{{"another manifest"}});
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  EXPECT_NE(reported("job-1-0-1")->reason.find("was changed where it is kept"), std::string::npos);
  EXPECT_TRUE(runner->starts.empty());
}

TEST_F(FoldersTest, AChangedChunkRefusesTheStart) {
  answer(with_folder());
  give_manifest();
  give(WorkdirData{{"print('HELLO')"}});
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  EXPECT_NE(reported("job-1-0-1")->reason.find("not what its name says"), std::string::npos);
}

TEST_F(FoldersTest, AMissingChunkRefusesTheStart) {
  answer(with_folder());
  give_manifest();
  give(Error{Code::not_found, "the chunk abc is missing here"});
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  EXPECT_EQ(reported("job-1-0-1")->reason, "the chunk abc is missing here");
}

// Seed 114 of the simulation: a disk that loses chunks faster than they are fetched.
TEST_F(FoldersTest, AMachineThatCannotKeepItIsNoFaultOfTheTask) {
  std::filesystem::remove_all(state / "folders");
  std::ofstream(state / "folders") << "no folder";
  answer(with_folder());
  give_manifest();
  give(WorkdirData{{content}});
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
  EXPECT_TRUE(runner->starts.empty());
}

TEST_F(FoldersTest, AMachineThatIsDeniedItIsNoFaultOfTheTask) {
  answer(with_folder());
  give(Error{Code::denied, "the token of this node has expired"});
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
}

TEST_F(FoldersTest, AHostileManifestRefusesTheStart) {
  manifest.files[0].path = "../../main.py";
  answer(with_folder());
  give_manifest();
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  EXPECT_FALSE(std::filesystem::exists(state / "main.py"));
}

TEST_F(FoldersTest, ABusyDeployerIsAskedAgain) {
  answer(with_folder());
  give(Error{Code::exhausted, "busy"});
  EXPECT_TRUE(open_requests<WorkdirFetch>().empty());
  pass(500);
  give_manifest();
  give(Error{Code::unavailable, "away"});
  pass(500);
  give(WorkdirData{{content}});
  EXPECT_EQ(runner->starts.size(), 1u);
}

TEST_F(FoldersTest, AStopOnTheWayEndsItWithoutAStart) {
  answer(with_folder());
  give_manifest();
  answer(stop("job-1-0-1"));
  give(WorkdirData{{content}});
  EXPECT_TRUE(runner->starts.empty());
  EXPECT_EQ(reported_state("job-1-0-1"), "lost final");
  EXPECT_FALSE(std::filesystem::exists(state / "folders/job-1-0-1"));
}

TEST_F(FoldersTest, AFailedStartLeavesNoFolder) {
  script("job-1-0", {.start_error = Error{Code::denied, "no such user"}});
  answer(with_folder());
  give_manifest();
  give(WorkdirData{{content}});
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  rest();
  EXPECT_FALSE(std::filesystem::exists(state / "folders/job-1-0-1"));
}

class NoFoldersTest : public NodeTest {};

TEST_F(NoFoldersTest, WithoutAStoreSuchAStartIsRefused) {
  auto order = start_order();
  order.spec.workdir = std::string(64, 'a');
  answer(start(order));
  EXPECT_EQ(reported_state("job-1-0-1"), "failed final");
  EXPECT_EQ(reported("job-1-0-1")->reason, "this node keeps no working folders");
}

}  // namespace
}  // namespace lepton::node::testing
