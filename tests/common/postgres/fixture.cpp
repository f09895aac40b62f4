#include "tests/common/postgres/fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace lepton::postgres {
namespace fs = std::filesystem;

TempFolder::TempFolder() {
  // In memory where there is room: a busy disk makes every initdb wait seconds for its flushes.
  std::error_code error;
  auto const memory = fs::space("/dev/shm", error);
  auto const roomy = !error && memory.available >= std::uintmax_t{1} << 30;
  std::string name = roomy ? "/dev/shm/lepton-pg-XXXXXX" : "/tmp/lepton-pg-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
  chmod(name.c_str(), 0711);
}

TempFolder::~TempFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

EmbeddedConfig small_config(TempFolder const& folder) {
  EmbeddedConfig config;
  config.data = folder.path() / "data";
  config.socket = folder.path() / "run";
  config.connections_max = 20;
  config.shared_buffers_mib = 16;
  return config;
}

std::unique_ptr<TempFolder> WithServer::folder;
std::unique_ptr<EmbeddedPostgres> WithServer::server;

void WithServer::SetUpTestSuite() {
  folder = std::make_unique<TempFolder>();
  auto started = EmbeddedPostgres::start(small_config(*folder));
  ASSERT_TRUE(started) << started.error().what;
  server = std::move(*started);
}

void WithServer::TearDownTestSuite() {
  server.reset();
  folder.reset();
}

void WithServer::SetUp() {
  ASSERT_NE(server, nullptr);
  database_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  auto session = Session::open(Secret<std::string>(server->admin_url()));
  ASSERT_TRUE(session) << session.error().what;
  auto const status = session->create_database(database_);
  ASSERT_TRUE(status) << status.error().what;
}

Secret<std::string> WithServer::admin_url() const {
  return Secret<std::string>(session_url(folder->path() / "run", "lepton_admin", database_));
}

Rows WithServer::ask(std::string const& sql, std::vector<std::string> const& parameters) const {
  auto session = Session::open(admin_url());
  if (!session) return ADD_FAILURE() << session.error().what, Rows{};
  auto rows = session->query({sql, parameters});
  if (!rows) return ADD_FAILURE() << rows.error().what, Rows{};
  return *rows;
}

void WithService::SetUp() {
  WithServer::SetUp();
  auto const all = read_migrations("schemas/sql");
  ASSERT_TRUE(all) << all.error().what;
  auto const done = migrate(admin_url(), *all, {service_});
  ASSERT_TRUE(done) << done.error().what;
  crypto::SystemEntropy entropy;
  auto urls = issue_urls(admin_url(), {service_}, entropy);
  ASSERT_TRUE(urls) << urls.error().what;
  urls_ = std::move(*urls);
}

std::string WithService::as(std::string const& role, std::string const& sql) const {
  auto session = Session::open(urls_.at(role));
  if (!session) return session.error().what;
  auto const done = session->query({sql, {}});
  return done ? "ok" : done.error().what;
}

bool WithService::is_refused(std::string const& role, std::string const& sql) const {
  return as(role, sql).find("permission denied") != std::string::npos;
}

std::string read_file(fs::path const& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(fs::path const& path, std::string const& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace lepton::postgres
