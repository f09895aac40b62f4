#include "services/vault/core/policies.hpp"

#include <gtest/gtest.h>

#include "common/bus/access/policy.hpp"

namespace lepton::vault {
namespace {

bool allowed(std::string const& policy, std::string const& path, Verb verb) {
  auto const set = access::PolicySet::create(builtin_policies()).value();
  return set.decide("ann", {policy}, access::ResourcePath::parse(path).value(), verb).allowed;
}

TEST(BuiltinPolicies, are_legal) {
  for (auto const& policy : builtin_policies()) EXPECT_TRUE(access::check_policy(policy));
}

TEST(BuiltinPolicies, admin_may_do_everything) {
  for (auto const verb :
       {Verb::read, Verb::write, Verb::remove, Verb::list, Verb::run, Verb::manage, Verb::exec})
    for (auto const* path : {"vault", "token", "secret/a/b", "job/bob/x", "audit"})
      EXPECT_TRUE(allowed("admin", path, verb)) << path;
}

TEST(BuiltinPolicies, user_keeps_to_its_own) {
  EXPECT_TRUE(allowed("user", "job/ann/train", Verb::run));
  EXPECT_TRUE(allowed("user", "job/ann/train", Verb::exec));
  EXPECT_FALSE(allowed("user", "job/bob/train", Verb::exec));
  EXPECT_TRUE(allowed("user", "secret/ann/hf", Verb::read));
  EXPECT_TRUE(allowed("user", "node/gpu-1", Verb::read));
  EXPECT_FALSE(allowed("user", "job/bob/train", Verb::read));
  EXPECT_FALSE(allowed("user", "secret/ml/hf", Verb::read));
  EXPECT_FALSE(allowed("user", "node/gpu-1", Verb::manage));
  for (auto const* path : {"token", "vault", "audit", "policy/user"})
    for (auto const verb : {Verb::read, Verb::write, Verb::manage})
      EXPECT_FALSE(allowed("user", path, verb)) << path;
}

TEST(PolicyRules, admin_cannot_be_changed) {
  std::map<std::string, Policy> stored;
  for (auto const& policy : builtin_policies()) stored[policy.name] = policy;
  Policy const weak{"admin", {{"vault", {Verb::read}, Effect::allow}}};
  EXPECT_EQ(check_put(stored, weak).error().code, Code::conflict);
  EXPECT_EQ(check_remove(stored, "admin").error().code, Code::conflict);
  EXPECT_TRUE(check_remove(stored, "user"));
  EXPECT_EQ(check_remove(stored, "gone").error().code, Code::not_found);
}

TEST(PolicyRules, have_a_limit) {
  std::map<std::string, Policy> stored;
  Policy policy{"", {{"vault", {Verb::read}, Effect::allow}}};
  for (std::size_t i = 0; i < max_stored_policies; ++i) {
    policy.name = "p" + std::to_string(i);
    ASSERT_TRUE(check_put(stored, policy));
    stored[policy.name] = policy;
  }
  EXPECT_TRUE(check_put(stored, policy));  // replaces
  policy.name = "more";
  EXPECT_EQ(check_put(stored, policy).error().code, Code::exhausted);
  policy.rules[0].path = "secret/**";
  EXPECT_EQ(check_put(stored, policy).error().code, Code::invalid);
}

}  // namespace
}  // namespace lepton::vault
