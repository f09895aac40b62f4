#include "common/postgres/cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

// glibc 2.36 forgot the language linkage in this header.
extern "C" {
#include <sys/pidfd.h>
}

#include "common/base/text.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/entropy.hpp"

namespace lepton::postgres {
namespace fs = std::filesystem;
namespace {

fs::path with_suffix(fs::path const& path, char const* suffix) {
  return path.string() + suffix;
}

Error file_error(std::string_view what, fs::path const& path, int number) {
  return {number == ENOSPC ? Code::exhausted : Code::internal,
          fmt::format("{} {}: {}", what, path.string(), std::strerror(number))};
}

bool may_enter(fs::path const& folder, User const& user) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return true;  // not there yet: we will create it
  if (info.st_uid == user.uid) return (info.st_mode & S_IXUSR) != 0;
  for (auto const group : user.groups)
    if (info.st_gid == group) return (info.st_mode & S_IXGRP) != 0;
  return (info.st_mode & S_IXOTH) != 0;
}

Status check_reachable(fs::path const& path, User const& user) {
  for (auto folder = path.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (!may_enter(folder, user))
      return Error{Code::invalid,
                   fmt::format("user {} runs the database but cannot enter {}; choose another "
                               "folder, or try: chmod o+x {}",
                               user.name, folder.string(), folder.string())};
  }
  return ok();
}

Status check_space(EmbeddedConfig const& config) {
  auto folder = config.data;
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  auto const space = fs::space(folder, error);
  auto const free_mib = error ? 0 : static_cast<std::int64_t>(space.available >> 20);
  if (free_mib >= config.free_mib_min) return ok();
  return Error{Code::exhausted,
               fmt::format("the database needs at least {} MiB of free disk, but {} has {} MiB; "
                           "free some space or choose another folder",
                           config.free_mib_min, folder.string(), free_mib)};
}

Status make_folder(fs::path const& path, mode_t mode, std::optional<User> const& user) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return file_error("cannot create folder", path, error.value());
  // Only what we own is changed: a folder of somebody else stays as it is and is reported later.
  if (user && chown(path.c_str(), user->uid, user->gid) != 0)
    return file_error("cannot hand over folder", path, errno);
  if (chmod(path.c_str(), mode) != 0)
    return file_error("cannot set the mode of folder", path, errno);
  return ok();
}

Status write_file(fs::path const& path, std::string_view content, std::optional<User> const& user) {
  auto const next = with_suffix(path, ".new");
  Fd const file(open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return file_error("cannot write", next, errno);
  auto const count = write(file.get(), content.data(), content.size());
  if (count != static_cast<ssize_t>(content.size()) || fsync(file.get()) != 0)
    return file_error("cannot write", next, count < 0 ? errno : ENOSPC);
  if (user && fchown(file.get(), user->uid, user->gid) != 0)
    return file_error("cannot hand over", next, errno);
  if (rename(next.c_str(), path.c_str()) != 0) return file_error("cannot replace", path, errno);
  return ok();
}

// PostgreSQL's processes work inside their data folder, postmaster or orphan alike.
std::vector<pid_t> processes_in(fs::path const& data) {
  std::vector<pid_t> found;
  std::error_code error;
  auto const wanted = fs::canonical(data, error);
  if (error) return found;
  for (auto const& entry : fs::directory_iterator("/proc", error)) {
    auto const pid = text::parse_int(entry.path().filename().string());
    if (!pid) continue;
    std::error_code unreadable;
    if (fs::read_symlink(entry.path() / "cwd", unreadable) != wanted || unreadable) continue;
    auto const program = fs::read_symlink(entry.path() / "exe", unreadable).filename().string();
    if (program.starts_with("postgres")) found.push_back(static_cast<pid_t>(*pid));
  }
  return found;
}

// Quotes a text for postgresql.conf and pg_ident.conf.
std::string enclosed(std::string_view value, char quote) {
  std::string out(1, quote);
  for (char const c : value) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string settings_text(EmbeddedConfig const& config) {
  return fmt::format(
      R"(# Written by lepton at every start; changes here do not last.
listen_addresses = ''
unix_socket_directories = {socket}
max_connections = {connections}
shared_buffers = {buffers}MB
password_encryption = scram-sha-256
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_senders = 0
wal_compression = on
wal_buffers = 16MB
min_wal_size = 128MB
max_wal_size = 1GB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
jit = off
idle_in_transaction_session_timeout = 60s
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
# One file per day of the week: never more than seven.
log_filename = 'postgres-%u.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_checkpoints = off
# Statements and details can hold values: they stay out of the log.
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
)",
      fmt::arg("socket", enclosed(config.socket.string(), '\'')),
      fmt::arg("connections", config.connections_max),
      fmt::arg("buffers", config.shared_buffers_mib));
}

std::string last_lines(fs::path const& path, std::size_t count) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  auto const size = static_cast<std::int64_t>(file.tellg());
  file.seekg(std::max<std::int64_t>(0, size - 8192));
  std::string const content{std::istreambuf_iterator<char>(file), {}};
  auto lines = text::split(text::trim(content), '\n');
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<long>(count));
  return text::join(lines, "\n");
}

}  // namespace

Result<std::optional<User>> server_user() {
  if (geteuid() != 0) return std::optional<User>();
  auto user = find_user("postgres");
  if (!user)
    return Error{Code::not_found,
                 "PostgreSQL refuses to run as root and user postgres does not exist; try: "
                 "apt-get install postgresql"};
  return std::optional<User>(*user);
}

Status check_paths(EmbeddedConfig const& config, std::optional<User> const& user) {
  if (!config.data.is_absolute() || !config.socket.is_absolute())
    return Error{Code::invalid, "the database folders must be absolute paths"};
  auto const socket = config.socket / ".s.PGSQL.5432";
  if (socket.string().size() > socket_path_bytes_max)
    return Error{Code::invalid,
                 fmt::format("the socket path {} has {} bytes, but the system allows {}; choose a "
                             "shorter run folder (XDG_RUNTIME_DIR)",
                             socket.string(), socket.string().size(), socket_path_bytes_max)};
  if (user) {
    for (auto const& path : {config.data, config.socket})
      if (auto status = check_reachable(path, *user); !status) return status;
  }
  return check_space(config);
}

Result<Fd> lock_cluster(EmbeddedConfig const& config) {
  std::error_code error;
  fs::create_directories(config.data.parent_path(), error);
  if (error) return file_error("cannot create folder", config.data.parent_path(), error.value());
  auto const path = with_suffix(config.data, ".lock");
  Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return file_error("cannot open", path, errno);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{Code::conflict,
                 fmt::format("another instance already runs the database in {}; try: lepton "
                             "status, or lepton down to stop it",
                             config.data.string())};
  return lock;
}

Result<std::optional<int>> data_version(fs::path const& data) {
  std::error_code error;
  if (!fs::exists(data, error) || fs::is_empty(data, error)) return std::optional<int>();
  std::ifstream file(data / "PG_VERSION");
  std::string line;
  std::getline(file, line);
  auto const major = text::parse_int(line);
  if (!major)
    return Error{Code::conflict,
                 fmt::format("{} is not empty and holds no PostgreSQL data; choose another folder "
                             "or empty this one",
                             data.string())};
  return std::optional<int>(static_cast<int>(*major));
}

Status wait_for_previous(EmbeddedConfig const& config) {
  SystemClock const clock;
  auto const deadline = clock.now_ms() + config.previous_limit_ms;
  for (;;) {
    auto const pids = processes_in(config.data);
    if (pids.empty()) return ok();
    Fd const process(pidfd_open(pids.front(), 0));
    if (!process) continue;  // ended between the two calls
    auto const left = deadline - clock.now_ms();
    pollfd entry{process.get(), POLLIN, 0};
    if (left > 0 && poll(&entry, 1, static_cast<int>(left)) > 0) continue;
    return Error{Code::conflict,
                 fmt::format("a PostgreSQL (pid {}) already works in {}; stop it and try again",
                             pids.front(), config.data.string())};
  }
}

Status clear_foreign_pid_file(EmbeddedConfig const& config) {
  auto const path = config.data / "postmaster.pid";
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return ok();
  auto const pid = text::parse_int(text::trim(line));
  if (!pid || *pid <= 0 || kill(static_cast<pid_t>(*pid), 0) != 0) return ok();
  std::error_code error;
  fs::remove(path, error);
  return error ? Status(file_error("cannot remove", path, error.value())) : ok();
}

// Built beside its place and renamed at the end: a crash on the way leaves nothing half made.
Status create_cluster(EmbeddedConfig const& config, Binaries const& binaries,
                      std::optional<User> const& user) {
  auto const fresh = with_suffix(config.data, ".new");
  std::error_code error;
  fs::remove_all(fresh, error);
  if (auto status = make_folder(fresh, 0700, user); !status) return status;

  // Nobody learns this password: the superuser logs in by peer.
  auto const password = crypto::base64url(crypto::SystemEntropy().bytes(32)) + "\n";
  auto input = memory_file(password, user);
  if (!input) return input.error();
  Command command;
  command.program = binaries.folder / "initdb";
  command.arguments = {"-D",
                       fresh,
                       "-U",
                       admin_role,
                       "-A",
                       "scram-sha-256",
                       "-E",
                       "UTF8",
                       "--locale=C.UTF-8",
                       "--data-checksums",
                       "--pwfile=/dev/stdin"};
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  command.input = input->get();
  command.user = user;
  auto const done = run(std::move(command), config.start_limit_ms);
  if (!done) {
    fs::remove_all(fresh, error);
    return Error{done.error().code, fmt::format("cannot create the database in {}: {}",
                                                config.data.string(), done.error().what)};
  }
  fs::remove(config.data, error);  // an empty folder that was made for us
  if (rename(fresh.c_str(), config.data.c_str()) != 0)
    return file_error("cannot move the new database to", config.data, errno);
  return ok();
}

Status write_settings(EmbeddedConfig const& config, User const& os_user,
                      std::optional<User> const& user) {
  if (auto status = make_folder(config.socket, 0755, user); !status) return status;
  auto const hba = fmt::format(
      "# Written by lepton at every start.\n"
      "local all {0} peer map={0}\nlocal all all scram-sha-256\n",
      admin_role);
  auto const ident = fmt::format("{0} {1} {0}\n", admin_role, enclosed(os_user.name, '"'));
  auto status = write_file(config.data / "pg_hba.conf", hba, user);
  if (status) status = write_file(config.data / "pg_ident.conf", ident, user);
  if (status) status = write_file(config.data / "postgresql.conf", settings_text(config), user);
  return status;
}

std::string cluster_log_tail(fs::path const& data) {
  std::error_code error;
  fs::path newest;
  for (auto const& entry : fs::directory_iterator(data / "log", error)) {
    if (newest.empty() || fs::last_write_time(entry, error) > fs::last_write_time(newest, error))
      newest = entry.path();
  }
  return newest.empty() ? "" : last_lines(newest, 8);
}

}  // namespace lepton::postgres
