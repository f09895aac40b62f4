#include "common/crypto/seal.hpp"

#include "common/base/check.hpp"
#include "common/crypto/gcm.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::crypto {
namespace {

constexpr std::size_t block_size = 16;

// CMAC's subkey for whole blocks: the block times x in GF(2^128), without a branch on secrets.
void double_block(std::string& block) {
  unsigned const carry = static_cast<unsigned char>(block[0]) >> 7;
  for (std::size_t i = 0; i < block_size; ++i) {
    unsigned const here = static_cast<unsigned char>(block[i]);
    unsigned const next = i + 1 < block_size ? static_cast<unsigned char>(block[i + 1]) : 0u;
    block[i] = static_cast<char>((here << 1) | (next >> 7));
  }
  block[block_size - 1] =
      static_cast<char>(static_cast<unsigned char>(block[block_size - 1]) ^ (0x87u & (0u - carry)));
}

// The key of this message: CMAC of two counter blocks with label 'X' and half of the nonce.
Secret<std::string> message_key(SealKey const& key, SealNonce const& nonce) {
  LEPTON_CHECK(key.reveal().size() == seal_key_size, "a sealing key has 32 octets");
  auto subkey = aes_blocks(key.reveal(), std::string(block_size, '\0'));
  double_block(subkey);
  std::string blocks;
  for (char const counter : {'\1', '\2'})
    blocks.append({'\0', counter, 'X', '\0'}).append(view(nonce).substr(0, gcm_nonce_size));
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i] = static_cast<char>(blocks[i] ^ subkey[i % block_size]);
  Secret<std::string> out(aes_blocks(key.reveal(), blocks));
  wipe(subkey.data(), subkey.size());
  wipe(blocks.data(), blocks.size());
  return out;
}

std::string_view inner_nonce(SealNonce const& nonce) {
  return view(nonce).substr(gcm_nonce_size);
}

}  // namespace

std::string seal(SealKey const& key, SealNonce const& nonce, std::string_view aad,
                 std::string_view plaintext) {
  return gcm_seal(message_key(key, nonce).reveal(), inner_nonce(nonce), aad, plaintext);
}

Result<Secret<std::string>> open(SealKey const& key, SealNonce const& nonce, std::string_view aad,
                                 std::string_view sealed) {
  auto text = gcm_open(message_key(key, nonce).reveal(), inner_nonce(nonce), aad, sealed);
  if (text) return std::move(*text);
  return Error{Code::denied,
               "a sealed value does not open: it was changed, or it belongs to another key or "
               "place; restore it from a backup"};
}

}  // namespace lepton::crypto
