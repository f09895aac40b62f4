// Policies, and the access rules that every service takes from here.

#include "services/vault/core/policies.hpp"

#include "services/vault/vault.hpp"

namespace lepton::vault {

void Vault::rebuild_policies() {
  std::vector<Policy> all;
  for (auto const& [name, policy] : policies_) all.push_back(policy);
  auto set = access::PolicySet::create(std::move(all));
  LEPTON_CHECK(set.has_value(), "a stored policy is not a legal one");
  policy_set_ = std::move(*set);
}

// The revision goes up in the transaction of the change; its event is the hint for the services.
void Vault::rules_changed(Context& c) {
  if (!seal_) return;
  ++seal_->revision;
  c.upsert(*seal_);
  c.emit("access", AccessChanged{static_cast<std::uint64_t>(seal_->revision)});
}

Result<std::string> Vault::snapshot(std::string_view stream) {
  if (stream != "access") return Actor::snapshot(stream);
  if (!seal_) return Error{Code::unavailable, "the vault is not initialised"};
  AccessSnapshot rules;
  rules.revision = static_cast<std::uint64_t>(seal_->revision);
  for (auto const& [name, policy] : policies_) rules.policies.push_back(policy);
  rules.revoked = revoked(tokens_, wall_ms_);
  rules.vault_key = seal_->public_key;
  return codec::encode(rules);
}

Result<PolicyStored> Vault::put_policy(PolicyPut const& m, Context& c) {
  if (auto good = check_put(policies_, m.policy); !good) return good.error();
  policies_[m.policy.name] = m.policy;
  rebuild_policies();
  c.upsert(PolicyRow{m.policy.name, m.policy.rules});
  rules_changed(c);
  return PolicyStored{m.policy.name};
}

Result<PolicyPage> Vault::list_policies(PolicyList const&, Context&) {
  PolicyPage page;
  for (auto const& [name, policy] : policies_) page.policies.push_back(policy);
  return page;
}

Result<PolicyStored> Vault::remove_policy(PolicyRemove const& m, Context& c) {
  if (auto good = check_remove(policies_, m.name); !good) return good.error();
  c.erase(PolicyRow{m.name, {}});
  policies_.erase(m.name);
  rebuild_policies();
  rules_changed(c);
  return PolicyStored{m.name};
}

}  // namespace lepton::vault
