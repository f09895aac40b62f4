#pragma once
// AES-256-GCM with a 96-bit nonce (SP 800-38D): the inner half of seal.hpp, which everyone else
// uses, because two messages under one key and nonce would give the key stream away. Any thread.

#include <optional>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"

namespace lepton::crypto {

inline constexpr std::size_t gcm_key_size = 32;
inline constexpr std::size_t gcm_nonce_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;
inline constexpr std::size_t gcm_size_limit = 1u << 30;  // OpenSSL counts in int

// Ciphertext followed by the tag. Wrong sizes stop the process.
std::string gcm_seal(std::string_view key, std::string_view nonce, std::string_view aad,
                     std::string_view plaintext);

// Nothing when any octet of key, nonce, aad or `sealed` differs.
std::optional<Secret<std::string>> gcm_open(std::string_view key, std::string_view nonce,
                                            std::string_view aad, std::string_view sealed);

// AES-256 of whole 16-octet blocks, each on its own: for key derivation only.
std::string aes_blocks(std::string_view key, std::string_view blocks);

}  // namespace lepton::crypto
