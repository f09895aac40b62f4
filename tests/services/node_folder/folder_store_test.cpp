// Chunks and the folders built of them, on a real disk.

#include "services/node/folder/folder_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::node {
namespace {

namespace fs = std::filesystem;

FolderChunk chunk_of(std::string const& data) {
  return {Bytes{std::string(crypto::view(crypto::sha256(data)))},
          static_cast<std::uint32_t>(data.size())};
}

class FolderStoreTest : public ::testing::Test {
 protected:
  fs::path state = fs::path(::testing::TempDir()) /
                   ("lepton-folders-" + std::to_string(::getpid()) + "-" +
                    ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string const one = "#!/bin/sh\necho", two = " hello\nand more";
  FolderManifest const folder{{{"a/b/run.sh", 20, true, ""},
                               {"a/to", 0, false, "b/run.sh"},
                               {"empty", 0, false, ""},
                               {"z", 9, false, ""}},
                              {chunk_of(one), chunk_of(two)}};

  void SetUp() override { fs::remove_all(state); }
  void TearDown() override { fs::remove_all(state); }

  FolderStore opened(std::int64_t cached_bytes_max = 1 << 20) {
    auto store = FolderStore::open({state.string(), cached_bytes_max});
    EXPECT_TRUE(store) << store.error().what;
    return std::move(*store);
  }
  FolderStore filled() {
    auto store = opened();
    EXPECT_TRUE(store.keep(folder.chunks[0], one));
    EXPECT_TRUE(store.keep(folder.chunks[1], two));
    return store;
  }
  fs::path chunk_file(FolderChunk const& chunk) const {
    return state / "chunks" / text::hex(chunk.hash.data);
  }
  static std::string content(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static unsigned mode(fs::path const& path) {
    struct stat info {};
    ::lstat(path.c_str(), &info);
    return info.st_mode & 0777;
  }
};

TEST_F(FolderStoreTest, BuildsWhatTheManifestSays) {
  auto store = filled();
  EXPECT_TRUE(store.missing(folder).empty());
  auto const place = store.build("job-1-0-1", folder);
  ASSERT_TRUE(place) << place.error().what;
  fs::path const at = *place;
  EXPECT_EQ(content(at / "a/b/run.sh"), (one + two).substr(0, 20));
  EXPECT_EQ(content(at / "z"), (one + two).substr(20));
  EXPECT_EQ(content(at / "empty"), "");
  EXPECT_EQ(fs::read_symlink(at / "a/to"), "b/run.sh");
  EXPECT_EQ(mode(at), 0700u);
  EXPECT_EQ(mode(at / "a/b/run.sh"), 0700u);
  EXPECT_EQ(mode(at / "z"), 0600u);
  EXPECT_EQ(mode(state / "folders"), 0700u) << "nobody else comes near";
}

TEST_F(FolderStoreTest, EachAttemptHasItsOwn) {
  auto store = filled();
  auto const first = *store.build("job-1-0-1", folder), second = *store.build("job-1-1-1", folder);
  std::ofstream(first + "/z") << "changed";
  EXPECT_EQ(content(second + "/z"), (one + two).substr(20));
  EXPECT_EQ(content(*store.build("job-1-2-1", folder) + "/z"), (one + two).substr(20));
}

TEST_F(FolderStoreTest, RefusesAChunkThatIsNotWhatItsNameSays) {
  auto store = opened();
  auto const kept = store.keep(folder.chunks[0], "tampered with..");
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Code::invalid);
  EXPECT_NE(kept.error().what.find("not what its name says"), std::string::npos);
  EXPECT_FALSE(store.keep(folder.chunks[0], one + "x"));
  EXPECT_EQ(store.missing(folder), (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(FolderStoreTest, AChunkThatChangedOnTheDiskIsForgotten) {
  auto store = filled();
  std::ofstream(chunk_file(folder.chunks[1])) << std::string(two.size(), '!');
  auto const built = store.build("job-1-0-1", folder);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Code::not_found);
  EXPECT_EQ(store.missing(folder), std::vector<std::uint32_t>{1}) << "to be fetched again";
  EXPECT_FALSE(fs::exists(state / "folders/job-1-0-1")) << "nothing half built stays";
}

TEST_F(FolderStoreTest, RefusesWhatLeadsOut) {
  auto store = filled();
  auto const size = static_cast<std::int64_t>(one.size() + two.size());
  for (auto const& files : std::vector<std::vector<FolderFile>>{
           {{"../out", size, false, ""}},
           {{"/out", size, false, ""}},
           {{"a", 0, false, "/etc"}, {"a/passwd", size, false, ""}},
           {{"a", 0, false, "b"}, {"a/x", size, false, ""}},
           {{"a", 0, false, "../../x"}, {"b", size, false, ""}}}) {
    auto const built = store.build("job-1-0-1", {files, folder.chunks});
    ASSERT_FALSE(built) << files[0].path;
    EXPECT_EQ(built.error().code, Code::invalid);
  }
  EXPECT_FALSE(store.build("../job", folder));
  EXPECT_FALSE(fs::exists(state / "out"));
  EXPECT_FALSE(fs::exists(state.parent_path() / "out"));
}

TEST_F(FolderStoreTest, AStartFindsNoRemains) {
  ASSERT_TRUE(filled().build("job-1-0-1", folder));
  auto store = opened();
  EXPECT_FALSE(fs::exists(state / "folders/job-1-0-1"));
  EXPECT_TRUE(store.missing(folder).empty()) << "what was fetched stays";
  ASSERT_TRUE(store.build("job-1-0-2", folder));
  EXPECT_TRUE(store.drop("job-1-0-2"));
  EXPECT_FALSE(fs::exists(state / "folders/job-1-0-2"));
}

TEST_F(FolderStoreTest, TheLongestUnusedChunksGo) {
  auto store = opened(static_cast<std::int64_t>(one.size() + two.size() + 5));
  std::string const old(100, 'o');
  ASSERT_TRUE(store.keep(chunk_of(old), old));
  fs::last_write_time(chunk_file(chunk_of(old)),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_TRUE(store.keep(folder.chunks[0], one));
  ASSERT_TRUE(store.keep(folder.chunks[1], two));
  ASSERT_TRUE(store.build("job-1-0-1", folder));
  EXPECT_FALSE(fs::exists(chunk_file(chunk_of(old))));
  EXPECT_TRUE(store.missing(folder).empty());
}

}  // namespace
}  // namespace lepton::node
