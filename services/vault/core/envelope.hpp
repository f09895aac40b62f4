#pragma once
// A secret value at rest: format octet, key id, nonce, ciphertext, tag. It is bound to its place
// (tenant, path, version) and key id, so that a value copied to another row does not open.
// Pure: the nonce is an argument and must be fresh from Entropy for each value.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/crypto/seal.hpp"
#include "services/vault/core/keyring.hpp"

namespace lepton::vault {

struct Place {
  std::string tenant;
  std::string path;
  std::uint32_t version = 0;
};

std::string encrypt(Keyring const& keys, Place const& place, crypto::SealNonce const& nonce,
                    std::string_view value);

// `internal` when the blob was changed, moved, or needs a key that the keyring lacks.
Result<Secret<std::string>> decrypt(Keyring const& keys, Place const& place, std::string_view blob);

// The key that sealed it: what a rotation looks for. Nothing is authenticated yet.
Result<std::uint32_t> key_of(std::string_view blob);

// The same value under the active key.
Result<std::string> renew(Keyring const& keys, Place const& place, crypto::SealNonce const& nonce,
                          std::string_view blob);

}  // namespace lepton::vault
