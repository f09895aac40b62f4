#pragma once
// Access rules and tokens as the vault would make them.

#include "common/bus/access/token.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/seeded_entropy.hpp"

namespace lepton::service::testing {

constexpr WallMs now_ms = 1'800'000'000'000;

inline crypto::SigningKey vault_key() {
  crypto::SeededEntropy entropy(1);
  return crypto::SigningKey::create(entropy);
}

inline std::string token_of_ann(std::int64_t ttl_ms = 60'000) {
  return access::issue({"t1", "ann", {"ml"}, "", now_ms, now_ms + ttl_ms}, vault_key())
      .value()
      .reveal();
}

inline AccessSnapshot rules(std::uint64_t revision, std::vector<std::string> revoked = {}) {
  return {revision,
          {{"ml", {{"secret/ml/*", {Verb::read}, Effect::allow}}}},
          std::move(revoked),
          Bytes{std::string(crypto::view(vault_key().public_key()))}};
}

}  // namespace lepton::service::testing
