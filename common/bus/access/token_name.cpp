#include "common/bus/access/token_name.hpp"

#include <algorithm>

#include "common/crypto/encode.hpp"

namespace lepton::access {
namespace {

constexpr std::string_view prefix = "name.";

}  // namespace

// The token's size goes in front, so that no other pair of token and key gives the same text.
crypto::Hash token_hash(std::string_view token, std::string_view key) {
  thread_local crypto::Sha256 hasher;
  return hasher.update(std::to_string(token.size()) + ":").update(token).update(key).finish();
}

std::string token_name(std::string_view token, std::string_view key) {
  return std::string(prefix) + crypto::base64url(crypto::view(token_hash(token, key)));
}

std::optional<crypto::Hash> parse_token_name(std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  auto const octets = crypto::from_base64url(text.substr(prefix.size()));
  crypto::Hash hash{};
  if (!octets || octets->size() != hash.size()) return std::nullopt;
  std::copy(octets->begin(), octets->end(), hash.begin());
  return hash;
}

}  // namespace lepton::access
