#include "services/vault/vault.hpp"

#include "services/vault/core/policies.hpp"

namespace lepton::vault {

Vault::Vault(Settings settings) : settings_(std::move(settings)) {
  on<VaultStatus>(&Vault::status);
  on<VaultInit>(&Vault::init);
  on<VaultUnseal>(&Vault::unseal);
  on<VaultSeal>(&Vault::seal);
  on<VaultRotate>(&Vault::rotate);
  on<ServiceKeyRotate>(&Vault::note_service_key);
  on<SecretPut>(&Vault::put);
  on<SecretGet>(&Vault::get);
  on<SecretList>(&Vault::list);
  on<SecretRemove>(&Vault::remove);
  on<SecretCheck>(&Vault::check);
  on<SecretResolve>(&Vault::resolve);
  on<TokenCreate>(&Vault::create_token);
  on<TokenRevoke>(&Vault::revoke_token);
  on<TokenList>(&Vault::list_tokens);
  on<PolicyPut>(&Vault::put_policy);
  on<PolicyList>(&Vault::list_policies);
  on<PolicyRemove>(&Vault::remove_policy);
}

std::vector<store::Table const*> Vault::tables() const {
  return {&store::table_of<SealRow>(), &store::table_of<SecretRow>(),
          &store::table_of<SecretVersionRow>(), &store::table_of<TokenRecordRow>(),
          &store::table_of<PolicyRow>()};
}

void Vault::restore(actor::Rows const& rows) {
  for (auto& row : rows.of<SealRow>()) seal_ = std::move(row);
  for (auto const& row : rows.of<SecretRow>())
    secrets_[row.path] = {row.path, static_cast<std::uint32_t>(row.latest), {}};
  for (auto& row : rows.of<SecretVersionRow>())
    secrets_[row.path].versions.push_back({static_cast<std::uint32_t>(row.version),
                                           row.created_at_ms, row.created_by,
                                           std::move(row.sealed)});
  for (auto const& row : rows.of<TokenRecordRow>())
    tokens_[row.token] = {
        {row.token, row.subject, row.policies, row.key, row.issued_at_ms, row.expires_at_ms},
        row.parent,
        row.revoked};
  for (auto& row : rows.of<PolicyRow>()) policies_[row.name] = {row.name, std::move(row.rules)};
}

// The built-in policies are rows from the first init on: one that was removed stays away.
void Vault::start(Context& c) {
  if (!seal_)
    for (auto& policy : builtin_policies()) policies_.try_emplace(policy.name, policy);
  renew_admin(c);
  rebuild_policies();
  if (seal_ && !settings_.root->empty())
    if (auto opened = open_with(*settings_.root); !opened)
      c.log(actor::Level::error, "the vault stays sealed: " + opened.error().what);
  tick(c);
}

// Nobody can change it, so whatever a new version adds to it comes by itself.
void Vault::renew_admin(Context& c) {
  auto const newest = builtin_policies().front();
  auto& kept = policies_[newest.name];
  if (!seal_ || kept == newest) return;
  kept = newest;
  c.upsert(PolicyRow{newest.name, newest.rules});
  rules_changed(c);
}

void Vault::tick(Context& c) {
  constexpr TimeMs every_ms = 10'000;
  wall_ms_ = c.wall();
  forget_expired(c);
  c.after(every_ms, [this](Context& later) { tick(later); });
}

std::map<std::string, std::int64_t> Vault::counters() const {
  return {{"sealed", keyring_ ? 0 : 1},
          {"secrets", static_cast<std::int64_t>(secrets_.size())},
          {"tokens", static_cast<std::int64_t>(tokens_.size())},
          {"policies", static_cast<std::int64_t>(policies_.size())}};
}

}  // namespace lepton::vault
