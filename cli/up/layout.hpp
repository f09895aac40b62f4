#pragma once
// Layout: where a control plane of one machine keeps its files. One place decides all paths, so
// that up, down, backup and restore cannot disagree. Secrets are files of mode 0600; the state
// folder itself may be passed through, not listed, where PostgreSQL and tasks run as other users
// (root), else it is closed (0700). Any thread. Errors: invalid, denied, exhausted.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::cli {

// In the order of start; `stop` goes backwards.
inline constexpr char const* stack_services[] = {"vault", "auditor", "deployer", "scaler",
                                                 "monitor"};
std::vector<std::string> service_names();

struct Layout {
  std::filesystem::path state;
  std::filesystem::path run;  // sockets
  std::string context;        // the client context file
  // Each part, in a container of its own, sees its folders only (docs/compose.md).
  bool apart = false;

  std::filesystem::path lock() const { return state / "up.lock"; }
  std::filesystem::path settings() const { return state / "settings.yaml"; }
  std::filesystem::path public_keys() const { return state / "public_keys.yaml"; }
  // What one part may read.
  std::filesystem::path part(std::string const& name) const { return state / "parts" / name; }
  std::filesystem::path keys(std::string const& name) const {
    return (apart ? part(name) : state / "keys") / (name + ".keys");
  }
  std::filesystem::path config(std::string const& name) const {
    return (apart ? part(name) : state / "config") / (name + ".yaml");
  }
  std::filesystem::path log(std::string const& name) const {
    return state / "log" / (name + ".log");
  }
  // What the database gives to one part.
  std::filesystem::path login(std::string const& name) const { return state / "database" / name; }
  std::filesystem::path url(std::string const& service) const {
    return (apart ? login(service) : state / "database") / (service + ".url");
  }
  std::filesystem::path reader_url() const {
    return (apart ? login("reader") : state) / "reader.url";
  }
  std::filesystem::path root_key() const { return (apart ? part("admin") : state) / "vault.key"; }
  std::filesystem::path admin_token() const {
    return (apart ? part("admin") : state) / "admin.token";
  }
  std::filesystem::path node() const { return state / "node"; }
  std::filesystem::path node_token() const {
    return (apart ? state / "token" : state) / "node.token";
  }
  std::filesystem::path postgres_data() const {
    return apart ? state / "postgres" / "data" : state / "postgres";
  }
  std::filesystem::path haproxy_config() const {
    return (apart ? part("haproxy") : state / "config") / "haproxy.cfg";
  }
  std::filesystem::path haproxy_hold_program() const {
    return (apart ? part("haproxy") : state / "config") / "haproxy_hold.lua";
  }
  std::filesystem::path haproxy_socket() const {
    return (apart ? run / "balancer" : run) / "haproxy.sock";
  }
  std::filesystem::path postgres_socket() const { return run / "postgres"; }
};

// `state` empty: $LEPTON_STATE, for root /var/lib/lepton, else $XDG_STATE_HOME/lepton (by default
// ~/.local/state/lepton). $LEPTON_RUN wins for the run folder; else it is below a chosen state
// folder, /run/lepton for root, $XDG_RUNTIME_DIR/lepton. `context` empty: beside a chosen state
// folder, else the default of every command.
Result<Layout> find_layout(std::string const& state, std::string const& context);

// Makes the folders; safe to repeat.
Status make_folders(Layout const& layout);

// A program of the suite, which lies beside this one.
Result<std::filesystem::path> find_program(std::string const& name);
// The migrations: $LEPTON_SQL, <prefix>/share/lepton/sql, or schemas/sql of the source tree around
// the build.
Result<std::filesystem::path> find_migrations();

}  // namespace lepton::cli
