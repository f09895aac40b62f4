#include "common/bus/access/token_name.hpp"

#include <gtest/gtest.h>

namespace lepton::access {
namespace {

TEST(TokenName, only_a_whole_name_is_one) {
  auto const name = token_name("token", "key");
  EXPECT_EQ(parse_token_name(name), token_hash("token", "key"));
  EXPECT_NE(token_name("toke", "nkey"), name);
  for (auto const& bad : {std::string(), std::string("name."), name.substr(1), name + "A",
                          name.substr(0, name.size() - 1), std::string("lep1.a.b")})
    EXPECT_FALSE(parse_token_name(bad)) << bad;
}

}  // namespace
}  // namespace lepton::access
