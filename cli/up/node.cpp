#include "cli/up/node.hpp"

#include "cli/context.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

struct NodeFile {
  std::string name;
  std::string deployer_endpoint;
  std::string deployer_key;
  std::string keys_file;
  std::string token_file;
  std::string state_folder;

  static consteval auto fields() {
    using schema::field;
    using N = NodeFile;
    return schema::fields(field(1, "name", &N::name, "Name of the node."),
                          field(2, "deployer_endpoint", &N::deployer_endpoint, "Client door."),
                          field(3, "deployer_key", &N::deployer_key, "CURVE key of the deployer."),
                          field(4, "keys_file", &N::keys_file, "CURVE keys of the node."),
                          field(5, "token_file", &N::token_file, "Token of the node."),
                          field(6, "state_folder", &N::state_folder, "Attempts of the node."));
  }
};
static_assert(schema::complete<NodeFile>());

}  // namespace

Status write_node_config(std::filesystem::path const& file, NodeSetup const& s) {
  NodeFile const config{s.name,      s.deployer_endpoint, s.deployer_key,
                        s.keys_file, s.token_file,        s.state};
  return write_private_file(file, codec::to_yaml(config));
}

}  // namespace lepton::cli
