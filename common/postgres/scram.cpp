#include "common/postgres/scram.hpp"

#include <fmt/format.h>

#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::postgres {
namespace {

// PBKDF2 with HMAC-SHA-256 and one block of output (RFC 8018), called Hi() in RFC 5802.
crypto::Hash salted_password(std::string_view password, std::string_view salt) {
  auto round = crypto::hmac_sha256(password, std::string(salt) + std::string("\0\0\0\1", 4));
  auto sum = round;
  for (int i = 1; i < scram_iterations; ++i) {
    round = crypto::hmac_sha256(password, crypto::view(round));
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] ^= round[k];
  }
  return sum;
}

}  // namespace

std::string scram_verifier(Secret<std::string> const& password, std::string_view salt) {
  auto salted = salted_password(password.reveal(), salt);
  auto const client_key = crypto::hmac_sha256(crypto::view(salted), "Client Key");
  auto const stored_key = crypto::sha256(crypto::view(client_key));
  auto const server_key = crypto::hmac_sha256(crypto::view(salted), "Server Key");
  wipe(salted.data(), salted.size());
  return fmt::format("SCRAM-SHA-256${}:{}${}:{}", scram_iterations, crypto::base64(salt),
                     crypto::base64(crypto::view(stored_key)),
                     crypto::base64(crypto::view(server_key)));
}

}  // namespace lepton::postgres
