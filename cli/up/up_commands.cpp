#include "cli/up/up_commands.hpp"

#include <memory>

#include "cli/up/backup.hpp"
#include "cli/up/node.hpp"
#include "cli/up/rotate.hpp"
#include "cli/up/up.hpp"

namespace lepton::cli {
namespace {

constexpr char const* state_doc = "State folder, else $LEPTON_STATE, else the account's default";

Command up_command() {
  auto const o = std::make_shared<UpOptions>();
  Command c{"up", "Starts a whole control plane on this machine and keeps it running",
            "lepton up --detach"};
  c.flag("-d,--detach", "Returns when everything is ready; it runs on behind", &o->detach)
      .option("--state", state_doc, &o->state)
      .option("--database-url-file",
              "File with the administrator's URL of a PostgreSQL 15 or newer, instead of a private "
              "one",
              &o->database_url_file)
      .option(
          "--alert-url-file",
          "File with the URL that alerts are posted to, such as an Alertmanager's /api/v2/alerts",
          &o->alert_url_file)
      .option("--port-base", "First of the ports, four for each service (7100)", &o->port_base)
      .option("--listen", "IPv4 address for clients and nodes (127.0.0.1)", &o->listen)
      .option("--entrances", "Ports at which HAProxy takes requests for services (16)",
              &o->entrances)
      .flag("--no-node", "This machine runs no work", &o->no_node)
      .flag("--node", "This machine runs work (the default)", &o->with_node)
      .option("--node-name", "Its name as a node (the host's name)", &o->node_name);
  c.run = [o](Shell& shell) { return up(shell, *o); };
  return c;
}

Command down_command() {
  auto const o = std::make_shared<DownOptions>();
  Command c{"down", "Stops the control plane of this machine; nothing is lost", "lepton down"};
  c.option("--state", state_doc, &o->state).option("--limit", "Longest wait, seconds", &o->limit_s);
  c.run = [o](Shell& shell) { return down(shell, *o); };
  return c;
}

Command join_command() {
  auto const o = std::make_shared<JoinOptions>();
  Command c{"node join", "Makes this machine a node of a control plane elsewhere",
            "lepton node join - --deployer tcp://10.0.0.5:7107 --server-key KEY < token"};
  c.required("TOKEN", "Its token, or - to read it from standard input", &o->token)
      .required("--deployer", "Client door of the deployer, tcp://ADDRESS:PORT", &o->deployer)
      .required("--server-key", "CURVE key of the deployer, 40 characters", &o->server_key)
      .option("--monitor", "Client door of the monitor; without, it reports no telemetry",
              &o->monitor)
      .option("--monitor-key", "CURVE key of the monitor, 40 characters", &o->monitor_key)
      .option("--name", "Name of the node (the host's name)", &o->name)
      .option("--state", state_doc, &o->state)
      .flag("--systemd", "Prints a systemd unit instead of starting it", &o->systemd);
  c.run = [o](Shell& shell) { return node_join(shell, *o); };
  return c;
}

Command backup_command() {
  auto const o = std::make_shared<BackupOptions>();
  Command c{"backup", "Writes database and keys into one file", "lepton backup monday.backup"};
  c.required("FILE", "File to write; must not exist", &o->file)
      .option("--state", state_doc, &o->state)
      .flag("--with-root-key", "Also the vault's root key: the file then opens every secret",
            &o->with_root_key);
  c.run = [o](Shell& shell) { return backup(shell, *o); };
  return c;
}

Command restore_command() {
  auto const o = std::make_shared<RestoreOptions>();
  Command c{"restore", "Fills an empty state folder from a backup", "lepton restore monday.backup"};
  c.required("FILE", "File of `lepton backup`", &o->file)
      .option("--state", state_doc, &o->state)
      .option("--database-url-file", "File with the URL of an empty database to fill instead",
              &o->database_url_file);
  c.run = [o](Shell& shell) { return restore(shell, *o); };
  return c;
}

Command rotate_command() {
  auto const o = std::make_shared<RotateOptions>();
  Command c{"key rotate", "Gives a running service a new CURVE key; the old one is refused then",
            "lepton key rotate deployer"};
  c.required("SERVICE", "vault, auditor, deployer, scaler or monitor", &o->service)
      .flag("--prepare",
            "Only makes the next key known here and prints both, for nodes and clients of other "
            "machines",
            &o->prepare)
      .option("--state", state_doc, &o->state);
  c.run = [o](Shell& shell) { return rotate_key(shell, *o); };
  return c;
}

}  // namespace

Commands up_commands() {
  return {up_command(),     down_command(),    join_command(),
          backup_command(), restore_command(), rotate_command()};
}

}  // namespace lepton::cli
