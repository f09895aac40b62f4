// A token that is replaced while the program runs.

#include "common/service/token_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lepton::service {
namespace {

class TokenFileTest : public ::testing::Test {
 protected:
  TokenFileTest() {
    char name[] = "/tmp/lepton_token.XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ / "token";
  }
  ~TokenFileTest() override { std::filesystem::remove_all(folder_); }
  // As all private files are written: beside, then renamed.
  void put(std::string const& text) {
    std::ofstream(folder_ / "draft") << text;
    std::filesystem::rename(folder_ / "draft", path_);
  }
  std::filesystem::path folder_, path_;
};

TEST_F(TokenFileTest, IsReadAgainWhenItWasReplaced) {
  put("lep1.one\n");
  auto file = TokenFile::open(path_);
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->token().reveal(), "lep1.one");
  EXPECT_FALSE(file->look().value());
  put("lep1.two\n");
  EXPECT_TRUE(file->look().value());
  EXPECT_EQ(file->token().reveal(), "lep1.two");
  EXPECT_FALSE(file->look().value());
}

TEST_F(TokenFileTest, WhatIsNoTokenLeavesTheEarlierOne) {
  EXPECT_EQ(TokenFile::open(path_).error().code, Code::not_found);
  put("lep1.one");
  auto file = TokenFile::open(path_);
  ASSERT_TRUE(file);
  put(" \n");
  auto const empty = file->look();
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::invalid);
  EXPECT_FALSE(file->look().value()) << "said once";
  std::filesystem::remove(path_);
  EXPECT_FALSE(file->look().value());
  EXPECT_EQ(file->token().reveal(), "lep1.one");
}

}  // namespace
}  // namespace lepton::service
