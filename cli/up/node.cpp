#include "cli/up/node.hpp"

#include "cli/context.hpp"
#include "common/codec/yaml.hpp"
#include "services/node/node_config.hpp"

namespace lepton::cli {

Status write_node_config(std::filesystem::path const& file, NodeSetup const& setup) {
  node::NodeConfig config;
  config.node = setup.name;
  config.state_folder = setup.state;
  config.keys_file = setup.keys_file;
  config.token_file = setup.token_file;
  config.deployer_endpoint = setup.deployer_endpoint;
  config.deployer_key = setup.deployer_key;
  config.monitor_endpoint = setup.monitor_endpoint;
  config.monitor_key = setup.monitor_key;
  return write_private_file(file, codec::to_yaml(config));
}

}  // namespace lepton::cli
