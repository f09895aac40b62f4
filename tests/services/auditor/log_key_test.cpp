#include "services/auditor/log_key.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/crypto/hash.hpp"
#include "common/crypto/seeded_entropy.hpp"

namespace lepton::auditor {
namespace {
namespace fs = std::filesystem;

struct LogKeyTest : ::testing::Test {
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "lepton-log-key-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    path = folder / "auditor_log.key";
  }
  void TearDown() override { fs::remove_all(folder); }
  Code refused() {
    auto const key = read_or_create_log_key(path, entropy);
    return key ? Code::unknown : key.error().code;
  }
  fs::path folder, path;
  crypto::SeededEntropy entropy{9};
};

TEST_F(LogKeyTest, IsMadeOnceAndKept) {
  auto const made = read_or_create_log_key(path, entropy);
  ASSERT_TRUE(made) << made.error().what;
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "no draft is left";
  auto const again = read_or_create_log_key(path, entropy);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), made->public_key());
  EXPECT_TRUE(crypto::VerifyKey(made->public_key()).verify("m", crypto::view(again->sign("m"))));
}

TEST_F(LogKeyTest, OneThatOthersCanReadIsRefused) {
  ASSERT_TRUE(read_or_create_log_key(path, entropy));
  fs::permissions(path, fs::perms::owner_read | fs::perms::group_read);
  EXPECT_EQ(refused(), Code::denied);
}

TEST_F(LogKeyTest, ADamagedOneIsNeverReplaced) {
  for (std::string const content :
       {"", "lepton-log-key \n", "lepton-log-key AAAA\n", "something else\n"}) {
    std::ofstream(path) << content;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(refused(), Code::invalid) << content;
    EXPECT_EQ(fs::file_size(path), content.size());
  }
}

TEST_F(LogKeyTest, ALinkOrAFolderIsNoKeyFile) {
  auto const real = folder / "real.key";
  ASSERT_TRUE(read_or_create_log_key(real, entropy));
  fs::create_symlink(real, path);
  EXPECT_EQ(refused(), Code::unavailable);
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_NE(refused(), Code::unknown);
}

TEST_F(LogKeyTest, AFolderThatIsNotThereIsSaid) {
  path = folder / "none" / "auditor_log.key";
  EXPECT_EQ(refused(), Code::unavailable);
}

}  // namespace
}  // namespace lepton::auditor
