#include "bench/store/server.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/postgres/migrate.hpp"
#include "common/postgres/session.hpp"

namespace lepton::bench {
namespace {

store::Table table(std::string_view name) {
  using store::ColumnType;
  return {name,
          {{"stream", ColumnType::text, true},
           {"seq", ColumnType::bigint, true},
           {"topic", ColumnType::text},
           {"actor", ColumnType::text},
           {"at_ms", ColumnType::bigint},
           {"body", ColumnType::bytes}},
          {0, 1}};
}

std::string definition(std::string_view name) {
  return fmt::format(
      "CREATE TABLE {0} (stream text, seq bigint, topic text NOT NULL, actor text NOT NULL, "
      "at_ms bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (stream, seq));"
      "CREATE INDEX {0}_topic ON {0} (topic, at_ms); CREATE INDEX {0}_actor ON {0} (actor, at_ms);",
      name);
}

Status create_tables(Secret<std::string> const& url) {
  auto all = postgres::read_migrations("schemas/sql");
  if (!all) return all.error();
  std::vector<postgres::Migration> wanted;
  for (auto& m : *all)
    if (m.schema == postgres::platform_folder) wanted.push_back(std::move(m));
  wanted.push_back({schema, 1, "tables", definition("ours") + definition("theirs")});
  auto const done = postgres::migrate(url, wanted, {schema});
  return done ? ok() : Status(done.error());
}

}  // namespace

store::Table const ours = table("ours"), theirs = table("theirs");

store::Cells row(std::int64_t number) {
  std::string body(200, '\0');
  auto bits = static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15u + 1;
  for (auto& c : body) {
    bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
    c = static_cast<char>(bits);
  }
  return {std::string("audit"),
          number,
          fmt::format("deployer.job.{}", number % 17),
          fmt::format("user-{}@example.org", number % 101),
          std::int64_t{1'790'000'000'000} + number,
          Bytes{std::move(body)}};
}

Result<std::unique_ptr<Server>> Server::start() {
  std::unique_ptr<Server> server(new Server);
  std::string folder = "/tmp/lepton-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr)
    return Error{Code::internal, "no folder can be made in /tmp"};
  chmod(folder.c_str(), 0711);
  server->folder_ = folder;
  postgres::EmbeddedConfig config;
  config.data = folder + "/data";
  config.socket = folder + "/run";
  auto started = postgres::EmbeddedPostgres::start(config);
  if (!started) return started.error();
  server->postgres_ = std::move(*started);
  if (auto good = create_tables(server->url()); !good) return good.error();
  return server;
}

Server::~Server() {
  postgres_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Secret<std::string> Server::url() const {
  return Secret<std::string>(postgres_->admin_url());
}

}  // namespace lepton::bench
