#include "cli/up/backup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/up/archive.hpp"
#include "cli/up/database.hpp"
#include "cli/up/lock.hpp"
#include "cli/up/settings.hpp"
#include "common/base/text.hpp"
#include "common/codec/yaml.hpp"
#include "common/postgres/backup.hpp"
#include "common/postgres/session.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t format_version = 1;

struct Manifest {
  std::uint32_t format = format_version;
  std::string made_at;
  bool root_key = false;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "format", &Manifest::format, "Version of the layout of the archive."),
        field(2, "made_at", &Manifest::made_at, "When, UTC."),
        field(3, "root_key", &Manifest::root_key, "The vault's root key is inside."));
  }
};
static_assert(schema::complete<Manifest>());

// A database to work on: that of the running control plane, or started for the time of the work.
struct Access {
  std::optional<StateLock> lock;
  std::optional<Database> database;
  Secret<std::string> url;
};

Result<Access> reach_database(Layout const& layout, std::string const& url_file) {
  Access access;
  auto const supervisor = supervisor_of(layout);
  if (!supervisor) return supervisor.error();
  if (*supervisor && url_file.empty()) {
    access.url = Secret<std::string>(
        postgres::session_url(layout.postgres_socket(), "lepton_admin", "lepton"));
    return access;
  }
  if (!*supervisor) {
    auto lock = StateLock::take(layout);
    if (!lock) return lock.error();
    access.lock.emplace(std::move(*lock));
  }
  auto database = Database::open(layout, url_file);
  if (!database) return database.error();
  access.database.emplace(std::move(*database));
  access.url = access.database->admin_url();
  return access;
}

Status copy_private(fs::path const& from, fs::path const& to) {
  auto text = read_private_file(from);
  if (!text && text.error().code == Code::not_found) return ok();
  if (!text) return text.error();
  auto written = write_private_file(to, *text);
  wipe(text->data(), text->size());
  return written;
}

Status copy_keys(fs::path const& from, fs::path const& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return ok();
  for (auto const& entry : fs::directory_iterator(from, error))
    if (auto copied = copy_private(entry.path(), to / entry.path().filename()); !copied)
      return copied;
  return ok();
}

// What a state folder needs beside the database, to and from the folder of an archive.
Status copy_files(fs::path const& from, fs::path const& to, bool with_root_key) {
  auto status = copy_keys(from / "keys", to / "keys");
  std::vector<char const*> names{"settings.yaml", "admin.token", "node.token"};
  if (with_root_key) names.push_back("vault.key");
  for (auto const* name : names)
    if (status) status = copy_private(from / name, to / name);
  return status;
}

Status check_empty(Layout const& layout) {
  std::error_code error;
  for (auto const& used : {layout.postgres_data(), layout.keys("vault"), layout.settings()})
    if (fs::exists(used, error))
      return Error{Code::conflict,
                   fmt::format("a backup is restored into an empty state folder, but there is {}; "
                               "move {} away or choose another by --state DIR",
                               used.string(), layout.state.string())};
  return ok();
}

Result<Manifest> read_manifest(fs::path const& folder, std::string const& file) {
  auto const text = read_private_file(folder / "manifest.yaml");
  if (!text) return Error{Code::invalid, file + " is no backup of a control plane"};
  auto manifest = codec::from_yaml<Manifest>(*text);
  if (!manifest) return Error{Code::invalid, file + ": " + manifest.error().what};
  if (manifest->format != format_version)
    return Error{Code::invalid, fmt::format("{} has format {}, and this version reads {}; use the "
                                            "version that made it",
                                            file, manifest->format, format_version)};
  return manifest;
}

// An epoch begins with number 1, so what the log has is left out, and what it has not is numbered
// from there. Dump and log are of one moment.
std::vector<postgres::Statement> begin_new_epoch(std::string const& service) {
  auto const schema = postgres::identifier(service);
  // How far the log is.
  auto const in_log = fmt::format(
      "coalesce((SELECT i.seq FROM auditor.inbox i JOIN {}.stream s ON s.name = i.stream AND "
      "s.epoch = i.epoch WHERE i.sender = $1 AND i.stream = 'audit'), 0)",
      schema);
  std::vector<std::string> const steps{
      fmt::format("DELETE FROM {}.event WHERE stream = 'audit' AND seq <= {}", schema, in_log),
      fmt::format("UPDATE {}.event SET seq = {} - seq WHERE stream = 'audit'", schema, in_log),
      fmt::format("UPDATE {}.stream SET head = greatest(head - {}, 0) WHERE name = 'audit'", schema,
                  in_log)};
  std::vector<postgres::Statement> statements;
  for (auto const& step : steps) statements.push_back({step, {service}});
  // Negative before they are turned, for no number may stand twice meanwhile.
  for (auto const* step : {"UPDATE {}.event SET seq = -seq WHERE stream = 'audit'",
                           "UPDATE {}.cursor SET acked = 0 WHERE stream = 'audit'",
                           "UPDATE {}.stream SET epoch = epoch + 1"})
    statements.push_back({fmt::format(fmt::runtime(step), schema), {}});
  return statements;
}

Status begin_new_epochs(Secret<std::string> const& url) {
  auto session = postgres::Session::open(url);
  if (!session) return session.error();
  // A backup of an older version has no schema of a service that came later.
  auto const found =
      session->query({"SELECT schemaname FROM pg_tables WHERE tablename = 'stream'", {}});
  if (!found) return found.error();
  auto const is_there = [&](std::string const& service) {
    return std::any_of(found->begin(), found->end(),
                       [&](auto const& row) { return row.at(0) == service; });
  };
  std::vector<postgres::Statement> statements;
  for (auto const& service : service_names())
    if (is_there(service))
      for (auto& statement : begin_new_epoch(service)) statements.push_back(std::move(statement));
  return session->transaction(statements);
}

// The parts of a restore that can fail; what they leave is removed by the caller.
Status fill(Layout const& layout, fs::path const& folder, RestoreOptions const& o, bool root_key) {
  auto database = Database::open(layout, o.database_url_file);
  if (!database) return database.error();
  auto status =
      postgres::restore_from(database->admin_url(), folder / "database.dump", service_names());
  if (status) status = begin_new_epochs(database->admin_url());
  if (status) status = copy_files(folder, layout.state, root_key);
  if (status && !o.database_url_file.empty()) {
    auto settings = read_settings(layout);
    if (!settings) return settings.error();
    auto kept = settings->value_or(StackSettings{});
    kept.database_url_file = fs::absolute(o.database_url_file).string();
    status = write_settings(layout, kept);
  }
  auto const stopped = database->stop();
  return status ? stopped : status;
}

void empty(Layout const& layout) {
  std::error_code error;
  for (auto const& path : {layout.postgres_data(), layout.state / "keys", layout.settings(),
                           layout.admin_token(), layout.node_token(), layout.root_key()})
    fs::remove_all(path, error);
}

}  // namespace

Result<int> backup(Shell& shell, BackupOptions const& o) {
  auto const layout = find_layout(o.state, shell.context_path);
  if (!layout) return layout.error();
  auto const file = fs::absolute(o.file);
  std::error_code error;
  if (fs::exists(file, error))
    return Error{Code::conflict, file.string() + " exists already; choose another name"};
  auto const settings = read_settings(*layout);
  if (!settings) return settings.error();
  if (!*settings)
    return Error{Code::not_found, fmt::format("there is no control plane in {}; name its folder by "
                                              "--state DIR",
                                              layout->state.string())};
  if ((*settings)->is_apart())
    return Error{Code::conflict,
                 fmt::format("{} belongs to a stack of containers; stop that and copy the folder "
                             "(docs/compose.md)",
                             layout->state.string())};
  auto const scratch = ScratchFolder::make(file);
  if (!scratch) return scratch.error();
  auto access = reach_database(*layout, (*settings)->database_url_file);
  if (!access) return access.error();
  auto status = postgres::backup_to(access->url, scratch->path() / "database.dump");
  if (status) status = copy_files(layout->state, scratch->path(), o.with_root_key);
  Manifest const manifest{format_version, text::utc(SystemClock().wall_ms()), o.with_root_key};
  if (status)
    status = write_private_file(scratch->path() / "manifest.yaml", codec::to_yaml(manifest));
  if (status) status = pack(scratch->path(), file);
  if (!status) return status.error();
  shell.say("written: " + file.string());
  shell.say(o.with_root_key
                ? "it holds the vault's root key: who has this file can read every secret"
                : fmt::format("the vault's root key is not in it: keep a copy of {} "
                              "apart, without it no secret comes back",
                              layout->root_key().string()));
  return 0;
}

Result<int> restore(Shell& shell, RestoreOptions const& o) {
  auto const layout = find_layout(o.state, shell.context_path);
  if (!layout) return layout.error();
  if (auto made = make_folders(*layout); !made) return made.error();
  auto const lock = StateLock::take(*layout);
  if (!lock) return lock.error();
  if (auto free = check_empty(*layout); !free) return free.error();
  auto const scratch = ScratchFolder::make(layout->state / "restore");
  if (!scratch) return scratch.error();
  if (auto unpacked = unpack(fs::absolute(o.file), scratch->path()); !unpacked)
    return unpacked.error();
  auto const manifest = read_manifest(scratch->path(), o.file);
  if (!manifest) return manifest.error();
  if (auto filled = fill(*layout, scratch->path(), o, manifest->root_key); !filled) {
    empty(*layout);
    return filled.error();
  }
  shell.say(fmt::format("restored from {} ({})", o.file, manifest->made_at));
  if (!manifest->root_key)
    shell.say(
        fmt::format("the vault's root key was not in it: put your copy into {} with mode "
                    "0600, or type it at `lepton vault unseal`",
                    layout->root_key().string()));
  shell.next("lepton up");
  return 0;
}

}  // namespace lepton::cli
