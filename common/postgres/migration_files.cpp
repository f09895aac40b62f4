#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <tuple>

#include "common/base/text.hpp"
#include "common/postgres/migrate.hpp"

namespace lepton::postgres {
namespace fs = std::filesystem;
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<Migration> read_migration(fs::path const& path) {
  auto const file = path.filename().string();
  auto const stem = path.stem().string();
  auto const version = text::parse_int(stem.substr(0, 4));
  if (path.extension() != ".sql" || stem.size() < 6 || stem[4] != '_' || !version ||
      *version <= 0 || !is_name(stem.substr(5)))
    return Error{
        Code::invalid,
        fmt::format("{} is no migration's name; write it as 0001_short_name.sql", path.string())};
  std::error_code error;
  auto const size = fs::file_size(path, error);
  if (error || size == 0 || size > migration_bytes_max)
    return Error{Code::invalid,
                 fmt::format("{} must hold 1 to {} bytes", path.string(), migration_bytes_max)};
  std::ifstream stream(path, std::ios::binary);
  std::string sql{std::istreambuf_iterator<char>(stream), {}};
  if (sql.size() != size || sql.find('\0') != sql.npos)
    return Error{Code::invalid, fmt::format("{} cannot be read as text", path.string())};
  return Migration{path.parent_path().filename().string(), static_cast<int>(*version),
                   stem.substr(5), std::move(sql)};
}

Status check_gaps(std::vector<Migration> const& migrations) {
  std::map<std::string, int> last;
  for (auto const& migration : migrations) {
    auto const expected = ++last[migration.schema];
    if (migration.version != expected)
      return Error{Code::invalid,
                   fmt::format("{}/{:04}_{} should have number {:04}: numbers go up by one, each "
                               "used once",
                               migration.schema, migration.version, migration.name, expected)};
  }
  return ok();
}

}  // namespace

Result<std::vector<Migration>> read_migrations(fs::path const& folder) {
  std::vector<Migration> migrations;
  std::error_code error;
  for (auto const& service : fs::directory_iterator(folder, error)) {
    if (!service.is_directory()) continue;
    std::error_code inner;
    for (auto const& entry : fs::directory_iterator(service.path(), inner)) {
      auto migration = read_migration(entry.path());
      if (!migration) return migration.error();
      migrations.push_back(std::move(*migration));
    }
    if (inner) error = inner;
  }
  if (error)
    return Error{Code::not_found, fmt::format("cannot read migrations from {}: {}", folder.string(),
                                              error.message())};
  std::sort(migrations.begin(), migrations.end(), [](Migration const& a, Migration const& b) {
    return std::tie(a.schema, a.version, a.name) < std::tie(b.schema, b.version, b.name);
  });
  if (auto status = check_gaps(migrations); !status) return status.error();
  return migrations;
}

}  // namespace lepton::postgres
