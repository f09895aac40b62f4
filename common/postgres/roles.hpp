#pragma once
// Who may log in to the database. lepton_owner owns every schema and cannot log in;
// lepton_<service> has only what migrations grant to it; lepton_reader is for people's SQL.
// Passwords are new at every issue and known to the caller alone: PostgreSQL keeps verifiers,
// nothing keeps the passwords. One thread. Errors as in session.hpp.

#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/crypto/entropy.hpp"
#include "common/postgres/session.hpp"

namespace lepton::postgres {

inline constexpr char const* owner_role = "lepton_owner";
inline constexpr char const* reader_role = "lepton_reader";

std::string service_role(std::string_view service);  // "deployer" -> "lepton_deployer"

// Creates what is missing, without passwords: nobody can log in yet. Restores need them, too.
Status ensure_roles(Session& session, std::vector<std::string> const& services);

// Role -> connection URL with a fresh password, for every service and the reader. Sessions that are
// open stay; the URLs of an earlier issue stop working.
Result<std::map<std::string, Secret<std::string>>> issue_urls(
    Secret<std::string> const& admin_url, std::vector<std::string> const& services,
    crypto::Entropy& entropy);

}  // namespace lepton::postgres
