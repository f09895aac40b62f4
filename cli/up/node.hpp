#pragma once
// The node of a machine: its settings file, and `lepton node join`, which makes this machine a node
// of a control plane elsewhere. The token is bound to nobody's key here: it comes from `lepton
// token create`. One thread. Errors: invalid, conflict (a node runs already), denied (token).

#include "cli/shell.hpp"
#include "cli/up/plan.hpp"

namespace lepton::cli {

struct NodeSetup {
  std::string name;
  std::string deployer_endpoint;
  std::string deployer_key;
  std::filesystem::path keys_file;
  std::filesystem::path token_file;
  std::filesystem::path state;
  std::string monitor_endpoint = {};  // empty: it reports to none
  std::string monitor_key = {};
  std::string metrics_endpoint = {};  // empty: /metrics is served nowhere
  bool in_container = false;          // it has no engine of its own
};

// Of this machine.
NodeSetup node_setup(StackPlan const& plan);
Status write_node_config(std::filesystem::path const& file, NodeSetup const& setup);

struct JoinOptions {
  std::string state;
  std::string
      token;  // "-": one line of standard input, where nobody sees it in a list of processes
  std::string deployer;
  std::string server_key;
  std::string monitor;
  std::string monitor_key;
  std::string name;
  bool systemd = false;  // prints a unit instead of starting
};

Result<int> node_join(Shell& shell, JoinOptions const& options);

// Pure. For a machine where systemd should keep the node.
std::string systemd_unit(std::filesystem::path const& program, std::filesystem::path const& config);

}  // namespace lepton::cli
