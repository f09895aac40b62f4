#include "common/crypto/hash.hpp"

#include <openssl/evp.h>

#include "common/base/check.hpp"

namespace lepton::crypto {
namespace {

constexpr std::size_t block_size = 64;

EVP_MD const* fetched_sha256() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LEPTON_CHECK(algorithm != nullptr, "OpenSSL offers no SHA-256; reinstall libssl3");
  return algorithm;
}

Sha256& hasher_of_this_thread() {
  thread_local Sha256 hasher;
  return hasher;
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  LEPTON_CHECK(context_ != nullptr, "out of memory for a hash context");
  LEPTON_CHECK(EVP_DigestInit_ex2(context_.get(), fetched_sha256(), nullptr) == 1,
               "OpenSSL could not start SHA-256");
}

Sha256& Sha256::update(std::string_view data) {
  LEPTON_CHECK(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1,
               "OpenSSL could not continue SHA-256");
  return *this;
}

Hash Sha256::finish() {
  Hash out{};
  LEPTON_CHECK(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1 &&
                   EVP_DigestInit_ex2(context_.get(), fetched_sha256(), nullptr) == 1,
               "OpenSSL could not finish SHA-256");
  return out;
}

Hash sha256(std::string_view data) {
  return hasher_of_this_thread().update(data).finish();
}

Hash hmac_sha256(std::string_view key, std::string_view data) {
  Hash shortened{};
  if (key.size() > block_size) {
    shortened = sha256(key);
    key = view(shortened);
  }
  std::array<unsigned char, block_size> inner, outer;
  inner.fill(0x36);
  outer.fill(0x5c);
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner[i] ^= static_cast<unsigned char>(key[i]);
    outer[i] ^= static_cast<unsigned char>(key[i]);
  }
  auto& hasher = hasher_of_this_thread();
  auto const middle = hasher.update(view(inner)).update(data).finish();
  auto const result = hasher.update(view(outer)).update(view(middle)).finish();
  wipe(inner.data(), inner.size());
  wipe(outer.data(), outer.size());
  wipe(shortened.data(), shortened.size());
  return result;
}

Secret<std::string> hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                                std::size_t size) {
  LEPTON_CHECK(size <= 255 * sizeof(Hash), "HKDF-SHA-256 gives at most 8160 octets");
  auto extracted = hmac_sha256(salt, key);
  std::string out, input;
  out.reserve(size + sizeof(Hash));  // no growth, so that no copy of key material stays behind
  input.reserve(sizeof(Hash) + info.size() + 1);
  for (unsigned char counter = 1; out.size() < size; ++counter) {
    input.append(info).push_back(static_cast<char>(counter));
    auto block = hmac_sha256(view(extracted), input);
    out.append(view(block));
    input.assign(view(block));
    wipe(block.data(), block.size());
  }
  wipe(input.data(), input.size());
  wipe(extracted.data(), extracted.size());
  if (out.size() > size) wipe(out.data() + size, out.size() - size);
  out.resize(size);
  return Secret<std::string>(std::move(out));
}

}  // namespace lepton::crypto
