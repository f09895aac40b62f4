#pragma once
// The key that signs the checkpoints of the log: an Ed25519 seed in a file of its own, mode 0600,
// never in a row. Who has it can sign another history; who loses it has to tell all verifiers of a
// new one. The file is one line, "lepton-log-key <base64 of the 32-octet seed>". Start-up only;
// blocking. Errors: denied (others can read the file, or own it), invalid (not a key file),
// unavailable (the disk).

#include <string>

#include "common/base/result.hpp"
#include "common/crypto/sign.hpp"

namespace lepton::auditor {

// The key in the file, made first if there is none. Never overwrites.
Result<crypto::SigningKey> read_or_create_log_key(std::string const& path,
                                                  crypto::Entropy& entropy);

}  // namespace lepton::auditor
