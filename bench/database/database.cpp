#include "bench/database/database.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace lepton::bench {

Result<std::unique_ptr<Database>> Database::start() {
  std::unique_ptr<Database> database(new Database);
  std::string folder = "/tmp/lepton-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr)
    return Error{Code::internal, "no folder can be made in /tmp"};
  chmod(folder.c_str(), 0711);
  database->folder_ = folder;
  postgres::EmbeddedConfig config;
  config.data = folder + "/data";
  config.socket = folder + "/run";
  auto started = postgres::EmbeddedPostgres::start(config);
  if (!started) return started.error();
  database->postgres_ = std::move(*started);
  return database;
}

Database::~Database() {
  postgres_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Secret<std::string> Database::url() const {
  return Secret<std::string>(postgres_->admin_url());
}

Status create_schemas(Secret<std::string> const& url, std::vector<BenchSchema> const& schemas) {
  auto all = postgres::read_migrations("schemas/sql");
  if (!all) return all.error();
  std::vector<postgres::Migration> wanted;
  for (auto& m : *all)
    if (m.schema == postgres::platform_folder) wanted.push_back(std::move(m));
  std::vector<std::string> names;
  for (auto const& schema : schemas) {
    wanted.push_back({schema.name, 1, "tables", schema.definition});
    names.push_back(schema.name);
  }
  auto const done = postgres::migrate(url, wanted, names);
  return done ? ok() : Status(done.error());
}

}  // namespace lepton::bench
