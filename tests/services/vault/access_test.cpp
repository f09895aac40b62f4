// Tokens, policies, the access rules that every service takes, and what survives a restart.

#include <algorithm>

#include "common/bus/access/token.hpp"
#include "tests/services/vault/rig.hpp"

namespace lepton::vault::testing {
namespace {

class AccessTest : public VaultTest {
 protected:
  void SetUp() override {
    boot();
    init();
  }
  TokenIssued create(TokenCreate const& wish, As const& who) {
    auto issued = ask(wish, who);
    EXPECT_TRUE(issued) << issued.error().what;
    return issued ? std::move(*issued) : TokenIssued{};
  }
  bool is_revoked(std::string const& token) {
    auto const revoked = rules().revoked;
    return std::find(revoked.begin(), revoked.end(), token) != revoked.end();
  }
  bool verifies(TokenIssued const& issued) {
    auto const now = rules();
    auto const key = crypto::VerifyKey::from_bytes(now.vault_key.data);
    if (!key) return false;
    return access::verify(issued.token.reveal(), *key, "", clock.wall_ms(), now).has_value();
  }
};

TEST_F(AccessTest, IssuedTokensVerifyUntilTheyExpireOrAreRevoked) {
  auto const token = create({"ann", {"user"}, "", 60'000}, root);
  EXPECT_TRUE(verifies(token));
  auto const other = create({"ann", {"user"}, "", 0}, root);
  EXPECT_EQ(other.claims.expires_at_ms, clock.wall_ms() + vault_settings.tokens.default_ttl_ms);
  EXPECT_TRUE(ask(TokenRevoke{other.claims.token}, root));
  EXPECT_FALSE(verifies(other));
  clock.now += 60'001;
  EXPECT_FALSE(verifies(token));
}

TEST_F(AccessTest, NobodyGrantsMoreThanTheyHold) {
  EXPECT_EQ(outcome(ask(TokenCreate{"ann", {"admin"}, "", 0}, ann)), "denied");
  EXPECT_EQ(outcome(ask(TokenCreate{"ann", {"user"}, "", 0}, ann)), "denied") << "no write token";
  ASSERT_TRUE(ask(PolicyPut{{"maker", {{"token", {Verb::write}, Effect::allow}}}}, root));
  auto const held = create({"ann", {"user", "maker"}, "", 0}, root);
  As const maker{.name = "ann", .policies = {"user", "maker"}, .token = held.claims.token};
  EXPECT_TRUE(ask(TokenCreate{"ann", {"user"}, "", 0}, maker));
  EXPECT_EQ(outcome(ask(TokenCreate{"ann", {"admin"}, "", 0}, maker)), "denied");
  EXPECT_EQ(outcome(ask(TokenCreate{"bob", {"user"}, "", 0}, maker)), "denied");
  EXPECT_EQ(outcome(ask(TokenCreate{"ann", {"none"}, "", 0}, root)), "not_found");
  for (auto const& entry : audited("vault.token.create"))
    EXPECT_EQ(entry.resource, "token") << "also of denials";
  EXPECT_EQ(audited("vault.token.create").size(), 6u) << "four refusals and two grants";
}

TEST_F(AccessTest, RevokingAlsoRevokesWhatCameFromIt) {
  auto const first = create({"ann", {"admin"}, "", 0}, root);
  As const by_first{.name = "ann", .policies = {"admin"}, .token = first.claims.token};
  auto const second = create({"ann", {"user"}, "", 0}, by_first);
  As const by_second{.name = "ann", .policies = {"user"}, .token = second.claims.token};
  auto const apart = create({"bob", {"user"}, "", 0}, root);
  EXPECT_EQ(outcome(ask(TokenRevoke{apart.claims.token}, by_second)), "not_found")
      << "nobody may try which ids exist";
  EXPECT_EQ(outcome(ask(TokenRevoke{"none"}, root)), "not_found");
  auto const before = rules().revision;
  auto const revoked = ask(TokenRevoke{first.claims.token}, root);
  ASSERT_TRUE(revoked) << revoked.error().what;
  EXPECT_EQ(revoked->tokens.size(), 2u);
  EXPECT_TRUE(is_revoked(first.claims.token));
  EXPECT_TRUE(is_revoked(second.claims.token));
  EXPECT_FALSE(is_revoked(apart.claims.token));
  EXPECT_GT(rules().revision, before);
  EXPECT_TRUE(ask(TokenRevoke{apart.claims.token},
                  {.name = "bob", .policies = {"user"}, .token = apart.claims.token}))
      << "one's own";
}

TEST_F(AccessTest, ExpiredTokensLeaveTheRowsAndRevokedOnesLater) {
  auto const brief = create({"ann", {"user"}, "", 5'000}, root);
  auto const revoked = create({"bob", {"user"}, "", 5'000}, root);
  ASSERT_TRUE(ask(TokenRevoke{revoked.claims.token}, root));
  EXPECT_EQ(test::rows_of<TokenRecordRow>(*store.disk).size(), 3u);
  EXPECT_EQ(ask(TokenList{100}, root)->tokens.size(), 2u) << "live ones";
  advance(30'000);
  auto const rows = test::rows_of<TokenRecordRow>(*store.disk);
  ASSERT_EQ(rows.size(), 2u);
  for (auto const& row : rows) EXPECT_NE(row.token, brief.claims.token);
  EXPECT_FALSE(is_revoked(revoked.claims.token)) << "expired: void by itself";
  clock.now += 91 * 86'400'000ll;
  advance(20'000);
  EXPECT_TRUE(test::rows_of<TokenRecordRow>(*store.disk).empty());
  EXPECT_EQ(outcome(ask(TokenList{100}, ann)), "denied");
}

TEST_F(AccessTest, TheRevisionRisesWithEachChangeAndAnEventSaysSo) {
  auto const start = rules();
  EXPECT_EQ(start.policies.size(), builtin_policies().size());
  Policy const reader{"reader", {{"job/*", {Verb::read}, Effect::allow}}};
  ASSERT_TRUE(ask(PolicyPut{reader}, root));
  auto const with = rules();
  EXPECT_GT(with.revision, start.revision);
  EXPECT_EQ(with.policies.size(), start.policies.size() + 1);
  ASSERT_TRUE(ask(PolicyRemove{"reader"}, root));
  EXPECT_GT(rules().revision, with.revision);
  EXPECT_EQ(rules().policies, start.policies);
  EXPECT_EQ(outcome(ask(PolicyRemove{"reader"}, root)), "not_found");
  EXPECT_EQ(outcome(ask(PolicyPut{{"admin", reader.rules}}, root)), "conflict");
  EXPECT_EQ(outcome(ask(PolicyPut{reader}, ann)), "denied");
  std::vector<std::uint64_t> told;
  for (auto const& [key, cells] : store.disk->rows("event"))
    if (auto const row = *store::from_cells<actor::EventRow>(cells); row.stream == "access")
      told.push_back(codec::decode<AccessChanged>(row.body.data)->revision);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), rules().revision);
}

TEST_F(AccessTest, ThereIsNoSnapshotBeforeInitNorOfAnotherStream) {
  As const peer{.name = "deployer", .door = actor::Door::peer};
  EXPECT_EQ(outcome(ask(SnapshotGet{"vault", "audit"}, peer)), "not_found");
  EXPECT_EQ(outcome(ask(SnapshotGet{"vault", "access"}, ann)), "denied");
  store.disk = std::make_shared<store::MemoryDisk>();
  boot();
  EXPECT_EQ(outcome(ask(SnapshotGet{"vault", "access"}, peer)), "unavailable");
}

TEST_F(AccessTest, ARestartKeepsEverythingAndComesBackSealed) {
  ASSERT_TRUE(put("secret/ml/hf", canary));
  ASSERT_TRUE(ask(PolicyPut{{"reader", {{"job/*", {Verb::read}, Effect::allow}}}}, root));
  auto const token = create({"ann", {"user"}, "", 0}, root);
  ASSERT_TRUE(ask(TokenRevoke{token.claims.token}, root));
  auto const kept = create({"bob", {"user"}, "", 0}, root);
  auto const before = rules();
  boot();
  EXPECT_TRUE(state().sealed);
  EXPECT_TRUE(state().initialised);
  EXPECT_EQ(rules(), before) << "the access rules need no root key";
  EXPECT_TRUE(verifies(kept));
  EXPECT_EQ(got("secret/ml/hf"), "unavailable");
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  EXPECT_EQ(got("secret/ml/hf"), canary);
  EXPECT_TRUE(verifies(create({"bob", {"user"}, "", 0}, root))) << "the same token key";
}

TEST_F(AccessTest, ARemovedBuiltInPolicyStaysAway) {
  ASSERT_TRUE(ask(PolicyRemove{"user"}, root));
  boot();
  for (auto const& policy : rules().policies) EXPECT_NE(policy.name, "user");
}

TEST_F(AccessTest, NoSecretByteStandsInAnyRow) {
  ASSERT_TRUE(put("secret/root/hf", canary));
  ASSERT_TRUE(put("secret/root/hf", std::string("again ") + canary));
  EXPECT_EQ(got("secret/root/hf"), std::string("again ") + canary);
  OnBehalf const who{"root", {"admin"}, ""};
  ASSERT_TRUE(ask(SecretResolve{who, "j-0-1", "n1", {{"A", "secret/root/hf"}}}, deployer));
  auto const token = create({"ann", {"user"}, "", 0}, root);
  ASSERT_TRUE(ask(VaultRotate{}, root));
  std::vector<std::string> const hidden{canary, std::string(root_key().reveal()),
                                        "01234567890123456789012345678901",
                                        std::string(token.token.reveal())};
  std::size_t cells_seen = 0;
  for (auto const* table : {"seal", "secret", "secret_version", "token", "policy", "request",
                            "event", "cursor", "stream", "inbox"})
    for (auto const& [key, cells] : store.disk->rows(table))
      for (auto const& cell : cells) {
        std::string const* text = std::get_if<std::string>(&cell);
        if (auto const* bytes = std::get_if<Bytes>(&cell)) text = &bytes->data;
        if (text == nullptr) continue;
        ++cells_seen;
        for (auto const& secret : hidden)
          EXPECT_EQ(text->find(secret), std::string::npos) << "in table " << table;
      }
  EXPECT_GT(cells_seen, 50u);
  for (auto const& line : logs)
    for (auto const& secret : hidden) EXPECT_EQ(line.find(secret), std::string::npos);
}

TEST_F(AccessTest, ARepeatedPutGivesTheSameAnswerAndOneVersion) {
  auto as = root;
  as.id = "put-1";
  auto const first = ask(SecretPut{"secret/ml/hf", value("x"), {}}, as);
  boot();
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  as.attempt = 2;
  auto const second = ask(SecretPut{"secret/ml/hf", value("x"), {}}, as);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->version, first->version);
  EXPECT_EQ(outcome(ask(SecretPut{"secret/ml/hf", value("y"), {}}, as)), "conflict");
  EXPECT_EQ(test::rows_of<SecretVersionRow>(*store.disk).size(), 1u);
}

}  // namespace
}  // namespace lepton::vault::testing
