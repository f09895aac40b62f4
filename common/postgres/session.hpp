#pragma once
// Session: one administrative connection to PostgreSQL for set-up work (roles, migrations, checks).
// Services store their rows through common/store, never through this. Built on libpq, which throws
// nothing. One thread. Errors: unavailable (no connection), denied, exhausted, timeout (lock),
// invalid (URL), internal; they carry PostgreSQL's primary message and never a value or a password.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

struct pg_conn;

namespace lepton::postgres {

struct Statement {
  std::string sql;                      // several statements only without parameters
  std::vector<std::string> parameters;  // $1, $2, ...
};

using Rows = std::vector<std::vector<std::optional<std::string>>>;

class Session {
 public:
  static Result<Session> open(Secret<std::string> const& url);

  Result<Rows> query(Statement const& statement);
  Status execute(std::string const& sql);
  // All or nothing.
  Status transaction(std::vector<Statement> const& statements);
  // Harmless when it exists.
  Status create_database(std::string const& name);
  int server_major() const;

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  explicit Session(pg_conn* connection) : connection_(connection) {}
  std::unique_ptr<pg_conn, Close> connection_;
};

// name -> "name", the way quote_ident does for names that need it.
std::string identifier(std::string_view name);

// URL of a login through a unix socket; no secret in it.
std::string session_url(std::filesystem::path const& socket, std::string_view role,
                        std::string_view database);

// The same server and database for another role.
Result<Secret<std::string>> url_for(Secret<std::string> const& url, std::string_view role,
                                    Secret<std::string> const& password);

// PGHOST=..., PGPASSWORD=...: for PostgreSQL's own programs, because argv is readable by everybody.
Result<std::vector<std::string>> environment_for(Secret<std::string> const& url);

}  // namespace lepton::postgres
