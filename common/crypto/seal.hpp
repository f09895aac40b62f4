#pragma once
// Authenticated encryption with XAES-256-GCM (C2SP): 192-bit nonces, so that random ones stay safe
// for 2^80 messages, built from AES-256-CMAC key derivation (SP 800-108) and AES-256-GCM.
// `aad` is authenticated but not stored: opening needs the same octets. Any thread.

#include <array>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::crypto {

using SealKey = Secret<std::string>;  // exactly 32 octets
using SealNonce = std::array<unsigned char, 24>;
inline constexpr std::size_t seal_key_size = 32;
inline constexpr std::size_t seal_tag_size = 16;

// Ciphertext followed by the 16-octet tag. Checks (stops the process) that the key has 32 octets.
std::string seal(SealKey const& key, SealNonce const& nonce, std::string_view aad,
                 std::string_view plaintext);

// Denied when key, nonce, aad or any octet of `sealed` differs; nothing of the text comes out then.
Result<Secret<std::string>> open(SealKey const& key, SealNonce const& nonce, std::string_view aad,
                                 std::string_view sealed);

}  // namespace lepton::crypto
