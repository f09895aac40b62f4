#pragma once
// Migrations: reviewed SQL files <folder>/<service>/NNNN_name.sql, applied in order, each in one
// transaction as lepton_owner with the service's schema as search path. Files under platform/ are
// applied to every service's schema, before its own. What was applied is kept with its checksum in
// lepton_meta.migration; a changed or unknown applied migration is refused before anything runs.
// One migrator at a time (advisory lock); safe to repeat. One thread.
// Errors: invalid (file names, SQL), conflict (history differs), timeout (lock), as session.hpp
// else.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::postgres {

inline constexpr char const* platform_folder = "platform";
inline constexpr std::size_t migration_bytes_max = 1 << 20;

struct Migration {
  std::string schema;  // the folder: a service's name, or "platform"
  int version = 0;     // 1, 2, 3, ... without gaps
  std::string name;
  std::string sql;
};

struct MigrationReport {
  std::vector<std::string> applied;  // "deployer: platform/0001_cursor"
  std::size_t already_applied = 0;
};

// Sorted by folder and version. Refuses every file that does not follow the grammar.
Result<std::vector<Migration>> read_migrations(std::filesystem::path const& folder);

// Also creates roles and schemas that are missing.
Result<MigrationReport> migrate(Secret<std::string> const& admin_url,
                                std::vector<Migration> const& migrations,
                                std::vector<std::string> const& services);

}  // namespace lepton::postgres
