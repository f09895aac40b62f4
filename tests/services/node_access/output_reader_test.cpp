// Outputs of ended attempts, whatever a task has left there.

#include "services/node/access/output_reader.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/crypto/hash.hpp"
#include "services/node/runner/attempt_files.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

namespace fs = std::filesystem;

class OutputReaderTest : public ::testing::Test {
 protected:
  fs::path state = fs::path(::testing::TempDir()) /
                   ("lepton-outputs-" + std::to_string(::getpid()) + "-" +
                    ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string const attempt = "job-1-0-1";
  AttemptFiles files{state.string(), attempt};
  OutputReader reader{state.string()};

  void SetUp() override {
    fs::remove_all(state);
    fs::create_directories(files.out);
    RunSpec spec;
    spec.attempt = attempt;
    spec.task = "job-1-0";
    spec.command = {"work"};
    ASSERT_TRUE(replace_file(files.spec, encode(spec)));
    set_state(RunState::exited);
  }
  void TearDown() override { fs::remove_all(state); }

  void set_state(RunState run_state) {
    RunStatus status;
    status.attempt = attempt;
    status.task = "job-1-0";
    status.state = run_state;
    ASSERT_TRUE(replace_file(files.status, encode(status)));
  }
  void write(std::string const& path, std::string const& content) {
    fs::create_directories((fs::path(files.out) / path).parent_path());
    std::ofstream(fs::path(files.out) / path, std::ios::binary) << content;
  }
  std::vector<std::string> listed() {
    auto const page = reader.list(attempt, "");
    EXPECT_TRUE(page) << page.error().what;
    std::vector<std::string> paths;
    if (page)
      for (auto const& file : page->files) paths.push_back(file.path);
    return paths;
  }
};

TEST_F(OutputReaderTest, ListsAndReadsFiles) {
  write("model/weights", "0123456789");
  write("a", "x");
  ::chmod((files.out + "/a").c_str(), 0700);
  auto const page = *reader.list(attempt, "");
  ASSERT_EQ(page.files.size(), 2u);
  EXPECT_EQ(page.files[0].path, "a");
  EXPECT_TRUE(page.files[0].executable);
  EXPECT_EQ(page.files[1].path, "model/weights");
  EXPECT_EQ(page.files[1].size, 10);
  EXPECT_TRUE(page.complete);
  EXPECT_EQ(page.attempt.value, attempt);
  auto const chunk = reader.read(attempt, "model/weights", 3, 4);
  ASSERT_TRUE(chunk) << chunk.error().what;
  EXPECT_EQ(chunk->data.data, "3456");
  EXPECT_EQ(chunk->hash.data, crypto::view(crypto::sha256("3456")));
  EXPECT_EQ(chunk->size, 10);
  EXPECT_EQ(chunk->modified_ns, page.files[1].modified_ns);
  EXPECT_EQ(reader.read(attempt, "a", 5, 4)->data.data, "") << "behind its end";
}

TEST_F(OutputReaderTest, PagesGoOnWhereTheyEnded) {
  for (std::size_t i = 0; i < OutputReader::page_files + 5; ++i)
    write("f" + std::to_string(10'000 + i), "");
  auto const first = *reader.list(attempt, "");
  EXPECT_EQ(first.files.size(), OutputReader::page_files);
  EXPECT_FALSE(first.complete);
  auto const second = *reader.list(attempt, first.files.back().path);
  EXPECT_EQ(second.files.size(), 5u);
  EXPECT_TRUE(second.complete);
}

TEST_F(OutputReaderTest, FollowsNoLinkAndOpensNoPipe) {
  write("real/file", "x");
  fs::create_symlink("/etc/passwd", fs::path(files.out) / "passwd");
  fs::create_symlink("/etc", fs::path(files.out) / "etc");
  fs::create_symlink("real", fs::path(files.out) / "also");
  ASSERT_EQ(::mkfifo((files.out + "/pipe").c_str(), 0600), 0);
  write("bad\nname", "x");
  EXPECT_EQ(listed(), std::vector<std::string>{"real/file"});
  EXPECT_EQ(reader.list(attempt, "")->passed_over, 5u);
  for (auto const* path : {"passwd", "etc/passwd", "also/file", "pipe", "nothing", "real"})
    EXPECT_FALSE(reader.read(attempt, path, 0, 10)) << path;
}

TEST_F(OutputReaderTest, NeverLeavesItsFolder) {
  ASSERT_TRUE(replace_file(files.folder + "/secret", "x"));
  for (auto const* path : {"../secret", "/etc/passwd", "a/../../secret", "", ".", ".."})
    EXPECT_EQ(reader.read(attempt, path, 0, 10).error().code, Code::invalid) << path;
  EXPECT_FALSE(reader.read("../attempts/" + attempt, "a", 0, 10));
  EXPECT_FALSE(reader.list("..", ""));
}

TEST_F(OutputReaderTest, FilesOfOthersAreNotTheTasks) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: only root gives files to others";
  write("own", "x");
  write("other", "x");
  ASSERT_EQ(::chown(files.out.c_str(), 12'345, 12'345), 0);
  ASSERT_EQ(::chown((files.out + "/own").c_str(), 12'345, 12'345), 0);
  EXPECT_EQ(listed(), std::vector<std::string>{"own"}) << "a hard link could lead to anybody's";
  EXPECT_EQ(reader.read(attempt, "other", 0, 10).error().code, Code::denied);
}

TEST_F(OutputReaderTest, OnlyOfEndedAttemptsThatAreHere) {
  write("a", "x");
  set_state(RunState::running);
  EXPECT_EQ(reader.list(attempt, "").error().code, Code::conflict);
  EXPECT_EQ(reader.read(attempt, "a", 0, 10).error().code, Code::conflict);
  EXPECT_EQ(reader.list("job-2-0-1", "").error().code, Code::not_found);
}

}  // namespace
}  // namespace lepton::node
