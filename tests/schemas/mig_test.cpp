// Which words are profiles of MIG instances.

#include "schemas/mig.hpp"

#include <gtest/gtest.h>

namespace lepton {
namespace {

TEST(MigProfile, NamesOfTheVendor) {
  for (auto const* profile :
       {"1g.5gb", "1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb", "7g.141gb", "1g.10gb+me",
        "1g.12gb+gfx", "1g.12gb+me.all", "1g.24gb-me"})
    EXPECT_TRUE(is_mig_profile(profile)) << profile;
}

TEST(MigProfile, NothingElse) {
  for (auto const* word :
       {"",         "1g",         "1g.",      "g.10gb",        "1g.gb",     "1g.10",
        "1g.10GB",  "1G.10gb",    "1g10gb",   "01g.10gb",      "0g.10gb",   "1g.010gb",
        "1g.10gb ", " 1g.10gb",   "1g.10gb+", "1g.10gb+x",     "1g.10gbme", "1c.3g.20gb",
        "1g.5.5gb", "1g.99999gb", "-1g.10gb", "1g.10gb+me+me", "all",       "0.5"})
    EXPECT_FALSE(is_mig_profile(word)) << word;
}

}  // namespace
}  // namespace lepton
