#pragma once
// `lepton backup` and `lepton restore`: one file (a tar archive, mode 0600) with a consistent
// snapshot of the database and the keys of the services. The root key of the vault stays out unless
// asked for: with it the file opens every secret, without it none. Both are all or nothing. One
// thread. Errors: conflict (file exists, state not empty, stack runs), invalid (no backup).

#include "cli/shell.hpp"

namespace lepton::cli {

struct BackupOptions {
  std::string state;
  std::string file;
  bool with_root_key = false;
};

// Works on a running control plane and on a stopped one.
Result<int> backup(Shell& shell, BackupOptions const& options);

struct RestoreOptions {
  std::string state;
  std::string file;
  std::string database_url_file;  // an empty database of one's own, as for `up`
};

// Into an empty state folder. Consumers of event streams notice: every stream begins a new epoch.
Result<int> restore(Shell& shell, RestoreOptions const& options);

}  // namespace lepton::cli
