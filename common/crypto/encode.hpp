#pragma once
// Texts for octets: base64 and base64url (RFC 4648), Z85 (ZeroMQ RFC 32), UUID version 7 (RFC
// 9562), and comparison in constant time. Decoders are strict: one text for each value, everything
// else (white space, wrong padding, leftover bits) is refused with nothing. Any thread.

#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "common/crypto/entropy.hpp"

namespace lepton::crypto {

std::string base64(std::string_view bytes);     // with padding
std::string base64url(std::string_view bytes);  // without padding
std::optional<std::string> from_base64(std::string_view text);
std::optional<std::string> from_base64url(std::string_view text);

// Z85 needs a multiple of 4 octets (5 characters); a CURVE key is 32 octets, 40 characters.
std::string z85(std::string_view bytes);
std::optional<std::string> from_z85(std::string_view text);

// The time depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

// "0190b1c2-....": sorts by creation time; 74 bits of entropy.
std::string uuid7(Entropy& entropy, WallMs wall_ms);

}  // namespace lepton::crypto
