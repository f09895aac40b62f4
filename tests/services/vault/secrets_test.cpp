// Values: versions, limits, and the values for an attempt of a job.

#include "tests/services/vault/rig.hpp"

namespace lepton::vault::testing {
namespace {

class SecretsTest : public VaultTest {
 protected:
  void SetUp() override {
    boot();
    init();
  }
  std::vector<std::string> listed(std::string const& prefix, As const& who) {
    std::vector<std::string> paths;
    auto const page = ask(SecretList{prefix}, who);
    if (!page) return {outcome(page)};
    for (auto const& info : page->secrets) paths.push_back(info.path);
    return paths;
  }
  Result<SecretsResolved> resolve(OnBehalf who, std::map<std::string, std::string> secrets,
                                  As const& as) {
    return ask(SecretResolve{std::move(who), "job-0-1", "n1", std::move(secrets)}, as);
  }
};
using Paths = std::vector<std::string>;

TEST_F(SecretsTest, VersionsRiseAndStayReadable) {
  auto const first = ask(SecretPut{"secret/ml/hf", value("one"), {}}, root);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->version, 1u);
  EXPECT_EQ(first->created_by, "root");
  EXPECT_EQ(ask(SecretPut{"secret/ml/hf", value("two"), {}}, root)->version, 2u);
  EXPECT_EQ(got("secret/ml/hf"), "two");
  EXPECT_EQ(got("secret/ml/hf", 1), "one");
  EXPECT_EQ(got("secret/ml/hf", 3), "not_found");
  EXPECT_EQ(got("secret/ml/none"), "not_found");
}

TEST_F(SecretsTest, TheExpectedVersionGuardsAPut) {
  EXPECT_EQ(outcome(ask(SecretPut{"secret/ml/hf", value("x"), 1}, root)), "conflict");
  EXPECT_TRUE(ask(SecretPut{"secret/ml/hf", value("x"), 0}, root));
  EXPECT_EQ(outcome(ask(SecretPut{"secret/ml/hf", value("y"), 0}, root)), "conflict");
  EXPECT_TRUE(ask(SecretPut{"secret/ml/hf", value("y"), 1}, root));
  EXPECT_EQ(got("secret/ml/hf"), "y");
}

TEST_F(SecretsTest, LimitsAreHeld) {
  EXPECT_EQ(outcome(put("secret/ml/big", std::string(max_value_size + 1, 'x'))), "invalid");
  EXPECT_TRUE(put("secret/ml/big", std::string(max_value_size, 'x')));
  EXPECT_EQ(outcome(put("secret", "x")), "invalid");
  EXPECT_EQ(outcome(put("token/x", "x")), "invalid");
  EXPECT_EQ(outcome(put("", "x")), "invalid");
  vault_settings.secrets_max = 1;
  boot();
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  EXPECT_EQ(outcome(put("secret/ml/more", "x")), "exhausted");
  EXPECT_TRUE(put("secret/ml/big", "small")) << "a further version is no further secret";
}

TEST_F(SecretsTest, OldVersionsGoFromTheRows) {
  for (std::size_t i = 1; i <= max_versions + 3; ++i)
    ASSERT_TRUE(put("secret/ml/hf", "v" + std::to_string(i)));
  EXPECT_EQ(test::rows_of<SecretVersionRow>(*store.disk).size(), max_versions);
  EXPECT_EQ(got("secret/ml/hf", 3), "not_found");
  EXPECT_EQ(got("secret/ml/hf", 4), "v4");
}

TEST_F(SecretsTest, APrefixEndsAtASegment) {
  ASSERT_TRUE(put("secret/ml/hf", "x"));
  ASSERT_TRUE(put("secret/mlx/hf", "x"));
  ASSERT_TRUE(put("secret/ml/wandb", "x"));
  EXPECT_EQ(listed("secret/ml", root), (Paths{"secret/ml/hf", "secret/ml/wandb"}));
  EXPECT_EQ(listed("secret", root).size(), 3u);
  EXPECT_EQ(listed("secret/ml/hf", root), (Paths{"secret/ml/hf"}));
  EXPECT_EQ(listed("secret/m", root), Paths{});
  EXPECT_EQ(listed("secret", ann), Paths{"denied"});
  EXPECT_EQ(listed("secret/ml/", root), Paths{"denied"}) << "no path of the grammar";
}

TEST_F(SecretsTest, AnEmptyPrefixIsRefusedAndTheVaultLives) {
  EXPECT_EQ(listed("", root), Paths{"invalid"});
  EXPECT_EQ(listed("", {.name = "eve"}), Paths{"invalid"});
  EXPECT_FALSE(state().sealed);
}

TEST_F(SecretsTest, RemovalKeepsTheNumbering) {
  ASSERT_TRUE(put("secret/ml/hf", "one"));
  ASSERT_TRUE(put("secret/ml/hf", "two"));
  ASSERT_TRUE(ask(SecretRemove{"secret/ml/hf"}, root));
  EXPECT_EQ(got("secret/ml/hf"), "not_found");
  EXPECT_EQ(listed("secret", root), Paths{});
  EXPECT_TRUE(test::rows_of<SecretVersionRow>(*store.disk).empty());
  EXPECT_EQ(outcome(ask(SecretRemove{"secret/ml/hf"}, root)), "not_found");
  boot();
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  EXPECT_EQ(ask(SecretPut{"secret/ml/hf", value("three"), 0}, root)->version, 3u);
  EXPECT_EQ(got("secret/ml/hf", 1), "not_found");
}

TEST_F(SecretsTest, PeopleReadTheirOwnOnlyAndEachReadIsEntered) {
  ASSERT_TRUE(put("secret/ann/key", canary));
  ASSERT_TRUE(put("secret/bob/key", canary));
  EXPECT_TRUE(ask(SecretGet{"secret/ann/key", {}}, ann));
  EXPECT_EQ(outcome(ask(SecretGet{"secret/bob/key", {}}, ann)), "denied");
  auto const reads = audited("vault.secret.get");
  ASSERT_EQ(reads.size(), 2u);
  EXPECT_EQ(reads[0].outcome, AuditOutcome::done);
  EXPECT_EQ(reads[0].actor, "ann");
  EXPECT_EQ(reads[1].outcome, AuditOutcome::denied);
  EXPECT_EQ(reads[1].resource, "secret/bob/key");
}

TEST_F(SecretsTest, AReadIsDurableInTheAuditStreamBeforeItsValueLeaves) {
  ASSERT_TRUE(put("secret/ml/hf", canary));
  store.hold_commits = true;
  auto const id = post_as(SecretGet{"secret/ml/hf", {}}, root);
  OnBehalf const who{"root", {"admin"}, ""};
  auto const other = post_as(SecretResolve{who, "j-0-1", "n1", {{"A", "secret/ml/hf"}}}, deployer);
  EXPECT_TRUE(answers(id).empty());
  EXPECT_TRUE(answers(other).empty());
  EXPECT_FALSE(store.commit_answers.empty());
  store.hold_commits = false;
  settle();
  EXPECT_EQ(answers(id).size(), 1u);
  EXPECT_EQ(answers(other).size(), 1u);
}

TEST_F(SecretsTest, ResolveGivesTheLatestValuesWithTheRightsOfThePerson) {
  ASSERT_TRUE(put("secret/ann/hf", "old"));
  ASSERT_TRUE(put("secret/ann/hf", canary));
  ASSERT_TRUE(put("secret/ann/db", "password"));
  OnBehalf const who{"ann", {"user"}, "t1"};
  auto const values = resolve(who, {{"HF", "secret/ann/hf"}, {"DB", "secret/ann/db"}}, deployer);
  ASSERT_TRUE(values) << values.error().what;
  EXPECT_EQ(values->values.at("HF").reveal(), canary);
  EXPECT_EQ(values->values.at("DB").reveal(), "password");
  auto const reads = audited("vault.secret.resolve");
  ASSERT_EQ(reads.size(), 2u) << "an entry for each secret";
  EXPECT_EQ(reads[0].actor, "ann");
  EXPECT_EQ(reads[0].resource, "secret/ann/db");
  EXPECT_EQ(reads[1].resource, "secret/ann/hf");
  EXPECT_EQ(reads[1].detail.at("node"), "n1");
  EXPECT_EQ(reads[1].detail.at("attempt"), "job-0-1");
}

TEST_F(SecretsTest, ADeniedResolveIsEnteredOnceAsThePerson) {
  ASSERT_TRUE(put("secret/bob/hf", canary));
  ASSERT_TRUE(put("secret/ann/hf", canary));
  OnBehalf const who{"ann", {"user"}, "t1"};
  auto const values = resolve(who, {{"A", "secret/ann/hf"}, {"B", "secret/bob/hf"}}, deployer);
  EXPECT_EQ(outcome(values), "denied");
  auto const entries = audited("vault.secret.resolve");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].actor, "ann");
  EXPECT_EQ(entries[0].resource, "secret/bob/hf");
  EXPECT_EQ(entries[0].outcome, AuditOutcome::denied);
}

TEST_F(SecretsTest, OnlyTheDeployerResolves) {
  ASSERT_TRUE(put("secret/ann/hf", canary));
  OnBehalf const who{"ann", {"admin"}, ""};
  As const auditor{.name = "auditor", .door = actor::Door::peer};
  EXPECT_EQ(outcome(resolve(who, {{"A", "secret/ann/hf"}}, auditor)), "denied");
  EXPECT_EQ(outcome(resolve(who, {{"A", "secret/ann/hf"}}, root)), "denied") << "no peer at all";
  EXPECT_EQ(outcome(resolve(who, {{"A", "secret/ann/none"}}, deployer)), "not_found");
  EXPECT_EQ(outcome(resolve(who, {{"A", "secret//x"}}, deployer)), "invalid");
}

TEST_F(SecretsTest, CheckSaysWhatResolveWouldSayWithoutAValue) {
  ASSERT_TRUE(put("secret/ann/hf", canary));
  OnBehalf const who{"ann", {"user"}, ""};
  auto const checked = ask(SecretCheck{who, {{"A", "secret/ann/hf"}}}, deployer);
  ASSERT_TRUE(checked) << checked.error().what;
  EXPECT_EQ(checked->secrets, 1u);
  EXPECT_EQ(outcome(ask(SecretCheck{who, {{"A", "secret/bob/hf"}}}, deployer)), "denied");
  EXPECT_EQ(outcome(ask(SecretCheck{who, {{"A", "secret/ann/no"}}}, deployer)), "not_found");
  ASSERT_EQ(audited("vault.secret.check").size(), 1u) << "the denial";
}

TEST_F(SecretsTest, ARevokedTokenResolvesNothingAlsoWhenItHasExpired) {
  ASSERT_TRUE(put("secret/ann/hf", canary));
  auto const token = ask(TokenCreate{"ann", {"user"}, "", 60'000}, root);
  ASSERT_TRUE(token) << token.error().what;
  OnBehalf const who{"ann", {"user"}, token->claims.token};
  std::map<std::string, std::string> const wanted{{"A", "secret/ann/hf"}};
  EXPECT_TRUE(resolve(who, wanted, deployer));
  ASSERT_TRUE(ask(TokenRevoke{token->claims.token}, root));
  EXPECT_EQ(outcome(resolve(who, wanted, deployer)), "denied");
  advance(120'000);
  EXPECT_EQ(outcome(resolve(who, wanted, deployer)), "denied");
  boot();
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  EXPECT_EQ(outcome(resolve(who, wanted, deployer)), "denied");
}

}  // namespace
}  // namespace lepton::vault::testing
