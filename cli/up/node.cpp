#include "cli/up/node.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "cli/context.hpp"
#include "common/codec/yaml.hpp"
#include "services/node/node_config.hpp"

namespace lepton::cli {
namespace {

// Docker's own variable, where it names a socket of this machine.
std::string docker_socket(std::string const& usual) {
  constexpr std::string_view scheme = "unix://";
  auto const* host = std::getenv("DOCKER_HOST");
  if (host == nullptr || !std::string_view(host).starts_with(scheme)) return usual;
  return host + scheme.size();
}

}  // namespace

NodeSetup node_setup(StackPlan const& plan) {
  NodeSetup setup;
  setup.name = plan.settings.node_name;
  setup.deployer_endpoint = node_endpoint(plan.settings, "deployer");
  setup.deployer_key = plan.public_keys.at("deployer");
  setup.monitor_endpoint = node_endpoint(plan.settings, "monitor");
  setup.monitor_key = plan.public_keys.at("monitor");
  setup.keys_file = plan.layout.keys("node");
  setup.token_file = plan.layout.node_token();
  setup.state = plan.layout.node();
  setup.in_container = plan.settings.is_apart();
  setup.metrics_endpoint = fmt::format(
      "{}:{}", setup.in_container ? address_in(plan.settings.door, "node") : "127.0.0.1",
      node_metrics_port(plan.settings));
  return setup;
}

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
  config.metrics_endpoint = setup.metrics_endpoint;
  config.docker_socket = setup.in_container ? "" : docker_socket(config.docker_socket);
  return write_private_file(file, codec::to_yaml(config));
}

}  // namespace lepton::cli
