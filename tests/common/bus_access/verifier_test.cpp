#include "common/bus/access/verifier.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/bus/access/token_name.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/seeded_entropy.hpp"

namespace lepton::access {
namespace {

constexpr WallMs now_ms = 1'800'000'000'000;

crypto::SigningKey signing_key(std::uint64_t seed = 1) {
  crypto::SeededEntropy entropy(seed);
  return crypto::SigningKey::create(entropy);
}
std::string curve_key(char fill) {
  return crypto::z85(std::string(32, fill));
}

std::string token(std::string const& id, std::int64_t ttl_ms = 60'000, std::string key = "") {
  return issue({id, "ann", {"ml"}, std::move(key), now_ms, now_ms + ttl_ms}, signing_key())
      .value()
      .reveal();
}

AccessSnapshot snapshot(std::uint64_t revision, std::vector<std::string> revoked = {},
                        std::uint64_t seed = 1) {
  return {revision,
          {{"ml", {{"secret/ml/*", {Verb::read}, Effect::allow}}}},
          std::move(revoked),
          Bytes{std::string(crypto::view(signing_key(seed).public_key()))}};
}

TokenVerifier verifier(std::size_t capacity = 4096) {
  TokenVerifier out(capacity);
  EXPECT_TRUE(out.update(snapshot(1)));
  return out;
}

TEST(TokenVerifier, without_rules_nobody_passes) {
  TokenVerifier none;
  EXPECT_EQ(none.check(token("t"), "", now_ms).error().code, Code::unavailable);
}

TEST(TokenVerifier, checks_a_signature_once) {
  auto checked = verifier();
  auto const text = token("t");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(checked.check(text, "k", now_ms).value()->subject, "ann");
  EXPECT_EQ(checked.misses(), 1u);
  EXPECT_EQ(checked.hits(), 9u);
  (void)checked.check(text, "another connection", now_ms);
  EXPECT_EQ(checked.misses(), 2u);
}

TEST(TokenVerifier, expiry_holds_for_remembered_tokens) {
  auto checked = verifier();
  auto const text = token("t", 1000);
  EXPECT_TRUE(checked.check(text, "", now_ms));
  EXPECT_TRUE(checked.check(text, "", now_ms + 999));
  EXPECT_EQ(checked.check(text, "", now_ms + 1000).error().code, Code::denied);
  EXPECT_EQ(checked.misses(), 1u);
}

TEST(TokenVerifier, a_bound_token_passes_with_its_key_only) {
  auto checked = verifier();
  auto const text = token("t", 60'000, curve_key('k'));
  EXPECT_TRUE(checked.check(text, curve_key('k'), now_ms));
  EXPECT_FALSE(checked.check(text, curve_key('x'), now_ms));
  EXPECT_FALSE(checked.check(text, "", now_ms));
  EXPECT_EQ(checked.size(), 1u);
}

TEST(TokenVerifier, a_revocation_reaches_remembered_tokens) {
  auto checked = verifier();
  auto const text = token("t");
  EXPECT_TRUE(checked.check(text, "", now_ms));
  EXPECT_TRUE(checked.update(snapshot(2, {"t"})));
  EXPECT_EQ(checked.check(text, "", now_ms).error().code, Code::denied);
  EXPECT_TRUE(checked.check(token("u"), "", now_ms));

  EXPECT_EQ(checked.update(snapshot(1)).error().code, Code::conflict);
  EXPECT_FALSE(checked.check(text, "", now_ms));
  EXPECT_TRUE(checked.update(snapshot(2)));  // known already: nothing changes
  EXPECT_FALSE(checked.check(text, "", now_ms));
}

TEST(TokenVerifier, a_name_stands_for_a_token_that_was_good) {
  auto checked = verifier();
  auto const text = token("t", 1000);
  auto const name = token_name(text, "k");
  EXPECT_EQ(checked.check(name, "k", now_ms).error().code, Code::not_found);
  EXPECT_TRUE(checked.check(text, "k", now_ms));
  EXPECT_EQ(checked.check(name, "k", now_ms).value()->subject, "ann");
  EXPECT_EQ(checked.check(name, "k", now_ms + 1000).error().code, Code::denied);
  EXPECT_EQ(checked.size(), 1u);
}

TEST(TokenVerifier, a_name_is_of_no_use_to_another_key) {
  auto checked = verifier();
  auto const text = token("t");
  EXPECT_TRUE(checked.check(text, "k", now_ms));
  EXPECT_EQ(checked.check(token_name(text, "k"), "x", now_ms).error().code, Code::not_found);
  EXPECT_EQ(checked.check(token_name(text, "x"), "x", now_ms).error().code, Code::not_found);
  EXPECT_TRUE(checked.check(token_name(text, "k"), "k", now_ms));
}

TEST(TokenVerifier, new_rules_forget_every_name) {
  auto checked = verifier();
  auto const text = token("t");
  EXPECT_TRUE(checked.check(text, "k", now_ms));
  EXPECT_TRUE(checked.update(snapshot(2, {"t"})));
  EXPECT_EQ(checked.check(token_name(text, "k"), "k", now_ms).error().code, Code::not_found);
  EXPECT_EQ(checked.check(text, "k", now_ms).error().code, Code::denied);
}

TEST(TokenVerifier, a_full_cache_forgets_the_name_that_was_not_used_for_longest) {
  auto checked = verifier(2);
  for (auto const* id : {"a", "b"}) EXPECT_TRUE(checked.check(token(id), "k", now_ms));
  EXPECT_TRUE(checked.check(token_name(token("a"), "k"), "k", now_ms));
  EXPECT_TRUE(checked.check(token("c"), "k", now_ms));
  EXPECT_TRUE(checked.check(token_name(token("a"), "k"), "k", now_ms));
  EXPECT_EQ(checked.check(token_name(token("b"), "k"), "k", now_ms).error().code, Code::not_found);
}

TEST(TokenVerifier, bad_rules_leave_the_old_ones_in_force) {
  auto checked = verifier();
  auto broken = snapshot(2, {"t"});
  broken.policies[0].rules[0].path = "secret/**";
  EXPECT_EQ(checked.update(broken).error().code, Code::invalid);
  broken = snapshot(2, {"t"});
  broken.vault_key.data.pop_back();
  EXPECT_EQ(checked.update(broken).error().code, Code::invalid);
  EXPECT_EQ(checked.revision(), 1u);
  EXPECT_TRUE(checked.check(token("t"), "", now_ms));
}

TEST(TokenVerifier, a_new_vault_key_ends_old_tokens) {
  auto checked = verifier();
  EXPECT_TRUE(checked.check(token("t"), "", now_ms));
  EXPECT_TRUE(checked.update(snapshot(2, {}, 9)));
  EXPECT_FALSE(checked.check(token("t"), "", now_ms));
}

TEST(TokenVerifier, only_good_tokens_take_room) {
  auto checked = verifier();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(checked.check("lep1.x." + std::to_string(i), "", 0));
  EXPECT_EQ(checked.size(), 0u);
}

// Against a model: the list of the tokens used last.
RC_GTEST_PROP(TokenVerifier, forgets_the_least_recently_used, ()) {
  static std::vector<std::string> const texts = {token("a"), token("b"), token("c"), token("d"),
                                                 token("e")};
  auto checked = verifier(3);
  std::vector<std::size_t> model;
  std::uint64_t misses = 0;
  auto const uses = *rc::gen::resize(
      30, rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 5)));
  for (auto const use : uses) {
    auto const known = std::find(model.begin(), model.end(), use);
    if (known == model.end()) ++misses;
    if (known != model.end()) model.erase(known);
    model.insert(model.begin(), use);
    if (model.size() > 3) model.pop_back();
    RC_ASSERT(checked.check(texts[use], "", now_ms).has_value());
    RC_ASSERT(checked.misses() == misses);
    RC_ASSERT(checked.size() == model.size());
  }
}

TEST(TokenVerifier, authorizes_by_policy_and_says_why_not) {
  auto checked = verifier();
  auto const claims = checked.check(token("t"), "", now_ms).value();
  auto const path = [](char const* text) { return ResourcePath::parse(text).value(); };
  EXPECT_TRUE(checked.authorize(*claims, path("secret/ml/hf"), Verb::read));
  auto const refused = checked.authorize(*claims, path("vault"), Verb::manage);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(refused.error().what,
            "manage vault is denied: no rule allows it in ml; ask for a policy that allows it, see "
            "'lepton policy list'");
}

}  // namespace
}  // namespace lepton::access
