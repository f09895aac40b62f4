#include "services/vault/core/tokens.hpp"

#include <algorithm>
#include <set>

#include "common/base/text.hpp"
#include "common/bus/access/token.hpp"

namespace lepton::vault {
namespace {

using Names = std::vector<std::string>;

bool contains(Names const& names, std::string const& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool may(TokenClaims const& caller, access::PolicySet const& policies, Verb verb) {
  static auto const path = access::ResourcePath::parse("token").value();
  return policies.decide(caller.subject, caller.policies, path, verb).allowed;
}

Error denied(std::string const& what) {
  return {Code::denied, what + "; ask a holder of 'manage token'"};
}

Status check_policies_exist(Names const& names, access::PolicySet const& policies) {
  for (auto const& name : names) {
    if (auto legal = access::check_segment("policy name", name); !legal) return legal.error();
    if (!policies.holds(name))
      return Error{Code::not_found, "there is no policy " + name +
                                        text::did_you_mean(name, policies.names()) +
                                        "; see 'lepton policy list'"};
  }
  return ok();
}

Status check_not_wider(TokenRequest const& request, TokenClaims const& creator,
                       access::PolicySet const& policies) {
  if (request.subject != creator.subject)
    return denied("you are " + creator.subject + " and cannot create tokens for others");
  for (auto const& name : request.policies)
    if (!contains(creator.policies, name))
      return denied("your token does not carry the policy " + name + ", so it cannot give it");
  for (auto const& name : creator.policies)
    if (policies.denies_something(name) && !contains(request.policies, name))
      return denied("the policy " + name +
                    " denies something, so a token made with yours must "
                    "carry it too");
  if (!creator.key.empty() && request.key.empty())
    return denied("your token is bound to a key, so a token made with it must name a key too");
  return ok();
}

std::map<std::string, Names> children_of(TokenRows const& rows) {
  std::map<std::string, Names> out;
  for (auto const& [id, row] : rows)
    if (!row.parent.empty()) out[row.parent].push_back(id);
  return out;
}

// The token and everything below it. Each id is visited once, so a cycle cannot hang it.
std::set<std::string> tree_of(TokenRows const& rows, std::string const& root) {
  auto const children = children_of(rows);
  std::set<std::string> seen = {root};
  Names open = {root};
  while (!open.empty()) {
    auto const id = std::move(open.back());
    open.pop_back();
    auto const found = children.find(id);
    if (found == children.end()) continue;
    for (auto const& child : found->second)
      if (seen.insert(child).second) open.push_back(child);
  }
  return seen;
}

bool is_live(TokenRow const& row, WallMs now_ms) {
  return now_ms < row.claims.expires_at_ms;
}

}  // namespace

Result<std::int64_t> clamp_ttl(std::int64_t ttl_ms, TokenLimits const& limits) {
  if (ttl_ms < 0)
    return Error{Code::invalid, "a time to live cannot be negative; leave it out for the default"};
  if (ttl_ms == 0) ttl_ms = limits.default_ttl_ms;
  return std::clamp(ttl_ms, limits.min_ttl_ms, limits.max_ttl_ms);
}

Result<TokenClaims> grant(TokenRequest const& request, TokenClaims const& creator,
                          access::PolicySet const& policies, std::string token_id, WallMs now_ms,
                          TokenLimits const& limits) {
  bool const manager = may(creator, policies, Verb::manage);
  if (!manager && !may(creator, policies, Verb::write))
    return denied("your token may not create tokens");
  if (auto known = check_policies_exist(request.policies, policies); !known) return known.error();
  auto const ttl_ms = clamp_ttl(request.ttl_ms, limits);
  if (!ttl_ms) return ttl_ms.error();
  auto expires_at_ms = now_ms + *ttl_ms;
  if (!manager) {
    if (auto fits = check_not_wider(request, creator, policies); !fits) return fits.error();
    expires_at_ms = std::min(expires_at_ms, creator.expires_at_ms);
  }
  if (expires_at_ms < now_ms + limits.min_ttl_ms)
    return denied("your own token ends too soon to create another");
  TokenClaims claims{std::move(token_id), request.subject, request.policies,
                     request.key,         now_ms,          expires_at_ms};
  if (auto good = access::check_claims(claims); !good) return good.error();
  return claims;
}

Status check_room(TokenRows const& rows, WallMs now_ms) {
  auto const live = std::count_if(rows.begin(), rows.end(),
                                  [&](auto const& entry) { return is_live(entry.second, now_ms); });
  if (static_cast<std::size_t>(live) < max_live_tokens) return ok();
  return Error{Code::exhausted, std::to_string(max_live_tokens) +
                                    " tokens are live, which is the limit; create tokens with a "
                                    "shorter time to live and wait until old ones expire"};
}

Result<Names> revoke(TokenRows const& rows, std::string const& token_id, TokenClaims const& caller,
                     access::PolicySet const& policies) {
  auto const found = rows.find(token_id);
  bool const manager = may(caller, policies, Verb::manage);
  // One answer for both, so that nobody can try which ids exist.
  if (found == rows.end() || (!manager && found->second.claims.subject != caller.subject))
    return Error{Code::not_found, "you have no token of this id; see 'lepton token list'"};
  Names out;
  for (auto const& id : tree_of(rows, token_id))
    if (!rows.at(id).revoked) out.push_back(id);
  return out;
}

Names expired(TokenRows const& rows, WallMs now_ms) {
  std::set<std::string> needed;
  for (auto const& [id, row] : rows) {
    if (!is_live(row, now_ms)) continue;
    auto place = rows.find(id);
    while (place != rows.end() && needed.insert(place->first).second)
      place = rows.find(place->second.parent);
  }
  Names out;
  for (auto const& [id, row] : rows)
    if (!needed.contains(id)) out.push_back(id);
  return out;
}

Names revoked(TokenRows const& rows, WallMs now_ms) {
  Names out;
  for (auto const& [id, row] : rows)
    if (row.revoked && is_live(row, now_ms)) out.push_back(id);
  return out;
}

}  // namespace lepton::vault
