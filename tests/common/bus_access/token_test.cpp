#include "common/bus/access/token.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/bus/access/policy.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/seeded_entropy.hpp"

namespace lepton::access {
namespace {

constexpr WallMs now_ms = 1'800'000'000'000;

crypto::SigningKey signing_key(std::uint64_t seed = 1) {
  crypto::SeededEntropy entropy(seed);
  return crypto::SigningKey::create(entropy);
}
crypto::VerifyKey verify_key(std::uint64_t seed = 1) {
  return crypto::VerifyKey(signing_key(seed).public_key());
}
std::string curve_key(char fill) {
  return crypto::z85(std::string(32, fill));
}

TokenClaims claims() {
  return {"t-1", "ann", {"ml", "own-jobs"}, curve_key('k'), now_ms, now_ms + 60'000};
}
std::string token_of(TokenClaims const& some) {
  return issue(some, signing_key()).value().reveal();
}
Result<TokenClaims> use(std::string_view token, WallMs at = now_ms) {
  return verify(token, verify_key(), curve_key('k'), at, {});
}

TEST(Token, carries_its_claims) {
  auto const token = token_of(claims());
  EXPECT_TRUE(token.starts_with("lep1."));
  EXPECT_EQ(use(token).value(), claims());
}

TEST(Token, expires_at_its_very_millisecond) {
  auto const token = token_of(claims());
  EXPECT_TRUE(use(token, claims().expires_at_ms - 1));
  auto const late = use(token, claims().expires_at_ms);
  EXPECT_EQ(late.error().code, Code::denied);
  EXPECT_NE(late.error().what.find("expired at 2027-01-15T08:01:00Z"), std::string::npos);
  EXPECT_NE(late.error().what.find("lepton token create"), std::string::npos);
}

TEST(Token, of_the_future_is_no_denial_for_clocks_may_be_set_right) {
  auto const token = token_of(claims());
  EXPECT_TRUE(use(token, now_ms - clock_skew_ms));
  EXPECT_EQ(use(token, now_ms - clock_skew_ms - 1).error().code, Code::unavailable);
}

TEST(Token, is_bound_to_its_key) {
  auto const token = token_of(claims());
  for (auto const& key : {curve_key('x'), std::string(), curve_key('k') + "0"})
    EXPECT_NE(verify(token, verify_key(), key, now_ms, {}).error().what.find("another key"),
              std::string::npos);
  auto anyone = claims();
  anyone.key.clear();
  EXPECT_TRUE(verify(token_of(anyone), verify_key(), curve_key('x'), now_ms, {}));
}

TEST(Token, revoked_or_of_another_vault_is_refused) {
  auto const token = token_of(claims());
  AccessSnapshot snapshot;
  snapshot.revoked = {"t-0", "t-1"};
  auto const revoked = verify(token, verify_key(), curve_key('k'), now_ms, snapshot);
  EXPECT_NE(revoked.error().what.find("revoked"), std::string::npos);
  snapshot.revoked = {"t-0", "t-10"};
  EXPECT_TRUE(verify(token, verify_key(), curve_key('k'), now_ms, snapshot));
  auto const foreign = verify(token, verify_key(2), curve_key('k'), now_ms, {});
  EXPECT_EQ(foreign.error().code, Code::denied);
  EXPECT_NE(foreign.error().what.find("not signed by this vault"), std::string::npos);
}

TEST(Token, a_signature_of_other_data_is_no_token) {
  auto const token = token_of(claims());
  auto const body = token.substr(5, token.find('.', 5) - 5);
  auto const bare = signing_key().sign(crypto::from_base64url(body).value());
  EXPECT_FALSE(use("lep1." + body + "." + crypto::base64url(crypto::view(bare))));
}

TEST(Token, any_changed_character_is_refused_and_never_repeated) {
  auto const token = token_of(claims());
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto wrong = token;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    auto const refused = use(wrong);
    ASSERT_FALSE(refused) << i;
    EXPECT_EQ(refused.error().code, Code::denied);
    EXPECT_EQ(refused.error().what.find(token.substr(5, 10)), std::string::npos);
  }
  for (std::size_t size = 0; size < token.size(); ++size)
    ASSERT_FALSE(use(std::string_view(token).substr(0, size))) << size;
  EXPECT_FALSE(use(token + "="));
  EXPECT_FALSE(use(" " + token));
  EXPECT_FALSE(use(token + std::string(max_token_size, 'A')));
}

TEST(Token, well_signed_nonsense_is_refused) {
  auto const sign = [](std::string const& body) {
    auto const signature = signing_key().sign("lepton token v1\n" + body);
    return "lep1." + crypto::base64url(body) + "." + crypto::base64url(crypto::view(signature));
  };
  EXPECT_NE(use(sign("")).error().what.find("malformed"), std::string::npos);
  EXPECT_NE(use(sign("\x80")).error().what.find("malformed"), std::string::npos);
}

RC_GTEST_PROP(Token, noise_is_refused, ()) {
  auto const text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("lep1.AZ_-=.")));
  RC_ASSERT(!use("lep1." + text));
  RC_ASSERT(!use(text));
}

TEST(CheckClaims, refuses_what_no_vault_should_sign) {
  auto const refused = [](auto change) {
    auto wrong = claims();
    change(wrong);
    return !check_claims(wrong) && !issue(wrong, signing_key());
  };
  EXPECT_TRUE(check_claims(claims()));
  EXPECT_TRUE(refused([](auto& c) { c.subject = "ann/../root"; }));
  EXPECT_TRUE(refused([](auto& c) { c.subject = "*"; }));
  EXPECT_TRUE(refused([](auto& c) { c.token.clear(); }));
  EXPECT_TRUE(refused([](auto& c) { c.policies = {"+"}; }));
  EXPECT_TRUE(refused([](auto& c) { c.policies.assign(max_policies + 1, "ml"); }));
  EXPECT_TRUE(refused([](auto& c) { c.key = "short"; }));
  EXPECT_TRUE(refused([](auto& c) { c.key = std::string(40, '~'); }));
  EXPECT_TRUE(refused([](auto& c) { c.expires_at_ms = c.issued_at_ms; }));
  EXPECT_TRUE(refused([](auto& c) { c.issued_at_ms = -1; }));
}

TEST(CheckClaims, a_token_that_no_header_could_carry_is_not_issued) {
  auto large = claims();
  large.token = large.subject = std::string(max_segment_size, 'x');
  large.policies.assign(max_policies, "a-policy-with-a-usual-name");
  EXPECT_EQ(use(token_of(large)).value(), large);
  large.policies.assign(max_policies, std::string(max_segment_size, 'p'));
  EXPECT_EQ(issue(large, signing_key()).error().code, Code::invalid);
}

}  // namespace
}  // namespace lepton::access
