#pragma once
// The keyring: data keys that seal secrets. The newest is active and seals; the others only open.
// At rest it is wrapped with the root key, which the vault never stores. The wrapping commits to
// the root key (HKDF-SHA-256), so that a wrong key and a damaged keyring are told apart.
// Pure: fresh keys and nonces are arguments. Owned by the vault's actor.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "common/crypto/seal.hpp"

namespace lepton::vault {

using RootKey = Secret<std::string>;  // 32 octets

inline constexpr std::size_t max_data_keys = 1024;

// The text of a key file or of what a person types: 43 characters of base64url, white space around
// it allowed. Invalid otherwise; the error never repeats the text.
Result<RootKey> parse_root_key(std::string_view text);
Secret<std::string> format_root_key(RootKey const& key);

enum class KeyState : std::uint8_t { unknown, active, retired };

struct DataKey {
  std::uint32_t id = 0;  // from 1, never used again
  WallMs created_at_ms = 0;
  KeyState state = KeyState::unknown;
  crypto::SealKey key;
};

class Keyring {
 public:
  // `fresh` is 32 octets of Entropy.
  static Keyring create(crypto::SealKey fresh, WallMs now_ms);

  // The new key becomes active. `exhausted` at max_data_keys.
  Status rotate(crypto::SealKey fresh, WallMs now_ms);

  DataKey const& active() const { return keys_.back(); }
  DataKey const* find(std::uint32_t id) const;  // nothing when there is none
  std::vector<DataKey> const& keys() const { return keys_; }

  std::string wrap(RootKey const& root, crypto::SealNonce const& nonce,
                   std::string_view tenant) const;
  // `denied` when the root key is another one; `internal` when the keyring was changed.
  static Result<Keyring> unwrap(RootKey const& root, std::string_view tenant,
                                std::string_view wrapped);

 private:
  std::vector<DataKey> keys_;  // rising ids, never empty, the last one active
};

}  // namespace lepton::vault
