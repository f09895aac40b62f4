#pragma once
// The vault: keeps secrets, signs tokens, owns the policies. Sealed until the root key is shown;
// the root key is never stored. While it is sealed, secrets and new tokens are refused, and
// everything else goes on: policies, revocations and the access rules that every service takes from
// here are no secrets.
//
// Files: seal.cpp root key and keyring; secrets.cpp values; tokens.cpp tokens; policies.cpp
// policies and the snapshot.

#include <map>
#include <memory>
#include <optional>

#include "common/actor/actor.hpp"
#include "common/bus/access/policy.hpp"
#include "common/crypto/sign.hpp"
#include "schemas/vault_access.hpp"
#include "services/vault/core/envelope.hpp"
#include "services/vault/core/keyring.hpp"
#include "services/vault/core/secrets.hpp"
#include "services/vault/core/tokens.hpp"
#include "services/vault/rows.hpp"

namespace lepton::vault {

struct Settings {
  std::string admin_key;  // CURVE key, z85, that may initialise and unseal
  TokenLimits tokens;
  std::size_t secrets_max = 100'000;
  // Shared by all lives of the actor in this process: a life that ends because the database was
  // away must not seal the vault. Empty while sealed; never leaves the process.
  std::shared_ptr<RootKey> root = std::make_shared<RootKey>();
};

inline constexpr std::string_view tenant = "suite";

class Vault : public actor::Actor {
 public:
  explicit Vault(Settings settings);

  std::vector<store::Table const*> tables() const override;
  void restore(actor::Rows const& rows) override;
  void start(actor::Context& c) override;
  Result<std::string> snapshot(std::string_view stream) override;
  std::map<std::string, std::int64_t> counters() const override;

 protected:  // for the next version (tests/process/next), which is derived from this one
  using Context = actor::Context;

  // seal.cpp
  Result<VaultState> status(VaultStatus const&, Context& c);
  Result<TokenIssued> init(VaultInit const& m, Context& c);
  Result<VaultState> unseal(VaultUnseal const& m, Context& c);
  Result<VaultState> seal(VaultSeal const&, Context& c);
  Result<VaultState> rotate(VaultRotate const&, Context& c);
  Result<VaultState> note_service_key(ServiceKeyRotate const& m, Context& c);
  Status admit_root(Context& c);
  Status open_with(RootKey const& root);
  void create_seal(RootKey const& root, Context& c);
  VaultState state(WallMs now) const;
  Status need_open() const;

  // secrets.cpp
  Result<SecretInfo> put(SecretPut const& m, Context& c);
  Result<SecretValue> get(SecretGet const& m, Context& c);
  Result<SecretPage> list(SecretList const& m, Context& c);
  Result<SecretRemoved> remove(SecretRemove const& m, Context& c);
  Result<SecretsChecked> check(SecretCheck const& m, Context& c);
  Result<SecretsResolved> resolve(SecretResolve const& m, Context& c);
  Status may_read(OnBehalf const& who, std::map<std::string, std::string> const& secrets,
                  Context& c);
  Result<Secret<>> open_value(std::string const& path, SecretVersion const& version) const;

  // tokens.cpp
  Result<TokenIssued> create_token(TokenCreate const& m, Context& c);
  Result<TokenRevoked> revoke_token(TokenRevoke const& m, Context& c);
  Result<TokenPage> list_tokens(TokenList const& m, Context& c);
  Result<TokenIssued> issue_token(TokenClaims claims, std::string parent, Context& c);
  void forget_expired(Context& c);
  TokenClaims claims_of(actor::Caller const& caller) const;

  // policies.cpp
  Result<PolicyStored> put_policy(PolicyPut const& m, Context& c);
  Result<PolicyPage> list_policies(PolicyList const&, Context& c);
  Result<PolicyStored> remove_policy(PolicyRemove const& m, Context& c);
  void rules_changed(Context& c);
  void rebuild_policies();
  void renew_admin(Context& c);
  void tick(Context& c);

  Settings settings_;
  std::optional<SealRow> seal_;
  std::optional<Keyring> keyring_;  // nothing while sealed
  std::optional<crypto::SigningKey> signer_;
  std::map<std::string, SecretRecord> secrets_;
  TokenRows tokens_;
  std::map<std::string, Policy> policies_;
  access::PolicySet policy_set_;
  WallMs wall_ms_ = 0;  // of the last tick, for counters and snapshots
};

}  // namespace lepton::vault
