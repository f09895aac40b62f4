#include "common/crypto/sign.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "common/base/check.hpp"

namespace lepton::crypto {
namespace {

constexpr std::size_t key_size = 32;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) {
  LEPTON_CHECK(key != nullptr, "OpenSSL offers no Ed25519; reinstall libssl3");
  return {key, EVP_PKEY_free};
}

}  // namespace

Result<SigningKey> SigningKey::from_seed(Secret<std::string> seed) {
  if (seed.reveal().size() != key_size)
    return Error{Code::invalid, "a signing key has 32 octets, this one has " +
                                    std::to_string(seed.reveal().size()) +
                                    "; restore the key file from a backup"};
  SigningKey key;
  key.key_ = owned(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr,
                                                   octets(seed.reveal()), key_size));
  auto size = key.public_key_.size();
  LEPTON_CHECK(EVP_PKEY_get_raw_public_key(key.key_.get(), key.public_key_.data(), &size) == 1,
               "OpenSSL could not derive an Ed25519 public key");
  key.seed_ = std::move(seed);
  return key;
}

SigningKey SigningKey::create(Entropy& entropy) {
  return from_seed(entropy.secret(key_size)).value();
}

Signature SigningKey::sign(std::string_view message) const {
  Signature out{};
  auto size = out.size();
  Context const context(EVP_MD_CTX_new());
  LEPTON_CHECK(
      context != nullptr &&
          EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(),
                                nullptr) == 1 &&
          EVP_DigestSign(context.get(), out.data(), &size, octets(message), message.size()) == 1 &&
          size == out.size(),
      "OpenSSL could not sign with Ed25519");
  return out;
}

Result<VerifyKey> VerifyKey::from_bytes(std::string_view public_key) {
  if (public_key.size() != key_size)
    return Error{Code::invalid, "a public key has 32 octets, this one has " +
                                    std::to_string(public_key.size()) +
                                    "; copy it again from 'lepton vault status'"};
  PublicKey bytes{};
  std::copy(public_key.begin(), public_key.end(), bytes.begin());
  return VerifyKey(bytes);
}

VerifyKey::VerifyKey(PublicKey const& public_key)
    : public_key_(public_key),
      key_(owned(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, public_key.data(),
                                                public_key.size()))) {}

bool VerifyKey::verify(std::string_view message, std::string_view signature) const {
  if (signature.size() != sizeof(Signature)) return false;
  Context const context(EVP_MD_CTX_new());
  LEPTON_CHECK(
      context != nullptr && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr,
                                                    nullptr, key_.get(), nullptr) == 1,
      "OpenSSL could not start an Ed25519 check");
  return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

}  // namespace lepton::crypto
