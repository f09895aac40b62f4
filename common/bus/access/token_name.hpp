#pragma once
// The name of a token on the connections of one CURVE key: a hash of both. A client sends it in
// place of the token once a service has taken the token itself: a token has some 300 octets, and
// encrypting them twice for each message costs more than all the rest of a header. A service that
// does not know the name (a new life, new rules, a full cache) asks for the token
// (Refusal::token_wanted). Another key cannot use the name. Pure; any thread.

#include <optional>
#include <string>
#include <string_view>

#include "common/crypto/hash.hpp"

namespace lepton::access {

crypto::Hash token_hash(std::string_view token, std::string_view key);
std::string token_name(std::string_view token, std::string_view key);  // "name." and base64url
std::optional<crypto::Hash> parse_token_name(std::string_view text);   // nothing: it is no name

}  // namespace lepton::access
