#include "common/bus/access/token.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/bus/access/path.hpp"
#include "common/bus/access/policy.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::access {
namespace {

constexpr std::string_view prefix = "lep1.";
constexpr std::string_view signed_as = "lepton token v1\n";
constexpr std::size_t curve_key_size = 40;

Error denied(std::string what) {
  return {Code::denied, std::move(what)};
}

Error malformed() {
  return denied(
      "the token is malformed; copy it again whole, or create one with "
      "'lepton token create'");
}

std::string to_sign(std::string_view claims) {
  return std::string(signed_as).append(claims);
}

struct Parts {
  std::string claims, signature;
};

Result<Parts> take_apart(std::string_view token) {
  if (token.size() > max_token_size || !token.starts_with(prefix)) return malformed();
  token.remove_prefix(prefix.size());
  auto const dot = token.find('.');
  if (dot == token.npos) return malformed();
  auto claims = crypto::from_base64url(token.substr(0, dot));
  auto signature = crypto::from_base64url(token.substr(dot + 1));
  if (!claims || !signature || signature->size() != sizeof(crypto::Signature)) return malformed();
  return Parts{std::move(*claims), std::move(*signature)};
}

}  // namespace

Status check_claims(TokenClaims const& claims) {
  if (auto legal = check_segment("token id", claims.token); !legal) return legal.error();
  if (auto legal = check_segment("subject", claims.subject); !legal) return legal.error();
  if (claims.policies.size() > max_policies)
    return Error{Code::invalid,
                 "a token carries at most " + std::to_string(max_policies) + " policies"};
  for (auto const& policy : claims.policies)
    if (auto legal = check_segment("policy name", policy); !legal) return legal.error();
  if (!claims.key.empty() && (claims.key.size() != curve_key_size || !crypto::from_z85(claims.key)))
    return Error{Code::invalid, "the key of a token must be a CURVE key of 40 Z85 characters"};
  if (claims.issued_at_ms < 0 || claims.expires_at_ms <= claims.issued_at_ms)
    return Error{Code::invalid, "a token must expire after it is issued"};
  return ok();
}

Result<Secret<std::string>> issue(TokenClaims const& claims, crypto::SigningKey const& key) {
  if (auto good = check_claims(claims); !good) return good.error();
  auto const body = codec::encode(claims);
  auto const signature = key.sign(to_sign(body));
  auto text = std::string(prefix) + crypto::base64url(body) + "." +
              crypto::base64url(crypto::view(signature));
  if (text.size() > max_token_size)
    return Error{Code::invalid, "the token would be larger than " + std::to_string(max_token_size) +
                                    " octets; give it fewer policies, or shorter names"};
  return Secret<std::string>(std::move(text));
}

Status check_use(TokenClaims const& claims, std::string_view presented_key, WallMs now_ms) {
  if (now_ms >= claims.expires_at_ms)
    return denied("the token expired at " + text::utc(claims.expires_at_ms) +
                  "; create a new one with 'lepton token create'");
  if (!claims.key.empty() && !crypto::equal_constant_time(claims.key, presented_key))
    return denied(
        "the token is bound to another key; use it where it was created for, or create "
        "one for this key with 'lepton token create'");
  // No fault of who asks: a node is heard again when the clocks are right.
  if (claims.issued_at_ms > now_ms + clock_skew_ms)
    return Error{Code::unavailable, "the token is from the future (" +
                                        text::utc(claims.issued_at_ms) +
                                        "); set the clocks of this machine and of the vault right"};
  return ok();
}

Result<TokenClaims> verify(std::string_view token, crypto::VerifyKey const& vault,
                           std::string_view presented_key, WallMs now_ms,
                           AccessSnapshot const& snapshot) {
  auto const parts = take_apart(token);
  if (!parts) return parts.error();
  if (!vault.verify(to_sign(parts->claims), parts->signature))
    return denied(
        "the token was not signed by this vault; create one here with "
        "'lepton token create'");
  auto claims = codec::decode<TokenClaims>(parts->claims);
  if (!claims || !check_claims(*claims)) return malformed();
  auto const& revoked = snapshot.revoked;
  if (std::find(revoked.begin(), revoked.end(), claims->token) != revoked.end())
    return denied("the token was revoked; create a new one with 'lepton token create'");
  if (auto fits = check_use(*claims, presented_key, now_ms); !fits) return fits.error();
  return std::move(*claims);
}

}  // namespace lepton::access
