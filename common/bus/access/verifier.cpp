#include "common/bus/access/verifier.hpp"

#include <cstring>

#include "common/bus/access/token_name.hpp"

namespace lepton::access {

std::size_t TokenVerifier::FirstOctets::operator()(crypto::Hash const& hash) const {
  std::size_t out = 0;
  std::memcpy(&out, hash.data(), sizeof(out));
  return out;
}

TokenVerifier::TokenVerifier(std::size_t capacity) : capacity_(capacity) {
  LEPTON_CHECK(capacity > 0, "a token cache needs room for one token");
}

Status TokenVerifier::update(AccessSnapshot snapshot) {
  if (vault_ && snapshot.revision == snapshot_.revision) return ok();
  if (vault_ && snapshot.revision < snapshot_.revision)
    return Error{Code::conflict, "access rules of revision " + std::to_string(snapshot.revision) +
                                     " are older than the " + std::to_string(snapshot_.revision) +
                                     " in force; if the vault was restored from a backup, restart "
                                     "this service"};
  auto vault = crypto::VerifyKey::from_bytes(snapshot.vault_key.data);
  if (!vault) return vault.error();
  auto policies = PolicySet::create(snapshot.policies);
  if (!policies) return policies.error();
  vault_ = std::move(*vault);
  policies_ = std::move(*policies);
  snapshot_ = std::move(snapshot);
  places_.clear();
  order_.clear();
  return ok();
}

Result<TokenVerifier::Claims> TokenVerifier::check(std::string_view token,
                                                   std::string_view presented_key, WallMs now_ms) {
  if (!vault_)
    return Error{Code::unavailable,
                 "the access rules have not arrived from the vault yet; retry in a second, and "
                 "see 'lepton vault status' if it stays"};
  auto const named = parse_token_name(token);
  auto const hash = named ? *named : token_hash(token, presented_key);
  auto const found = places_.find(hash);
  // A hash of another connection's key is no name of this one.
  if (found != places_.end() && found->second->key == presented_key) {
    ++hits_;
    order_.splice(order_.begin(), order_, found->second);
    auto const& claims = found->second->claims;
    if (auto fits = check_use(*claims, presented_key, now_ms); !fits) return fits.error();
    return claims;
  }
  ++misses_;
  if (named) return Error{Code::not_found, "no token of this name is known; send the token itself"};
  auto verified = verify(token, *vault_, presented_key, now_ms, snapshot_);
  if (!verified) return verified.error();
  auto claims = std::make_shared<TokenClaims const>(std::move(*verified));
  remember({hash, std::string(presented_key), claims});
  return claims;
}

Status TokenVerifier::authorize(TokenClaims const& claims, ResourcePath const& path,
                                Verb verb) const {
  if (policies_.decide(claims.subject, claims.policies, path, verb).allowed) return ok();
  return Error{Code::denied, policies_.explain(claims.subject, claims.policies, path, verb) +
                                 "; ask for a policy that allows it, see 'lepton policy list'"};
}

void TokenVerifier::remember(Entry entry) {
  if (order_.size() >= capacity_) {
    places_.erase(order_.back().hash);
    order_.pop_back();
  }
  order_.push_front(std::move(entry));
  places_.emplace(order_.front().hash, order_.begin());
}

}  // namespace lepton::access
