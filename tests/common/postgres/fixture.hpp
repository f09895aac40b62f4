#pragma once
// A real PostgreSQL in a folder of its own, small and fast to start. One test program, one thread.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/crypto/entropy.hpp"
#include "common/postgres/embedded.hpp"
#include "common/postgres/migrate.hpp"
#include "common/postgres/roles.hpp"
#include "common/postgres/session.hpp"

namespace lepton::postgres {

// Removed at the end; reachable for the unprivileged user that runs the server.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

EmbeddedConfig small_config(TempFolder const& folder);

// Shared by the tests of one suite: a start costs about a second.
class WithServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  // An empty database of its own for each test.
  void SetUp() override;
  Secret<std::string> admin_url() const;
  Rows ask(std::string const& sql, std::vector<std::string> const& parameters = {}) const;

  static std::unique_ptr<TempFolder> folder;
  static std::unique_ptr<EmbeddedPostgres> server;
  std::string database_;
};

// The tables of one service, its roles and the roles of people, for each test.
class WithService : public WithServer {
 protected:
  explicit WithService(std::string service) : service_(std::move(service)) {}
  void SetUp() override;
  // Runs the statement as the role: "ok", or why not.
  std::string as(std::string const& role, std::string const& sql) const;
  bool is_refused(std::string const& role, std::string const& sql) const;

  std::string service_;
  std::map<std::string, Secret<std::string>> urls_;  // by role
};

std::string read_file(std::filesystem::path const& path);
void write_file(std::filesystem::path const& path, std::string const& content);

}  // namespace lepton::postgres
