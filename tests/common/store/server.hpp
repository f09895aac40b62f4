#pragma once
// One real PostgreSQL for the whole test program, started at first use, with a database that holds
// the platform's tables, the test tables and a role with a service's rights. Each test finds them
// empty.

#include <filesystem>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/postgres/session.hpp"
#include "common/store/postgres_store.hpp"

namespace lepton::store {

class TestServer {
 public:
  // Nothing, with the reason in `why`, where PostgreSQL is not installed.
  static TestServer* get(std::string& why);

  // Creates the database unless it exists; the address is that of the service's role.
  Result<Secret<std::string>> prepare();
  Secret<std::string> admin_url(std::string const& database) const;

  std::filesystem::path socket() const;
  std::filesystem::path proxy_folder() const;  // where a Proxy (proxy.hpp) may listen

  void kill_and_start();  // SIGKILL to the postmaster and its children, then recovery
  void crash();           // SIGQUIT: every backend ends on the spot and lets go of no lock
  void stop();            // in good order: backends end one by one, in any order
  void start();

 private:
  struct Parts;
  explicit TestServer(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<Parts> parts_;
};

inline constexpr char const* test_schema = "alpha";
inline constexpr char const* test_database = "store";

// The database with empty tables, and what tests do to it behind the store's back.
class TestDatabase {
 public:
  static std::unique_ptr<TestDatabase> create();  // fails or skips the running test when null

  PostgresSettings settings(Post post) const;
  postgres::Rows ask(std::string const& sql) const;  // as administrator, in the schema
  Secret<std::string> const& url() const { return url_; }
  Secret<std::string> proxy_url() const;  // the same login through proxy_folder()
  TestServer& server() const { return *server_; }

 private:
  TestServer* server_ = nullptr;
  Secret<std::string> url_;
};

}  // namespace lepton::store
