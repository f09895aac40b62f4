#pragma once
// Database: the PostgreSQL of a control plane: its own embedded one, or the administrator's URL of
// another. Brings its tables up to date and writes one file with a fresh login for each service and
// for people who read. One thread, which must outlive it. Errors as in common/postgres.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/up/layout.hpp"
#include "common/base/secret.hpp"
#include "common/postgres/embedded.hpp"

namespace lepton::cli {

class Database {
 public:
  // `url_file` empty: embedded.
  static Result<Database> open(Layout const& layout, std::string const& url_file);

  Secret<std::string> const& admin_url() const { return admin_url_; }
  bool is_embedded() const { return server_ != nullptr; }

  // Tables and logins; the names of the migrations that were applied. Logins are new each time; not
  // where the parts are apart and may run: there those that work stay.
  Result<std::vector<std::string>> prepare(Layout const& layout);

  // Of the embedded one. Nothing: it runs, or is not ours.
  std::optional<int> exited();
  Status restart(Layout const& layout);
  Status stop();
  std::string log_tail() const;

 private:
  std::unique_ptr<postgres::EmbeddedPostgres> server_;
  Secret<std::string> admin_url_;
};

}  // namespace lepton::cli
