// Credentials of registries: the forms that are read, and who may run what is here already.

#include "services/node/runner/docker/image_access.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/crypto/encode.hpp"
#include "services/node/runner/docker/registry_auth.hpp"
#include "services/node/runner/files.hpp"
#include "tests/services/node_runner/support.hpp"

namespace lepton::node {
namespace {

std::string opened(std::string const& credentials, std::string const& image) {
  auto const header = registry_auth(Secret<>(credentials), image);
  if (!header) return header.error().what;
  EXPECT_EQ(header->reveal().size() % 4, 0u) << "filled up";
  return crypto::from_base64url(header->reveal().substr(0, header->reveal().find('=')))
      .value_or("no base64");
}

TEST(RegistryAuth, NamesOfRegistries) {
  EXPECT_EQ(registry_of("busybox"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_of("pytorch/pytorch:2.1"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_of("docker.io/pytorch/pytorch"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_of("ghcr.io/team/model:1"), "ghcr.io");
  EXPECT_EQ(registry_of("127.0.0.1:5000/model@sha256:abc"), "127.0.0.1:5000");
  EXPECT_EQ(registry_of("localhost/model"), "localhost");
}

TEST(RegistryAuth, UserAndPassword) {
  EXPECT_EQ(opened("ann:pass:word\n", "ghcr.io/a/b"),
            R"({"username":"ann","password":"pass:word","identitytoken":"",)"
            R"("serveraddress":"ghcr.io"})");
}

TEST(RegistryAuth, WhatDockerLoginWrites) {
  std::string const config = R"({"auths": {"ghcr.io": {"auth": "YW5uOnBhc3M="},
      "https://index.docker.io/v1/": {"username": "bob", "password": "word"},
      "token.io": {"identitytoken": "abc"}, "helped.io": {}}})";
  EXPECT_EQ(opened(config, "ghcr.io/a/b"),
            R"({"username":"ann","password":"pass","identitytoken":"","serveraddress":"ghcr.io"})");
  EXPECT_NE(opened(config, "busybox").find(R"("username":"bob","password":"word")"),
            std::string::npos);
  EXPECT_NE(opened(config, "token.io/x").find(R"("identitytoken":"abc")"), std::string::npos);
  EXPECT_NE(opened(config, "helped.io/x").find("helper program"), std::string::npos);
  EXPECT_NE(opened(config, "other.io/x").find("holds nothing for other.io"), std::string::npos);
}

TEST(RegistryAuth, RefusalsHoldNothingOfTheSecret) {
  for (auto const* text : {"hunter2", ":hunter2", "hunter2:", "{\"hunter2\": 1}", "{hunter2", ""}) {
    auto const refused = opened(text, "ghcr.io/a/b");
    EXPECT_NE(refused.find("USER:PASSWORD"), std::string::npos) << refused;
    EXPECT_EQ(refused.find("hunter2"), std::string::npos) << refused;
  }
}

TEST(ImageAccess, OnlyWhoHasFetchedAPrivateImageMayUseIt) {
  Folder const folder;
  Secret<> const ann("ann:one"), bob("bob:two");
  ImageAccess access(folder.path());
  EXPECT_TRUE(access.may_use("sha256:1", {})) << "nobody needed credentials for it";
  EXPECT_TRUE(access.may_use("sha256:1", bob));
  ASSERT_TRUE(access.note("sha256:1", ann));
  EXPECT_TRUE(access.may_use("sha256:1", ann));
  EXPECT_FALSE(access.may_use("sha256:1", bob));
  EXPECT_FALSE(access.may_use("sha256:1", {}));
  ASSERT_TRUE(access.note("sha256:1", bob));
  EXPECT_TRUE(ImageAccess(folder.path()).may_use("sha256:1", ann)) << "after a restart, too";
  EXPECT_TRUE(access.may_use("sha256:1", bob));
  EXPECT_TRUE(access.may_use("sha256:2", {}));
}

TEST(ImageAccess, TheOldestIsForgottenAndNothingIsReadable) {
  Folder const folder;
  ImageAccess access(folder.path());
  for (int i = 0; i < 9; ++i)
    ASSERT_TRUE(access.note("sha256:1", Secret<>("ann:password-" + std::to_string(i))));
  EXPECT_FALSE(access.may_use("sha256:1", Secret<>("ann:password-0")));
  EXPECT_TRUE(access.may_use("sha256:1", Secret<>("ann:password-8")));
  struct stat about {};
  ASSERT_EQ(::stat((folder.path() + "/private-images").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  for (auto const& file : std::filesystem::directory_iterator(folder.path() + "/private-images"))
    EXPECT_EQ(read_file(file.path(), 1 << 20)->find("password"), std::string::npos);
}

TEST(ImageAccess, WhatIsFetchedMayBePrivateUntilThatIsKnown) {
  Folder const folder;
  ImageAccess access(folder.path());
  EXPECT_FALSE(access.is_in_doubt("ghcr.io:5000/a/b:1"));
  ASSERT_TRUE(access.begin_pull("ghcr.io:5000/a/b:1"));
  for (auto const* name : {"ghcr.io:5000/a/b:1", "ghcr.io:5000/a/b", "ghcr.io:5000/a/b@sha256:1"})
    EXPECT_TRUE(ImageAccess(folder.path()).is_in_doubt(name)) << name;
  EXPECT_FALSE(access.is_in_doubt("ghcr.io:5000/a/c:1"));
  access.end_pull("ghcr.io:5000/a/b:1");
  EXPECT_FALSE(access.is_in_doubt("ghcr.io:5000/a/b:1"));
}

TEST(ImageAccess, WhatOpensWithoutCredentialsIsEverybodys) {
  Folder const folder;
  ImageAccess access(folder.path());
  ASSERT_TRUE(access.note("sha256:1", Secret<>("ann:one")));
  EXPECT_TRUE(access.is_noted("sha256:1"));
  access.note_open("sha256:1");
  EXPECT_FALSE(access.is_noted("sha256:1"));
  EXPECT_TRUE(access.may_use("sha256:1", {}));
}

TEST(ImageAccess, AFileThatCannotBeReadOpensNothing) {
  Folder const folder;
  ImageAccess access(folder.path());
  ASSERT_TRUE(access.note("sha256:1", Secret<>("ann:one")));
  for (auto const& file : std::filesystem::directory_iterator(folder.path() + "/private-images"))
    ASSERT_TRUE(replace_file(file.path(), "opened_by=broken\\x"));
  EXPECT_FALSE(access.may_use("sha256:1", Secret<>("ann:one")));
  EXPECT_FALSE(access.may_use("sha256:1", {}));
}

}  // namespace
}  // namespace lepton::node
