#pragma once
// SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869), by OpenSSL. Pure: same input, same
// output. The fetched algorithms and contexts are kept per thread, because fetching at each call
// costs three to four times the hash of a short message. Any thread.

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"

struct evp_md_ctx_st;

namespace lepton::crypto {

using Hash = std::array<unsigned char, 32>;

// The octets of a hash or key as text that is not text.
template <std::size_t N>
std::string_view view(std::array<unsigned char, N> const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), N};
}

Hash sha256(std::string_view data);

// Several pieces, one hash. finish() also starts the next one, so that one object serves for ever.
class Sha256 {
 public:
  Sha256();
  Sha256& update(std::string_view data);
  Hash finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Hash hmac_sha256(std::string_view key, std::string_view data);

// `size` octets, at most 255 * 32.
Secret<std::string> hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                                std::size_t size);

}  // namespace lepton::crypto
