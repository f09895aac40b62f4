#include "cli/stack/stack_commands.hpp"

#include <memory>

namespace lepton::cli {
namespace {

constexpr char const* folder_doc = "Folder of the stack";

Command prepare_command() {
  auto const o = std::make_shared<UpOptions>();
  Command c{"stack prepare", "Makes or refreshes the folder of a stack of containers",
            "lepton stack prepare /srv/lepton"};
  c.required("DIR", "Folder to make; its owner, or user 71000 for root, runs the stack", &o->state)
      .option("--port-base", "First of the ports, as for `lepton up` (7100)", &o->port_base)
      .option("--listen", "IPv4 address of this machine for clients and nodes (127.0.0.1)",
              &o->listen)
      .option("--entrances", "Ports at which HAProxy takes requests for services (16)",
              &o->entrances)
      .option("--node-name", "Name of the node in the stack (the host's name)", &o->node_name)
      .option("--alert-url-file", "File with the URL that alerts are posted to", &o->alert_url_file)
      .option("--inside", "First address of the services' own network (10.171.1.10)", &o->inside)
      .option("--door", "First address of the network of clients and nodes (10.171.2.10)",
              &o->door);
  c.run = [o](Shell& shell) { return prepare_stack(shell, *o); };
  return c;
}

Command database_command() {
  auto const folder = std::make_shared<std::string>();
  Command c{"stack database", "Runs PostgreSQL with the tables and logins; for its container",
            "lepton stack database /srv/lepton"};
  c.required("DIR", folder_doc, folder.get());
  c.run = [folder](Shell& shell) { return run_database(shell, *folder); };
  return c;
}

Command tend_command() {
  auto const folder = std::make_shared<std::string>();
  Command c{"stack tend", "Unseals the vault and renews tokens as long as it runs",
            "lepton stack tend /srv/lepton"};
  c.required("DIR", folder_doc, folder.get());
  c.run = [folder](Shell& shell) { return tend_stack(shell, *folder); };
  return c;
}

Command health_command() {
  auto const folder = std::make_shared<std::string>();
  auto const part = std::make_shared<std::string>();
  Command c{"stack health", "Ends with 0 when that part serves; for health checks",
            "lepton stack health /srv/lepton deployer"};
  c.required("DIR", folder_doc, folder.get())
      .required("PART", "A service, database or steward", part.get());
  c.run = [folder, part](Shell& shell) { return part_health(shell, *folder, *part); };
  return c;
}

}  // namespace

Commands stack_commands() {
  return {prepare_command(), database_command(), tend_command(), health_command()};
}

}  // namespace lepton::cli
