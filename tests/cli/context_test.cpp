#include "cli/context.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cli/connect.hpp"
#include "cli/vault/secret_input.hpp"
#include "tests/cli/capture.hpp"

namespace lepton::cli {
namespace {

ClientContext sample() {
  ClientContext c;
  c.deployer_endpoint = "tcp://127.0.0.1:1";
  c.vault_endpoint = "tcp://127.0.0.1:2";
  c.auditor_endpoint = "tcp://127.0.0.1:3";
  c.deployer_key = c.vault_key = c.auditor_key = std::string(40, '0');
  c.keys_file = "client.keys";
  c.token_file = "/elsewhere/token";
  return c;
}

TEST(ClientContext, WrittenPrivatelyAndReadBackWithWholePaths) {
  Folder const folder;
  auto const path = folder.path + "/new/client.yaml";
  ASSERT_TRUE(write_context(path, sample()));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto want = sample();
  want.keys_file = folder.path + "/new/client.keys";
  auto const read = read_context(path);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, want);
}

TEST(ClientContext, WithoutOneTheCureIsNamed) {
  Folder const folder;
  auto const read = read_context(folder.path + "/client.yaml");
  ASSERT_FALSE(read);
  EXPECT_EQ(exit_status(read.error().code), 6);
  EXPECT_NE(read.error().what.find("`lepton up`"), std::string::npos);
  Capture capture;
  capture.shell.context_path = folder.path + "/client.yaml";
  EXPECT_EQ(connect(capture.shell, Service::vault).error().code, Code::unavailable);
}

TEST(ClientContext, AWrongFileNamesLineAndField) {
  Folder const folder;
  auto const path = folder.path + "/client.yaml";
  std::ofstream(path) << "deployer_endpont: x\n";
  auto const read = read_context(path);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().what.find("line 1: deployer_endpont: unknown field, did you mean"),
            std::string::npos);
}

TEST(ClientContext, PrivateFilesAreReplacedWhole) {
  Folder const folder;
  auto const path = folder.path + "/token";
  ASSERT_TRUE(write_private_file(path, "one"));
  ASSERT_TRUE(write_private_file(path, "two"));
  EXPECT_EQ(*read_private_file(path), "two");
  EXPECT_EQ(read_private_file(folder.path + "/none").error().code, Code::not_found);
  EXPECT_FALSE(write_private_file(folder.path + "/token/below", "x"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 1);
}

TEST(Secrets, OneSpellingForEachPath) {
  for (auto const* named : {"ml/hf", "vault://ml/hf", "secret/ml/hf"})
    EXPECT_EQ(*secret_path(named), "secret/ml/hf");
  EXPECT_EQ(*secret_path("vault://secret/x"), "secret/secret/x");
  EXPECT_EQ(secret_name("secret/ml/hf"), "ml/hf");
  for (auto const* named : {"", "ML/hf", "a//b", "../x", "a b"})
    EXPECT_FALSE(secret_path(named)) << named;
}

TEST(Secrets, FromAFileWithoutItsLastLineFeed) {
  Folder const folder;
  Capture capture;
  ASSERT_TRUE(write_private_file(folder.path + "/value", "top\nsecret\n"));
  EXPECT_EQ(read_secret(capture.shell, "the value", folder.path + "/value")->reveal(),
            "top\nsecret");
  ASSERT_TRUE(write_private_file(folder.path + "/value", "\n"));
  EXPECT_EQ(read_secret(capture.shell, "the value", folder.path + "/value").error().code,
            Code::invalid);
  ASSERT_TRUE(write_private_file(folder.path + "/value", std::string(65'537, 'x')));
  auto const large = read_secret(capture.shell, "the value", folder.path + "/value");
  EXPECT_EQ(large.error().what, "the value is longer than 64 KiB");
  EXPECT_EQ(capture.out() + capture.err(), "");
}

}  // namespace
}  // namespace lepton::cli
