// Writing what comes from elsewhere: only below the folder, only whole files, on from where it
// stood.

#include "cli/jobs/landing.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lepton::cli {
namespace {

namespace fs = std::filesystem;

class LandingTest : public ::testing::Test {
 protected:
  fs::path top = fs::path(::testing::TempDir()) /
                 ("lepton-landing-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
  fs::path root = top / "in";

  void SetUp() override {
    fs::remove_all(top);
    fs::create_directories(top);
  }
  void TearDown() override { fs::remove_all(top); }

  static Arrival file(std::string path, std::string const& content) {
    return {std::move(path), static_cast<std::int64_t>(content.size()), 1'700'000'000'123'456'789,
            false, "job-1-0-1"};
  }
  Status land(std::string const& path, std::string const& content, bool overwrite = false) {
    auto landing = Landing::open(root.string());
    if (!landing) return landing.error();
    auto const at = landing->begin(file(path, content), overwrite);
    if (!at) return at.error();
    if (!*at) return Error{Code::internal, "it is here already"};
    if (auto put = landing->append(std::string_view(content).substr(std::size_t(**at))); !put)
      return put;
    return landing->finish();
  }
  std::string content(std::string const& path) const {
    std::ifstream in(root / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(LandingTest, AFileAppearsWhole) {
  auto landing = *Landing::open(root.string());
  ASSERT_EQ(*landing.begin(file("a/b/c", "hello"), false), 0);
  ASSERT_TRUE(landing.append("hel"));
  EXPECT_FALSE(fs::exists(root / "a/b/c"));
  ASSERT_TRUE(landing.append("lo"));
  ASSERT_TRUE(landing.finish());
  EXPECT_EQ(content("a/b/c"), "hello");
  EXPECT_EQ(std::distance(fs::directory_iterator(root / "a/b"), fs::directory_iterator()), 1);
  EXPECT_EQ(*landing.begin(file("a/b/c", "hello"), false), std::nullopt) << "it is here";
}

TEST_F(LandingTest, GoesOnWhereItStood) {
  std::string const big(3 << 20, 'x');
  {
    auto landing = *Landing::open(root.string());
    ASSERT_EQ(*landing.begin(file("big", big), false), 0);
    ASSERT_TRUE(landing.append(big.substr(0, 2 << 20)));
  }
  auto landing = *Landing::open(root.string());
  auto other = file("big", big);
  other.origin = "job-1-0-2";
  EXPECT_EQ(*landing.begin(other, false), 0) << "another attempt's is another file";
  EXPECT_EQ(*landing.begin(file("big", big), false), 1 << 20) << "less what a crash may spoil";
  ASSERT_TRUE(landing.append(big.substr(1 << 20)));
  ASSERT_TRUE(landing.finish());
  EXPECT_EQ(content("big"), big);
}

TEST_F(LandingTest, AnEmptyFileIsOneToo) {
  ASSERT_TRUE(land("e", ""));
  EXPECT_EQ(land("e", "").error().what, "it is here already");
}

TEST_F(LandingTest, WhatIsThereIsReplacedOnlyOnDemand) {
  ASSERT_TRUE(land("a", "one"));
  auto const refused = land("a", "another");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(content("a"), "one");
  ASSERT_TRUE(land("a", "another", true));
  EXPECT_EQ(content("a"), "another");
}

TEST_F(LandingTest, NeverWritesOutside) {
  fs::create_directories(root);
  fs::create_directories(top / "out");
  for (auto const* path : {"../out/x", "/etc/x", "a/../../out/x", ""})
    EXPECT_EQ(land(path, "x").error().code, Code::invalid) << path;
  fs::create_directory_symlink(top / "out", root / "link");
  EXPECT_EQ(land("link/x", "x").error().code, Code::conflict);
  std::ofstream(top / "out/y") << "theirs";
  fs::create_symlink(top / "out/y", root / "y");
  EXPECT_FALSE(land("y", "x"));
  EXPECT_FALSE(land("y", "x", true)) << "a link is no file to replace";
  EXPECT_TRUE(fs::exists(top / "out/y"));
  EXPECT_EQ(std::distance(fs::directory_iterator(top / "out"), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace lepton::cli
