#pragma once
// CURVE key pairs (Curve25519, ZeroMQ RFC 26) and their files. Keys are Z85 text of 40 characters.
// A key file holds two lines, "public <z85>" and "secret <z85>", belongs to its reader and has mode
// 0600; a wider one is refused, because then others may have read it. Any thread.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/crypto/entropy.hpp"

namespace lepton::bus {

struct KeyPair {
  std::string public_key;
  Secret<std::string> secret_key;
};

bool legal_key(std::string_view z85);

// The keys that a server may have: one, or during a rotation two with a space between, the likelier
// first. Empty when the text is anything else.
std::vector<std::string> keys_in(std::string_view text);

KeyPair create_keys(crypto::Entropy& entropy);
Result<KeyPair> keys_from_secret(std::string_view secret_z85);

// Never overwrites (conflict): a lost key cannot be had back. The file appears whole or not at all.
Status write_keys(std::string const& path, KeyPair const& keys);
Result<KeyPair> read_keys(std::string const& path);

// The pair in the file, made first if there is none.
Result<KeyPair> read_or_create_keys(std::string const& path, crypto::Entropy& entropy);

}  // namespace lepton::bus
