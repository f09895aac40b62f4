// Root key, seal and keyring.

#include "tests/services/vault/rig.hpp"

namespace lepton::vault::testing {
namespace {

class SealTest : public VaultTest {};

TEST_F(SealTest, OnlyTheAdministratorsKeyOrManageVaultMayInitialise) {
  EXPECT_EQ(outcome(ask(VaultInit{root_key(), "ann"}, ann)), "denied");
  EXPECT_EQ(outcome(ask(VaultInit{root_key(), "eve"}, {.name = "eve", .key = ""})), "denied");
  EXPECT_FALSE(state().initialised);
  ASSERT_EQ(audited("vault.seal.init").size(), 2u);
  EXPECT_EQ(audited("vault.seal.init")[0].outcome, AuditOutcome::denied);
  EXPECT_EQ(audited("vault.seal.init")[0].resource, "vault");

  auto const issued = ask(VaultInit{root_key(), "boss"}, holder);
  ASSERT_TRUE(issued) << issued.error().what;
  EXPECT_EQ(issued->claims.subject, "boss");
  EXPECT_EQ(issued->claims.policies, std::vector<std::string>{"admin"});
  EXPECT_EQ(issued->claims.key, admin_key) << "bound to the key of the connection";
  EXPECT_TRUE(state().initialised);
  EXPECT_FALSE(state().sealed);
  EXPECT_EQ(state().tokens, 1u);
  EXPECT_EQ(audited("vault.seal.init").back().outcome, AuditOutcome::done);
}

TEST_F(SealTest, WithoutAnAdministratorsKeyAnEmptyOneProvesNothing) {
  vault_settings.admin_key = "";
  boot();
  EXPECT_EQ(outcome(ask(VaultInit{root_key(), "eve"}, {.name = "eve", .key = ""})), "denied");
  EXPECT_TRUE(ask(VaultInit{root_key(), "root"}, root)) << "manage vault by a policy";
}

TEST_F(SealTest, BadInitsAreRefused) {
  EXPECT_EQ(outcome(ask(VaultInit{value("short"), "root"}, holder)), "invalid");
  EXPECT_EQ(outcome(ask(VaultInit{root_key(), "no/segment"}, holder)), "invalid");
  EXPECT_EQ(outcome(ask(VaultUnseal{root_key()}, holder)), "unavailable");
  EXPECT_EQ(outcome(ask(VaultSeal{}, root)), "unavailable");
  EXPECT_EQ(outcome(ask(VaultRotate{}, root)), "unavailable");
  EXPECT_FALSE(state().initialised);
}

TEST_F(SealTest, InitAgainNeedsTheSameRootKey) {
  init();
  ASSERT_TRUE(put("secret/ml/hf", canary));
  EXPECT_EQ(outcome(ask(VaultInit{root_key('I'), "thief"}, holder)), "denied");
  EXPECT_EQ(got("secret/ml/hf"), canary) << "a refused init changes nothing";
  ASSERT_TRUE(ask(VaultSeal{}, root));
  auto const before = state().revision;
  auto const again = ask(VaultInit{root_key(), "root"}, holder);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_FALSE(state().sealed);
  EXPECT_EQ(got("secret/ml/hf"), canary) << "the keyring is the old one";
  EXPECT_GT(state().revision, before);
  EXPECT_EQ(audited("vault.seal.init").back().detail.at("again"), "true");
}

TEST_F(SealTest, ARepeatedInitMakesNoSecondToken) {
  auto as = holder;
  as.id = "one";
  ASSERT_TRUE(ask(VaultInit{root_key(), "root"}, as));
  EXPECT_EQ(outcome(ask(VaultInit{root_key(), "root"}, as)), "conflict")
      << "its answer held a secret and is not kept";
  EXPECT_EQ(state().tokens, 1u);
}

TEST_F(SealTest, UnsealWithAnotherKeyIsDeniedAndEntered) {
  init();
  ASSERT_TRUE(ask(VaultSeal{}, root));
  EXPECT_EQ(outcome(ask(VaultUnseal{root_key('I')}, holder)), "denied");
  EXPECT_EQ(outcome(ask(VaultUnseal{root_key()}, ann)), "denied");
  EXPECT_TRUE(state().sealed);
  auto const entries = audited("vault.seal.open");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].outcome, AuditOutcome::denied);
  EXPECT_EQ(entries[1].actor, "ann");
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, root));
  EXPECT_FALSE(state().sealed);
}

TEST_F(SealTest, WhileSealedEverySecretAndTokenIsRefusedWithACure) {
  init();
  ASSERT_TRUE(put("secret/ml/hf", canary));
  ASSERT_TRUE(ask(VaultSeal{}, root));
  OnBehalf const who{"root", {"admin"}, ""};
  auto const refused = [](Error const& e) {
    return e.code == Code::unavailable && e.what.find("lepton vault unseal") != std::string::npos;
  };
  EXPECT_TRUE(refused(put("secret/ml/hf", "x").error()));
  EXPECT_TRUE(refused(ask(SecretGet{"secret/ml/hf", {}}, root).error()));
  EXPECT_TRUE(refused(ask(TokenCreate{"root", {"admin"}, "", 0}, root).error()));
  EXPECT_TRUE(refused(ask(VaultRotate{}, root).error()));
  EXPECT_TRUE(
      refused(ask(SecretResolve{who, "j-0-1", "n1", {{"A", "secret/ml/hf"}}}, deployer).error()));
  EXPECT_TRUE(refused(ask(SecretCheck{who, {{"A", "secret/ml/hf"}}}, deployer).error()));
  // What is no secret goes on.
  EXPECT_EQ(ask(SecretList{"secret"}, root)->secrets.size(), 1u);
  EXPECT_TRUE(ask(PolicyPut{{"p", {{"job/*", {Verb::read}, Effect::allow}}}}, root));
  EXPECT_FALSE(rules().policies.empty());
}

TEST_F(SealTest, BeforeInitTheCureIsInit) {
  EXPECT_NE(put("secret/ml/hf", "x").error().what.find("lepton vault init"), std::string::npos);
}

TEST_F(SealTest, ANewKeyOfAServiceIsNotedOnceForEachRequestAlsoWhileSealed) {
  init();
  auto const old_key = std::string(40, 'a'), new_key = std::string(40, 'b');
  EXPECT_EQ(outcome(ask(ServiceKeyRotate{"deployer", old_key, new_key}, ann)), "denied");
  EXPECT_EQ(outcome(ask(ServiceKeyRotate{"deployer", old_key, old_key}, root)), "invalid");
  EXPECT_EQ(outcome(ask(ServiceKeyRotate{"deployer", "short", new_key}, root)), "invalid");
  EXPECT_EQ(outcome(ask(ServiceKeyRotate{"Deployer!", old_key, new_key}, root)), "invalid");
  EXPECT_TRUE(ask(ServiceKeyRotate{"deployer", old_key, new_key}, root));
  ASSERT_TRUE(ask(VaultSeal{}, root));
  EXPECT_TRUE(ask(ServiceKeyRotate{"deployer", new_key, old_key}, root));
}

TEST_F(SealTest, AfterARotationOldValuesStayReadableAndNewOnesUseTheNewKey) {
  init();
  ASSERT_TRUE(put("secret/ml/old", canary));
  EXPECT_EQ(outcome(ask(VaultRotate{}, ann)), "denied");
  auto const wrapped = test::rows_of<SealRow>(*store.disk).at(0).keyring.data;
  auto const rotated = ask(VaultRotate{}, root);
  ASSERT_TRUE(rotated) << rotated.error().what;
  EXPECT_EQ(rotated->keys, 2u);
  EXPECT_NE(test::rows_of<SealRow>(*store.disk).at(0).keyring.data, wrapped);
  ASSERT_TRUE(put("secret/ml/new", canary));
  EXPECT_EQ(got("secret/ml/old"), canary);
  EXPECT_EQ(got("secret/ml/new"), canary);
  // Also after a restart, whose keyring is unwrapped from the row.
  boot();
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  EXPECT_EQ(state().keys, 2u);
  EXPECT_EQ(got("secret/ml/old"), canary);
  EXPECT_EQ(got("secret/ml/new"), canary);
  // The keyring of before the rotation opens the old value only.
  auto row = test::rows_of<SealRow>(*store.disk).at(0);
  row.keyring.data = wrapped;
  ASSERT_FALSE(store.disk->apply(
      {{{store::Op::upsert, &store::table_of<SealRow>(), store::to_cells(row)}}}));
  boot();
  ASSERT_TRUE(ask(VaultUnseal{root_key()}, holder));
  EXPECT_EQ(got("secret/ml/old"), canary);
  EXPECT_NE(got("secret/ml/new"), canary);
}

}  // namespace
}  // namespace lepton::vault::testing
