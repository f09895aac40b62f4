#pragma once
// The SCRAM-SHA-256 verifier that PostgreSQL stores for a password (RFC 5802, RFC 5803, RFC 7677).
// Computed here so that a password never travels inside an SQL statement, where a log could keep
// it. Pure. Any thread.

#include <string>
#include <string_view>

#include "common/base/secret.hpp"

namespace lepton::postgres {

inline constexpr int scram_iterations = 4096;

// "SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>", base64. The password is plain ASCII.
std::string scram_verifier(Secret<std::string> const& password, std::string_view salt);

}  // namespace lepton::postgres
