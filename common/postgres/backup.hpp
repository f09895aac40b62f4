#pragma once
// Backup and restore of one database through pg_dump and pg_restore of the server's version. A
// backup is one consistent snapshot in pg_dump's custom format, mode 0600, there completely or not
// at all; it holds secrets only as the vault sealed them. One thread; blocks until done. Errors:
// conflict (file exists, database not empty), not_found, timeout, as session.hpp else.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"

namespace lepton::postgres {

inline constexpr TimeMs backup_limit_ms = 3'600'000;

Status backup_to(Secret<std::string> const& admin_url, std::filesystem::path const& file,
                 TimeMs limit_ms = backup_limit_ms);

// In one transaction, into a database without any schema or table of its own. The roles of
// `services` are created first, so that owners and grants come back too.
Status restore_from(Secret<std::string> const& admin_url, std::filesystem::path const& file,
                    std::vector<std::string> const& services, TimeMs limit_ms = backup_limit_ms);

}  // namespace lepton::postgres
