#pragma once
// Tokens: "lep1." CLAIMS "." SIGNATURE, both base64url. CLAIMS is the wire form of TokenClaims, the
// signature is Ed25519 by the vault over a prefix of its own and CLAIMS. The expiry is absolute and
// checked at each use. No error repeats any part of a token. Pure; any thread.

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "common/crypto/sign.hpp"
#include "schemas/access.hpp"

namespace lepton::access {

inline constexpr std::size_t max_token_size = 3500;    // it travels in a header of at most 4 KiB
inline constexpr std::int64_t clock_skew_ms = 60'000;  // how far ahead the vault's clock may be

// Claims that no vault should sign: names outside the grammar, a key that is none, no lifetime.
Status check_claims(TokenClaims const& claims);

Result<Secret<std::string>> issue(TokenClaims const& claims, crypto::SigningKey const& key);

// All refusals are `denied`. `presented_key` is the Z85 CURVE key of the connection it came over.
Result<TokenClaims> verify(std::string_view token, crypto::VerifyKey const& vault,
                           std::string_view presented_key, WallMs now_ms,
                           AccessSnapshot const& snapshot);

// The part of verify() that changes with time and place, for claims whose signature is known good.
Status check_use(TokenClaims const& claims, std::string_view presented_key, WallMs now_ms);

}  // namespace lepton::access
