#pragma once
// Rules on tokens: nobody grants more than they hold. Without 'manage token', a new token is for
// the creator's own subject, carries only policies of the creator and all of those that deny
// something (leaving a denial out would widen the rights), ends no later than the creator's token,
// and is bound to a key when the creator's is. Revoking a token revokes all that came from it.
// Pure; rows are the vault's own.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/bus/access/policy.hpp"
#include "common/schema/schema.hpp"
#include "schemas/access.hpp"

namespace lepton::vault {

inline constexpr std::size_t max_live_tokens = 50'000;

struct TokenLimits {
  std::int64_t min_ttl_ms = 1000;
  std::int64_t default_ttl_ms = 12 * 3'600'000ll;
  std::int64_t max_ttl_ms = 30 * 86'400'000ll;
};

struct TokenRequest {
  std::string subject;
  std::vector<std::string> policies;
  std::string key;
  std::int64_t ttl_ms = 0;  // 0 means the default
};

// What the vault keeps of a token: never its text.
struct TokenRow {
  TokenClaims claims;
  std::string parent;
  bool revoked = false;

  bool operator==(TokenRow const&) const = default;
  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "claims", &TokenRow::claims, "What the token says."),
        field(2, "parent", &TokenRow::parent, "Token of its creator; empty for the first one."),
        field(3, "revoked", &TokenRow::revoked, "It is void although it has not expired."));
  }
};
static_assert(schema::complete<TokenRow>());
using TokenRows = std::map<std::string, TokenRow>;  // by token id

// Time to live within the limits; too long becomes the longest, too short the shortest.
Result<std::int64_t> clamp_ttl(std::int64_t ttl_ms, TokenLimits const& limits);

// The claims of a new token. The creator needs 'write token' or 'manage token'.
Result<TokenClaims> grant(TokenRequest const& request, TokenClaims const& creator,
                          access::PolicySet const& policies, std::string token_id, WallMs now_ms,
                          TokenLimits const& limits = {});

// `exhausted` when max_live_tokens are live.
Status check_room(TokenRows const& rows, WallMs now_ms);

// The token and all that came from it, those not yet revoked, in order of their id. Allowed to its
// subject and to holders of 'manage token'.
Result<std::vector<std::string>> revoke(TokenRows const& rows, std::string const& token_id,
                                        TokenClaims const& caller,
                                        access::PolicySet const& policies);

// Rows that expired and can go: they speak for nobody any more, revoked or not. A row stays while
// a live token that came from it needs the chain for its revocation.
std::vector<std::string> expired(TokenRows const& rows, WallMs now_ms);

// Revoked tokens that have not expired: the list of an AccessSnapshot.
std::vector<std::string> revoked(TokenRows const& rows, WallMs now_ms);

}  // namespace lepton::vault
