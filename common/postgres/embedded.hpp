#pragma once
// EmbeddedPostgres: a private PostgreSQL for one control plane, as `lepton up` and tests use it.
// The server is a direct child (no daemon), so that a supervisor can watch its pid; it listens on a
// unix socket only and, under root, runs as user postgres. People and services log in by SCRAM; the
// operating-system user that started it is also superuser `lepton_admin` by the kernel's word
// (peer), so that no password of it exists on disk.
//
// Ownership: one object owns one data folder, held by a lock file beside it. One thread: the one
// that calls start() must outlive the object (process.hpp). Sizes in MiB, times in ms. Errors:
// not_found (program or user missing), conflict (folder occupied), exhausted (disk full), invalid
// (paths), timeout, internal with PostgreSQL's own words.

#include <filesystem>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/postgres/process.hpp"

namespace lepton::postgres {

inline constexpr std::size_t socket_path_bytes_max = 107;

struct EmbeddedConfig {
  std::filesystem::path data;    // created when absent
  std::filesystem::path socket;  // folder of the unix socket, created when absent
  std::string database = "lepton";
  int connections_max = 100;
  int shared_buffers_mib = 128;
  int free_mib_min = 256;
  TimeMs start_limit_ms = 120'000;  // also covers crash recovery
  TimeMs stop_limit_ms = 30'000;
  TimeMs previous_limit_ms = 15'000;  // how long a dying predecessor may take
  bool stop_with_parent = true;       // a killed supervisor takes the server down in good order
};

// Root: /var/lib/lepton and /run/lepton. Others: XDG_STATE_HOME and XDG_RUNTIME_DIR with their
// usual defaults.
Result<EmbeddedConfig> default_embedded_config();

class EmbeddedPostgres {
 public:
  static Result<std::unique_ptr<EmbeddedPostgres>> start(EmbeddedConfig config);
  ~EmbeddedPostgres();  // stops the server if stop() was not called

  pid_t pid() const { return server_.pid(); }
  // Nothing while it runs; else its exit status. Never waits.
  std::optional<int> exited() { return server_.wait(0); }
  // Fast shutdown: sessions are ended, all is flushed. After the limit it is stopped like a crash
  // (the next start recovers) and the answer is a timeout.
  Status stop();
  // Connection string of the superuser; holds no secret.
  std::string admin_url() const;
  // The last lines that the server wrote for people, joined by " | ".
  std::string log_tail() const;

 private:
  EmbeddedPostgres(EmbeddedConfig config, Fd lock, Child server, Fd early_log);
  Status wait_until_ready();
  Status ensure_database();

  EmbeddedConfig config_;
  Fd lock_;
  Child server_;
  Fd early_log_;
  bool stopped_ = false;
};

}  // namespace lepton::postgres
