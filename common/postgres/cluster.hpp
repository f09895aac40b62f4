#pragma once
// The files of one PostgreSQL cluster: checks before a start, creation (initdb) that is complete or
// not there at all, and the three configuration files. Used by EmbeddedPostgres only. One thread.

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/postgres/binaries.hpp"
#include "common/postgres/embedded.hpp"
#include "common/postgres/process.hpp"

namespace lepton::postgres {

inline constexpr char const* admin_role = "lepton_admin";

// The user that the server must run as: nothing when we may stay who we are.
Result<std::optional<User>> server_user();

// Socket path length, reachability for the server's user, free space, who occupies the folder.
Status check_paths(EmbeddedConfig const& config, std::optional<User> const& user);

// Exclusive for the life of the descriptor; conflict when another instance holds it.
Result<Fd> lock_cluster(EmbeddedConfig const& config);

// The major version of the data in `data`, nothing when there are none yet.
Result<std::optional<int>> data_version(std::filesystem::path const& data);

// Waits until no process of an earlier life works in `data` any more.
Status wait_for_previous(EmbeddedConfig const& config);

// After a reboot the pid in a left-over postmaster.pid can belong to any program, and PostgreSQL
// would refuse to start. Only after wait_for_previous(): that no process works in the folder is
// known then, which is the stronger check. A file with a dead pid stays for PostgreSQL's own
// recovery.
Status clear_foreign_pid_file(EmbeddedConfig const& config);

Status create_cluster(EmbeddedConfig const& config, Binaries const& binaries,
                      std::optional<User> const& user);

// Written at every start, so that settings follow the program and not the day of creation.
Status write_settings(EmbeddedConfig const& config, User const& os_user,
                      std::optional<User> const& user);

// The end of the newest server log.
std::string cluster_log_tail(std::filesystem::path const& data);

}  // namespace lepton::postgres
