#pragma once
// Ed25519 signatures (RFC 8032) by OpenSSL: deterministic, 64 octets. A signature costs about
// 50 us and a check about 130 us, so callers that check often cache the answer. Sign different
// kinds of data under different prefixes (domain separation); this file adds none. Any thread.

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/crypto/entropy.hpp"

struct evp_pkey_st;

namespace lepton::crypto {

using PublicKey = std::array<unsigned char, 32>;
using Signature = std::array<unsigned char, 64>;

class SigningKey {
 public:
  // `seed` is the 32-octet private key of RFC 8032; another length is refused.
  static Result<SigningKey> from_seed(Secret<std::string> seed);
  static SigningKey create(Entropy& entropy);

  PublicKey const& public_key() const { return public_key_; }
  Secret<std::string> const& seed() const { return seed_; }
  Signature sign(std::string_view message) const;

 private:
  SigningKey() = default;
  Secret<std::string> seed_;
  PublicKey public_key_{};
  std::shared_ptr<evp_pkey_st> key_;
};

class VerifyKey {
 public:
  // The 32 octets of a public key; another length is refused. A wrong point fails at verify().
  static Result<VerifyKey> from_bytes(std::string_view public_key);
  explicit VerifyKey(PublicKey const& public_key);

  bool verify(std::string_view message, std::string_view signature) const;
  PublicKey const& bytes() const { return public_key_; }

 private:
  PublicKey public_key_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace lepton::crypto
