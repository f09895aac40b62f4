// Reading a working folder: what is sent, where it is cut, what is refused.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "cli/workdir/chunker.hpp"
#include "cli/workdir/scan.hpp"
#include "common/base/random.hpp"
#include "common/crypto/hash.hpp"
#include "schemas/folder_check.hpp"

namespace lepton::cli {
namespace {

namespace fs = std::filesystem;

std::string noise(std::size_t size, std::uint64_t seed) {
  Chance chance(seed);
  std::string data(size, '\0');
  for (char& c : data) c = static_cast<char>(chance.next());
  return data;
}

class WorkdirTest : public ::testing::Test {
 protected:
  fs::path root = fs::path(::testing::TempDir()) /
                  ("lepton-workdir-" + std::to_string(::getpid()) + "-" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());

  void SetUp() override {
    fs::remove_all(root);
    fs::create_directories(root);
  }
  void TearDown() override { fs::remove_all(root); }

  void write(std::string const& path, std::string const& content = "x") {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << content;
  }
  std::vector<std::string> listed() {
    auto const folder = list_folder(root.string());
    EXPECT_TRUE(folder) << folder.error().what;
    std::vector<std::string> paths;
    if (folder)
      for (auto const& file : folder->files) paths.push_back(file.path);
    return paths;
  }
  std::string refused() {
    auto const folder = list_folder(root.string());
    return folder ? "taken" : folder.error().what;
  }
  FolderManifest cut() {
    auto folder = *list_folder(root.string());
    auto const done = cut_folder(root.string(), folder);
    EXPECT_TRUE(done) << done.error().what;
    return folder;
  }
};

TEST_F(WorkdirTest, ListsFilesLinksAndTheirRights) {
  write("b/run.sh", "#!/bin/sh");
  ::chmod((root / "b/run.sh").c_str(), 0755);
  write("a", "12345");
  write("b-c");
  fs::create_symlink("run.sh", root / "b/again");
  fs::create_directories(root / "empty");
  auto const folder = *list_folder(root.string());
  EXPECT_EQ(folder.files, (std::vector<FolderFile>{{"a", 5, false, ""},
                                                   {"b-c", 1, false, ""},
                                                   {"b/again", 0, false, "run.sh"},
                                                   {"b/run.sh", 9, true, ""}}));
}

TEST_F(WorkdirTest, LeavesOutWhatTheFilesSay) {
  write(".gitignore", "*.pyc\n/out/\n");
  write("a.py");
  write("a.pyc");
  write("out/big");
  write(".git/config");
  write("lib/.leptonignore", "!*.pyc\nsecret\n");
  write("lib/.gitignore", "*\n");  // the other file is there, so this one says nothing
  write("lib/b.pyc");
  write("lib/secret/key");
  EXPECT_EQ(listed(), (std::vector<std::string>{".gitignore", "a.py", "lib/.gitignore",
                                                "lib/.leptonignore", "lib/b.pyc"}));
  write(".leptonignore", "lib\n");
  EXPECT_EQ(listed(),
            (std::vector<std::string>{".gitignore", ".leptonignore", "a.py", "a.pyc", "out/big"}));
}

TEST_F(WorkdirTest, RefusesWhatCannotTravel) {
  fs::create_symlink("/etc/passwd", root / "link");
  EXPECT_NE(refused().find("may lead out of the folder"), std::string::npos) << refused();
  fs::remove(root / "link");
  fs::create_symlink("../up", root / "link");
  EXPECT_NE(refused().find("may lead out"), std::string::npos);
  write(".leptonignore", "link");
  EXPECT_EQ(refused(), "taken");
  ::mkfifo((root / "pipe").c_str(), 0600);
  EXPECT_NE(refused().find("'pipe' is neither file, folder nor link"), std::string::npos);
  fs::remove(root / "pipe");
  write("a\nb");
  EXPECT_NE(refused().find("control character"), std::string::npos);
  fs::remove(root / "a\nb");
  write(".leptonignore", std::string(70'000, 'x'));
  EXPECT_NE(refused().find(".leptonignore is larger than 64 KiB"), std::string::npos);
  EXPECT_EQ(list_folder((root / "nowhere").string()).error().code, Code::not_found);
}

TEST_F(WorkdirTest, RefusesAFolderThatIsTooLargeBeforeItReadsIt) {
  write("big");
  fs::resize_file(root / "big", std::uintmax_t(folder_bytes_max) + 1);  // a hole
  EXPECT_NE(refused().find("512 MiB"), std::string::npos);
}

TEST_F(WorkdirTest, NeverFollowsALinkToAFolder) {
  write("real/file");
  fs::create_symlink("real", root / "also");
  EXPECT_EQ(listed(), (std::vector<std::string>{"also", "real/file"}));
}

TEST_F(WorkdirTest, ChunksHoldTheContentsEndToEnd) {
  write("a", noise(300'000, 1));
  write("b/c", noise(2'500'000, 2));
  write("b/empty", "");
  write("z", "end");
  auto const folder = cut();
  EXPECT_TRUE(check_folder(folder));
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < folder.chunks.size(); ++i) all.push_back(i);
  std::string together;
  ASSERT_TRUE(read_chunks(root.string(), folder, all, [&](std::size_t, std::string data) {
    together += data;
    return ok();
  }));
  EXPECT_EQ(together, noise(300'000, 1) + noise(2'500'000, 2) + "end");
}

TEST_F(WorkdirTest, OnlyTheWantedChunksAreGiven) {
  write("a", noise(2'000'000, 3));
  auto const folder = cut();
  ASSERT_GT(folder.chunks.size(), 2u);
  std::vector<std::size_t> given;
  ASSERT_TRUE(read_chunks(root.string(), folder, {1}, [&](std::size_t place, std::string data) {
    EXPECT_EQ(crypto::view(crypto::sha256(data)), folder.chunks[1].hash.data);
    given.push_back(place);
    return ok();
  }));
  EXPECT_EQ(given, std::vector<std::size_t>{1});
}

TEST_F(WorkdirTest, AChangeMeanwhileIsFound) {
  write("a", noise(500'000, 4));
  auto const folder = cut();
  write("a", noise(500'000, 5));
  auto const ignore = [](std::size_t, std::string const&) { return ok(); };
  EXPECT_EQ(read_chunks(root.string(), folder, {0}, ignore).error().code, Code::conflict);
  write("a", "short");
  EXPECT_EQ(read_chunks(root.string(), folder, {0}, ignore).error().code, Code::conflict);
}

TEST_F(WorkdirTest, ASmallChangeLeavesMostChunksAsTheyWere) {
  auto data = noise(8'000'000, 6);
  write("a", data);
  std::set<std::string> before;
  for (auto const& chunk : cut().chunks) before.insert(chunk.hash.data);
  write("a", "some words in front" + data);
  std::size_t same = 0;
  auto const after = cut().chunks;
  for (auto const& chunk : after) same += before.count(chunk.hash.data);
  EXPECT_GE(same + 2, after.size());
}

TEST(Chunker, KeepsItsBounds) {
  EXPECT_EQ(first_chunk(""), 0u);
  EXPECT_EQ(first_chunk("abc"), 3u);
  EXPECT_EQ(first_chunk(std::string(chunk_bytes_max + 5, 'x')), chunk_bytes_max)
      << "without variety the largest";
  std::size_t total = 0, chunks = 0;
  auto const data = noise(40'000'000, 7);
  for (std::string_view rest = data; !rest.empty(); ++chunks) {
    auto const size = first_chunk(rest.substr(0, chunk_bytes_max));
    if (size < rest.size()) {
      EXPECT_GE(size, chunk_bytes_min);
    }
    EXPECT_LE(size, chunk_bytes_max);
    rest.remove_prefix(size);
    total += size;
  }
  EXPECT_GT(total / chunks, 200'000u);
  EXPECT_LT(total / chunks, 420'000u);
}

// The cuts are part of what two versions must agree on, or everything is sent again.
TEST(Chunker, CutsWhereItAlwaysHas) {
  auto const data = noise(3'000'000, 8);
  std::vector<std::size_t> sizes;
  for (std::string_view rest = data; !rest.empty();) {
    sizes.push_back(first_chunk(rest.substr(0, chunk_bytes_max)));
    rest.remove_prefix(sizes.back());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{135'969, 470'038, 88'784, 116'204, 87'692, 143'433,
                                             167'487, 175'417, 290'565, 223'260, 343'506, 88'289,
                                             202'659, 466'697}));
}

}  // namespace
}  // namespace lepton::cli
