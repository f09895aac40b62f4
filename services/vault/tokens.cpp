// Tokens: who holds what rights, for how long. The vault keeps what a token says, never its text.

#include <algorithm>

#include "common/bus/access/token.hpp"
#include "common/crypto/encode.hpp"
#include "services/vault/vault.hpp"

namespace lepton::vault {
namespace {

constexpr TimeMs revoked_kept_ms = 90 * 86'400'000ll;

TokenRecordRow row_of(TokenRow const& t) {
  return {t.claims.token,        t.claims.subject,       t.claims.policies, t.claims.key,
          t.claims.issued_at_ms, t.claims.expires_at_ms, t.parent,          t.revoked};
}

}  // namespace

TokenClaims Vault::claims_of(actor::Caller const& caller) const {
  auto const known = tokens_.find(caller.token);
  if (known != tokens_.end()) return known->second.claims;
  TokenClaims claims;
  claims.subject = caller.name;
  claims.policies = caller.policies;
  claims.key = caller.key;
  return claims;
}

Result<TokenIssued> Vault::issue_token(TokenClaims claims, std::string parent, Context& c) {
  auto text = access::issue(claims, *signer_);
  if (!text) return text.error();
  TokenRow const row{claims, std::move(parent), false};
  tokens_[claims.token] = row;
  c.append(row_of(row));
  c.note("token", claims.token);
  c.note("subject", claims.subject);
  c.note("policies", text::join(claims.policies, ","));
  return TokenIssued{claims, std::move(*text)};
}

Result<TokenIssued> Vault::create_token(TokenCreate const& m, Context& c) {
  auto const creator = claims_of(c.caller());
  c.grant("token");  // the rules of grant() decide, which know the creator's policies
  if (auto open = need_open(); !open) return open.error();
  if (auto room = check_room(tokens_, c.wall()); !room) return room.error();
  for (auto const& policy : m.policies)
    if (!policies_.contains(policy)) {
      std::vector<std::string> names;
      for (auto const& [name, known] : policies_) names.push_back(name);
      return Error{Code::not_found,
                   "there is no policy '" + policy + "'" + text::did_you_mean(policy, names)};
    }
  auto claims = grant({m.subject, m.policies, m.key, m.ttl_ms}, creator, policy_set_,
                      crypto::uuid7(c.entropy(), c.wall()), c.wall(), settings_.tokens);
  if (!claims) return claims.error();
  return issue_token(std::move(*claims), creator.token, c);
}

// Durable before the answer, and with every service within a second.
Result<TokenRevoked> Vault::revoke_token(TokenRevoke const& m, Context& c) {
  c.grant("token");  // the rules of revoke() decide: one's own, or with `manage token`
  auto ids = revoke(tokens_, m.token, claims_of(c.caller()), policy_set_);
  if (!ids) return ids.error();
  for (auto const& id : *ids) {
    auto& row = tokens_.at(id);
    row.revoked = true;
    c.upsert(row_of(row));
  }
  rules_changed(c);
  c.note("token", m.token);
  c.note("revoked", std::to_string(ids->size()));
  return TokenRevoked{std::move(*ids)};
}

Result<TokenPage> Vault::list_tokens(TokenList const& m, Context& c) {
  TokenPage page;
  for (auto const& [id, row] : tokens_)
    if (!row.revoked && row.claims.expires_at_ms > c.wall()) page.tokens.push_back(row.claims);
  std::sort(page.tokens.begin(), page.tokens.end(), [](auto const& a, auto const& b) {
    return std::tie(b.issued_at_ms, a.token) < std::tie(a.issued_at_ms, b.token);
  });
  if (page.tokens.size() > m.limit) page.tokens.resize(m.limit);
  return page;
}

// Revoked ones stay known for longer: jobs that were submitted with them may still want secrets.
void Vault::forget_expired(Context& c) {
  for (auto const& id : expired(tokens_, c.wall())) {
    auto const& row = tokens_.at(id);
    if (row.revoked && row.claims.expires_at_ms + revoked_kept_ms > c.wall()) continue;
    c.erase(row_of(tokens_.at(id)));
    tokens_.erase(id);
  }
}

}  // namespace lepton::vault
