#include "common/postgres/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/postgres/binaries.hpp"
#include "common/postgres/process.hpp"
#include "common/postgres/roles.hpp"
#include "common/postgres/session.hpp"

namespace lepton::postgres {
namespace fs = std::filesystem;
namespace {

Result<Command> tool(Session const& session, Secret<std::string> const& url, char const* name) {
  auto const binaries = find_binaries(session.server_major());
  if (!binaries) return binaries.error();
  auto environment = environment_for(url);
  if (!environment) return environment.error();
  Command command;
  command.program = binaries->folder / name;
  command.environment = std::move(*environment);
  return command;
}

Status flush_to_disk(fs::path const& file) {
  Fd const descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor && fsync(descriptor.get()) == 0) return ok();
  return Error{Code::internal, fmt::format("cannot flush the backup {} to disk: {}", file.string(),
                                           std::strerror(errno))};
}

// link() refuses an existing name, so that a backup never replaces another file.
Status publish(fs::path const& partial, fs::path const& file) {
  if (link(partial.c_str(), file.c_str()) == 0) return ok();
  if (errno == EEXIST)
    return Error{
        Code::conflict,
        fmt::format("{} exists already; choose another name for the backup", file.string())};
  return Error{Code::internal,
               fmt::format("cannot name the backup {}: {}", file.string(), std::strerror(errno))};
}

Result<std::string> database_of(Session& session) {
  auto rows = session.query({"SELECT current_database()", {}});
  if (!rows) return rows.error();
  return rows->front().front().value_or("");
}

Status check_empty(Session& session) {
  auto rows =
      session.query({"SELECT n.nspname FROM pg_namespace n WHERE n.nspname !~ '^pg_' "
                     "AND n.nspname <> 'information_schema' AND (n.nspname <> 'public' OR EXISTS "
                     "(SELECT 1 FROM pg_class c WHERE c.relnamespace = n.oid)) ORDER BY 1 LIMIT 1",
                     {}});
  if (!rows) return rows.error();
  if (rows->empty()) return ok();
  return Error{Code::conflict,
               fmt::format("a backup is restored only into an empty database, but this one has "
                           "schema {}; start with an empty data folder or another database",
                           rows->front().front().value_or(""))};
}

}  // namespace

Status backup_to(Secret<std::string> const& admin_url, fs::path const& file, TimeMs limit_ms) {
  std::error_code error;
  if (fs::exists(file, error))
    return Error{
        Code::conflict,
        fmt::format("{} exists already; choose another name for the backup", file.string())};
  auto session = Session::open(admin_url);
  if (!session) return session.error();
  auto command = tool(*session, admin_url, "pg_dump");
  if (!command) return command.error();
  auto const target = fs::absolute(file);
  auto const partial = fs::path(fmt::format("{}.{}.part", target.string(), getpid()));
  command->arguments = {"--format=custom", "--no-password", "--lock-wait-timeout=60s",
                        "--file=" + partial.string()};
  auto const done = run(std::move(*command), limit_ms);
  auto status = done ? flush_to_disk(partial) : Status(done.error());
  if (status) status = publish(partial, target);
  fs::remove(partial, error);
  return status;
}

Status restore_from(Secret<std::string> const& admin_url, fs::path const& file,
                    std::vector<std::string> const& services, TimeMs limit_ms) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    return Error{Code::not_found, fmt::format("there is no backup file {}", file.string())};
  auto session = Session::open(admin_url);
  if (!session) return session.error();
  if (auto status = check_empty(*session); !status) return status;
  if (auto status = ensure_roles(*session, services); !status) return status;
  auto command = tool(*session, admin_url, "pg_restore");
  if (!command) return command.error();
  auto const database = database_of(*session);
  if (!database) return database.error();
  command->arguments = {"--exit-on-error", "--single-transaction", "--no-password",
                        "--dbname=" + *database, fs::absolute(file).string()};
  auto const done = run(std::move(*command), limit_ms);
  return done ? ok() : Status(done.error());
}

}  // namespace lepton::postgres
