#include "tests/common/store/server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/postgres/embedded.hpp"
#include "common/postgres/migrate.hpp"
#include "common/postgres/roles.hpp"

namespace lepton::store {
namespace fs = std::filesystem;
namespace {

constexpr char const* server_folder = "server-socket";

constexpr char const* test_tables = R"(
CREATE TABLE :schema.thing (
  id text PRIMARY KEY, flag boolean NOT NULL, count bigint NOT NULL,
  ratio double precision NOT NULL,
  label text, doc jsonb NOT NULL, raw bytea NOT NULL, mood text NOT NULL, seen_at_ms bigint);
CREATE TABLE :schema."select Lo""g" (
  stream text, "Seq" bigint, "order" text NOT NULL, PRIMARY KEY (stream, "Seq"));
CREATE TABLE :schema.key_only (id bigint PRIMARY KEY);
CREATE TABLE :schema.strict (id bigint PRIMARY KEY, positive bigint NOT NULL CHECK (positive > 0));
GRANT SELECT, INSERT, UPDATE, DELETE ON :schema.thing, :schema."select Lo""g", :schema.key_only,
  :schema.strict TO :service_role;
)";

fs::path make_folder() {
  std::string name = "/tmp/lepton-store-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  chmod(name.c_str(), 0711);
  return name;
}

// The platform's migrations and the test tables as one more.
Result<std::vector<postgres::Migration>> migrations() {
  auto all = postgres::read_migrations("schemas/sql");
  if (!all) return all;
  std::vector<postgres::Migration> wanted;
  for (auto& m : *all)
    if (m.schema == postgres::platform_folder) wanted.push_back(std::move(m));
  wanted.push_back({test_schema, 1, "tables", test_tables});
  return wanted;
}

}  // namespace

struct TestServer::Parts {
  fs::path folder = make_folder();
  std::unique_ptr<postgres::EmbeddedPostgres> server;
  Secret<std::string> url;

  ~Parts() {
    if (server) kill(server->pid(), SIGQUIT);  // nothing here is worth a last flush
    server.reset();
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  postgres::EmbeddedConfig config() const {
    postgres::EmbeddedConfig c;
    c.data = folder / "data";
    c.socket = folder / server_folder;
    c.connections_max = 40;
    c.shared_buffers_mib = 32;
    return c;
  }
  Status start() {
    auto started = postgres::EmbeddedPostgres::start(config());
    if (!started) return started.error();
    server = std::move(*started);
    return ok();
  }
};

TestServer* TestServer::get(std::string& why) {
  static std::string reason;
  static std::unique_ptr<TestServer> const server = [] {
    auto parts = std::make_shared<Parts>();
    auto const good = parts->start();
    if (!good) reason = good.error().what;
    return good ? std::unique_ptr<TestServer>(new TestServer(parts)) : nullptr;
  }();
  why = reason;
  return server.get();
}

Secret<std::string> TestServer::admin_url(std::string const& database) const {
  return Secret<std::string>(
      postgres::session_url(parts_->folder / server_folder, "lepton_admin", database));
}

Result<Secret<std::string>> TestServer::prepare() {
  if (!parts_->server)  // an earlier test failed between stop and start
    if (auto good = parts_->start(); !good) return good.error();
  if (!parts_->url.empty()) return parts_->url;
  auto session = postgres::Session::open(admin_url("postgres"));
  if (!session) return session.error();
  if (auto good = session->create_database(test_database); !good) return good.error();
  auto const all = migrations();
  if (!all) return all.error();
  auto const admin = admin_url(test_database);
  if (auto done = postgres::migrate(admin, *all, {test_schema}); !done) return done.error();
  crypto::SystemEntropy entropy;
  auto urls = postgres::issue_urls(admin, {test_schema}, entropy);
  if (!urls) return urls.error();
  return parts_->url = urls->at(postgres::service_role(test_schema));
}

fs::path TestServer::proxy_folder() const {
  return parts_->folder / "proxy--socket";
}
fs::path TestServer::socket() const {
  return parts_->folder / server_folder / ".s.PGSQL.5432";
}

void TestServer::kill_and_start() {
  ASSERT_EQ(kill(parts_->server->pid(), SIGKILL), 0);
  parts_->server.reset();
  start();
}

void TestServer::crash() {
  auto const pid = parts_->server->pid();
  ASSERT_EQ(kill(pid, SIGQUIT), 0);
  // Before it has ended, the stop in good order that follows could overtake: SIGINT is delivered
  // first.
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  parts_->server.reset();
}

void TestServer::stop() {
  auto const good = parts_->server->stop();
  ASSERT_TRUE(good) << good.error().what;
  parts_->server.reset();
}

void TestServer::start() {
  auto const good = parts_->start();
  ASSERT_TRUE(good) << good.error().what;
}

std::unique_ptr<TestDatabase> TestDatabase::create() {
  std::string why;
  auto* server = TestServer::get(why);
  if (server == nullptr) return ADD_FAILURE() << "no PostgreSQL for the test: " << why, nullptr;
  auto const url = server->prepare();
  if (!url) return ADD_FAILURE() << url.error().what, nullptr;
  auto database = std::make_unique<TestDatabase>();
  database->server_ = server;
  database->url_ = *url;
  database->ask(
      "TRUNCATE thing, \"select Lo\"\"g\", key_only, strict, lease, lease_beat, commit_marker, "
      "request, event, cursor, stream, inbox");
  return database;
}

PostgresSettings TestDatabase::settings(Post post) const {
  PostgresSettings s;
  s.database_url = url_;
  s.schema = test_schema;
  s.post = std::move(post);
  return s;
}

Secret<std::string> TestDatabase::proxy_url() const {
  auto url = url_.reveal();
  auto const at = url.find(server_folder);
  EXPECT_NE(at, std::string::npos);
  return Secret<std::string>(url.replace(at, std::string_view(server_folder).size(),
                                         server_->proxy_folder().filename().string()));
}

postgres::Rows TestDatabase::ask(std::string const& sql) const {
  auto session = postgres::Session::open(server_->admin_url(test_database));
  if (!session) return ADD_FAILURE() << session.error().what, postgres::Rows{};
  auto const path = session->execute(fmt::format("SET search_path = {}", test_schema));
  EXPECT_TRUE(path);
  auto rows = session->query({sql, {}});
  if (!rows) return ADD_FAILURE() << rows.error().what, postgres::Rows{};
  return *rows;
}

}  // namespace lepton::store
