#include "common/postgres/embedded.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <csignal>
#include <cstdlib>

#include "common/base/text.hpp"
#include "common/postgres/cluster.hpp"
#include "common/postgres/session.hpp"

namespace lepton::postgres {
namespace fs = std::filesystem;
namespace {

constexpr TimeMs probe_every_ms = 20;

Result<fs::path> xdg(char const* variable, char const* below_home) {
  if (auto const* value = std::getenv(variable); value != nullptr && *value == '/') return {value};
  auto const* home = std::getenv("HOME");
  if (home == nullptr || *home != '/')
    return Error{Code::invalid, fmt::format("neither {} nor HOME is set to an absolute path; set "
                                            "one of them",
                                            variable)};
  return fs::path(home) / below_home;
}

Result<Child> launch(EmbeddedConfig const& config, Binaries const& binaries,
                     std::optional<User> const& user, Fd const& output) {
  Command command;
  command.program = binaries.folder / "postgres";
  command.arguments = {"-D", config.data};
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  command.directory = config.data;
  command.output = output.get();
  command.user = user;
  command.parent_death_signal = config.stop_with_parent ? SIGINT : 0;
  return spawn(command);
}

}  // namespace

Result<EmbeddedConfig> default_embedded_config() {
  EmbeddedConfig config;
  auto const user = server_user();
  if (!user) return user.error();
  if (*user) {
    config.data = "/var/lib/lepton/postgres";
    config.socket = "/run/lepton/postgres";
    return config;
  }
  auto const state = xdg("XDG_STATE_HOME", ".local/state");
  if (!state) return state.error();
  auto const runtime = xdg("XDG_RUNTIME_DIR", ".local/state/lepton/run");
  if (!runtime) return runtime.error();
  config.data = *state / "lepton/postgres";
  config.socket = *runtime / "lepton/postgres";
  return config;
}

Result<std::unique_ptr<EmbeddedPostgres>> EmbeddedPostgres::start(EmbeddedConfig config) {
  auto const os_user = current_user();
  if (!os_user) return os_user.error();
  auto const user = server_user();
  if (!user) return user.error();
  if (auto status = check_paths(config, *user); !status) return status.error();
  auto lock = lock_cluster(config);
  if (!lock) return lock.error();
  auto const version = data_version(config.data);
  if (!version) return version.error();
  auto const binaries = find_binaries(*version);
  if (!binaries) return binaries.error();
  auto status = wait_for_previous(config);
  if (status) status = clear_foreign_pid_file(config);
  if (status && !*version) status = create_cluster(config, *binaries, *user);
  if (status) status = write_settings(config, *os_user, *user);
  if (!status) return status.error();
  // What the server says before its own log is open; also keeps a crash loop from filling the disk.
  auto early = memory_file("", *user);
  if (!early) return early.error();
  auto child = launch(config, *binaries, *user, *early);
  if (!child) return child.error();

  std::unique_ptr<EmbeddedPostgres> server(new EmbeddedPostgres(
      std::move(config), std::move(*lock), std::move(*child), std::move(*early)));
  status = server->wait_until_ready();
  if (status) status = server->ensure_database();
  if (!status) return status.error();
  return server;
}

EmbeddedPostgres::EmbeddedPostgres(EmbeddedConfig config, Fd lock, Child server, Fd early_log)
    : config_(std::move(config)),
      lock_(std::move(lock)),
      server_(std::move(server)),
      early_log_(std::move(early_log)) {}

EmbeddedPostgres::~EmbeddedPostgres() {
  (void)stop();
}

Status EmbeddedPostgres::wait_until_ready() {
  SystemClock const clock;
  auto const deadline = clock.now_ms() + config_.start_limit_ms;
  auto const url = session_url(config_.socket, admin_role, "postgres");
  // Waiting for the server's end is the pause between two probes.
  while (PQping(url.c_str()) != PQPING_OK) {
    if (auto const status = server_.wait(probe_every_ms))
      return Error{Code::internal,
                   fmt::format("PostgreSQL ended with status {} while starting in {}: {}", *status,
                               config_.data.string(), log_tail())};
    if (clock.now_ms() > deadline)
      return Error{Code::timeout,
                   fmt::format("PostgreSQL in {} did not answer within {} s: {}",
                               config_.data.string(), config_.start_limit_ms / 1000, log_tail())};
  }
  return ok();
}

Status EmbeddedPostgres::ensure_database() {
  auto session = Session::open(Secret<>(session_url(config_.socket, admin_role, "postgres")));
  if (!session) return session.error();
  return session->create_database(config_.database);
}

Status EmbeddedPostgres::stop() {
  if (std::exchange(stopped_, true)) return ok();
  server_.signal(SIGINT);
  auto const ended = server_.wait(config_.stop_limit_ms);
  if (ended) return ok();
  server_.signal(SIGQUIT);
  if (!server_.wait(5'000)) {
    server_.signal(SIGKILL);
    server_.wait(-1);
  }
  return Error{Code::timeout,
               fmt::format("PostgreSQL did not stop within {} s and was ended like a crash; it "
                           "recovers at the next start",
                           config_.stop_limit_ms / 1000)};
}

std::string EmbeddedPostgres::admin_url() const {
  return session_url(config_.socket, admin_role, config_.database);
}

std::string EmbeddedPostgres::log_tail() const {
  auto const early = read_tail(early_log_.get());
  // An end before the log was open is told by the early text alone; the log is of an earlier life.
  auto const opened = early.find("redirecting log output") != early.npos;
  auto const told = opened ? cluster_log_tail(config_.data) : early;
  return text::join(text::split(text::trim(told), '\n'), " | ");
}

}  // namespace lepton::postgres
