#include "common/bus/keys.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zmq.h>
#include <fstream>

#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

TEST(Keys, ArePairsAsLibzmqDefinesThem) {
  for (int i = 0; i < 20; ++i) {
    auto const keys = rig::keys();
    char expected[41] = {};
    ASSERT_EQ(zmq_curve_public(expected, keys.secret_key.reveal().c_str()), 0);
    EXPECT_EQ(keys.public_key, expected);
    EXPECT_EQ(keys_from_secret(keys.secret_key.reveal())->public_key, expected);
  }
}

TEST(Keys, RefusesWhatIsNoKey) {
  EXPECT_FALSE(legal_key(""));
  EXPECT_FALSE(legal_key(std::string(40, '"')));
  EXPECT_FALSE(legal_key(std::string(39, 'a')));
  EXPECT_FALSE(keys_from_secret("short"));
  EXPECT_TRUE(legal_key(rig::keys().public_key));
}

TEST(Keys, SurviveTheirFile) {
  rig::Folder const folder;
  auto const keys = rig::keys();
  ASSERT_TRUE(write_keys(folder.file("k"), keys));
  struct stat info {};
  ASSERT_EQ(::stat(folder.file("k").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto const again = read_keys(folder.file("k"));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->public_key, keys.public_key);
  EXPECT_EQ(again->secret_key.reveal(), keys.secret_key.reveal());
}

TEST(Keys, NeverOverwritten) {
  rig::Folder const folder;
  auto const keys = rig::keys();
  ASSERT_TRUE(write_keys(folder.file("k"), keys));
  EXPECT_EQ(write_keys(folder.file("k"), rig::keys()).error().code, Code::conflict);
  EXPECT_EQ(read_keys(folder.file("k"))->public_key, keys.public_key);
}

TEST(Keys, FileThatOthersMayReadIsRefused) {
  rig::Folder const folder;
  ASSERT_TRUE(write_keys(folder.file("k"), rig::keys()));
  for (mode_t const mode : {0640u, 0604u, 0620u, 0666u}) {
    ASSERT_EQ(::chmod(folder.file("k").c_str(), mode), 0);
    auto const read = read_keys(folder.file("k"));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::denied);
    EXPECT_NE(read.error().what.find("chmod 600"), std::string::npos);
  }
}

TEST(Keys, DamagedFileIsRefusedAndItsSecretStaysUnsaid) {
  rig::Folder const folder;
  auto const keys = rig::keys(), other = rig::keys();
  auto const secret = keys.secret_key.reveal();
  for (auto const& text :
       {std::string(), std::string("public x\nsecret y\n"), "public " + keys.public_key + "\n",
        "public " + other.public_key + "\nsecret " + secret + "\n",
        "public " + keys.public_key + "\nsecret " + secret + "\nmore\n", std::string(5000, 'a')}) {
    std::ofstream(folder.file("k")) << text;
    ASSERT_EQ(::chmod(folder.file("k").c_str(), 0600), 0);
    auto const read = read_keys(folder.file("k"));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_EQ(read.error().what.find(secret), std::string::npos);
  }
}

TEST(Keys, MadeOnceThenRead) {
  rig::Folder const folder;
  crypto::SystemEntropy entropy;
  EXPECT_EQ(read_keys(folder.file("k")).error().code, Code::not_found);
  auto const first = read_or_create_keys(folder.file("k"), entropy);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(read_or_create_keys(folder.file("k"), entropy)->public_key, first->public_key);
}

}  // namespace
}  // namespace lepton::bus
