#include "common/crypto/gcm.hpp"

#include <openssl/evp.h>

#include <memory>

#include "common/base/check.hpp"

namespace lepton::crypto {
namespace {

EVP_CIPHER const* fetched(char const* name) {
  auto* const cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
  LEPTON_CHECK(cipher != nullptr, "OpenSSL offers no AES-256; reinstall libssl3");
  return cipher;
}
EVP_CIPHER const* aes_block() {
  static auto const* const cipher = fetched("AES-256-ECB");
  return cipher;
}
EVP_CIPHER const* aes_gcm() {
  static auto const* const cipher = fetched("AES-256-GCM");
  return cipher;
}

// Borrows this thread's context and resets it after each use, which overwrites the expanded key.
class Cipher {
 public:
  Cipher() : context_(of_this_thread()) {}
  Cipher(Cipher const&) = delete;
  Cipher& operator=(Cipher const&) = delete;
  ~Cipher() { EVP_CIPHER_CTX_reset(context_); }
  EVP_CIPHER_CTX* get() const { return context_; }

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  static EVP_CIPHER_CTX* of_this_thread() {
    thread_local std::unique_ptr<EVP_CIPHER_CTX, Free> const context(EVP_CIPHER_CTX_new());
    LEPTON_CHECK(context != nullptr, "out of memory for a cipher context");
    return context.get();
  }
  EVP_CIPHER_CTX* context_;
};

unsigned char const* octets(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}
unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

void check_sizes(std::string_view key, std::string_view nonce) {
  LEPTON_CHECK(key.size() == gcm_key_size, "an AES-256 key has 32 octets");
  LEPTON_CHECK(nonce.size() == gcm_nonce_size, "a GCM nonce has 12 octets");
}

}  // namespace

std::string gcm_seal(std::string_view key, std::string_view nonce, std::string_view aad,
                     std::string_view plaintext) {
  check_sizes(key, nonce);
  LEPTON_CHECK(plaintext.size() <= gcm_size_limit && aad.size() <= gcm_size_limit,
               "one sealed message holds at most 1 GiB");
  std::string out(plaintext.size() + gcm_tag_size, '\0');
  auto* const tag = octets(out) + plaintext.size();
  Cipher const cipher;
  int written = 0;
  bool const good =
      EVP_EncryptInit_ex2(cipher.get(), aes_gcm(), octets(key), octets(nonce), nullptr) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &written, octets(aad),
                        static_cast<int>(aad.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), octets(out), &written, octets(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), tag, &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_size, tag) == 1;
  LEPTON_CHECK(good, "OpenSSL could not seal");
  return out;
}

std::optional<Secret<std::string>> gcm_open(std::string_view key, std::string_view nonce,
                                            std::string_view aad, std::string_view sealed) {
  check_sizes(key, nonce);
  if (sealed.size() < gcm_tag_size || sealed.size() > gcm_size_limit || aad.size() > gcm_size_limit)
    return std::nullopt;
  auto const size = sealed.size() - gcm_tag_size;
  std::string tag(sealed.substr(size));
  std::string out(size, '\0');
  Cipher const cipher;
  int written = 0;
  bool const good =
      EVP_DecryptInit_ex2(cipher.get(), aes_gcm(), octets(key), octets(nonce), nullptr) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, octets(aad),
                        static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), octets(out), &written, octets(sealed),
                        static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_size, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), octets(tag), &written) == 1;
  Secret<std::string> text(std::move(out));  // overwritten also when the tag does not fit
  if (!good) return std::nullopt;
  return text;
}

std::string aes_blocks(std::string_view key, std::string_view blocks) {
  LEPTON_CHECK(key.size() == gcm_key_size && blocks.size() % 16 == 0, "AES works on whole blocks");
  std::string out(blocks.size(), '\0');
  Cipher const cipher;
  int written = 0;
  LEPTON_CHECK(EVP_EncryptInit_ex2(cipher.get(), aes_block(), octets(key), nullptr, nullptr) == 1 &&
                   EVP_CIPHER_CTX_set_padding(cipher.get(), 0) == 1 &&
                   EVP_EncryptUpdate(cipher.get(), octets(out), &written, octets(blocks),
                                     static_cast<int>(blocks.size())) == 1,
               "OpenSSL could not encrypt a block");
  return out;
}

}  // namespace lepton::crypto
