#pragma once
// The settings file of a node daemon: YAML, mode 0600, written by `lepton up` or `lepton node
// join`.

#include <map>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"

namespace lepton::node {

struct NodeConfig {
  std::string node;
  std::string pool = "default";
  std::string state_folder;
  std::string keys_file;
  std::string token_file;
  std::string deployer_endpoint;
  std::string deployer_key;
  std::uint32_t port_first = 20'000;
  std::uint32_t port_count = 1'000;
  std::string task_user;
  std::string runner_program;
  std::string log_level = "info";
  std::map<std::string, std::string> labels;
  std::string monitor_endpoint;
  std::string monitor_key;
  std::vector<std::uint32_t> gpu_islands;
  std::string metrics_endpoint;
  std::string docker_socket = "/var/run/docker.sock";
  std::string bandwidth;
  double price_per_hour = 0;
  bool spot = false;
  std::vector<std::int32_t> gpu_numa;

  static consteval auto fields() {
    using schema::field;
    using N = NodeConfig;
    return schema::fields(
        field(1, "node", &N::node, "Name of the node; the subject of its token.").restart(),
        field(2, "pool", &N::pool, "Pool that it joins.").restart().optional(),
        field(3, "state_folder", &N::state_folder, "Where attempts, logs and outputs are kept.")
            .restart(),
        field(4, "keys_file", &N::keys_file, "Its CURVE keys, mode 0600.").restart(),
        field(5, "token_file", &N::token_file, "Its token, mode 0600.").restart(),
        field(6, "deployer_endpoint", &N::deployer_endpoint, "Client door of the deployer.")
            .restart(),
        field(7, "deployer_key", &N::deployer_key,
              "CURVE key of the deployer, Z85; read again at SIGHUP.")
            .restart(),
        field(8, "port_first", &N::port_first, "First port that work may be given.")
            .bounds(1024, 65535)
            .restart()
            .optional(),
        field(9, "port_count", &N::port_count, "How many ports follow.")
            .bounds(0, 60000)
            .restart()
            .optional(),
        field(10, "task_user", &N::task_user,
              "User that work runs as; empty: lepton-task or nobody.")
            .restart()
            .optional(),
        field(11, "runner_program", &N::runner_program, "Empty: lepton-runner beside this program.")
            .restart()
            .optional(),
        field(12, "log_level", &N::log_level, "debug, info, warning or error.")
            .restart()
            .optional(),
        field(13, "labels", &N::labels, "What it says of itself.").restart().optional(),
        field(14, "monitor_endpoint", &N::monitor_endpoint,
              "Client door of the monitor; empty: it reports to none.")
            .restart()
            .optional(),
        field(15, "monitor_key", &N::monitor_key, "CURVE key of the monitor, Z85.")
            .restart()
            .optional(),
        field(60, "gpu_islands", &N::gpu_islands,
              "Of each GPU in the order of the driver the number of its island: GPUs of one island "
              "share a fast link; empty: all of one.")
            .restart()
            .optional(),
        field(61, "bandwidth", &N::bandwidth,
              "Network that it offers to work: 10Gbit; 0Mbit: none; empty: what its physical "
              "interfaces have together.")
            .restart()
            .optional(),
        field(62, "price_per_hour", &N::price_per_hour,
              "What an hour of it costs, in whatever currency the site counts in: 2.10.")
            .bounds(0, 1e6)
            .restart()
            .optional(),
        field(63, "spot", &N::spot, "Its owner may take it away.").restart().optional(),
        field(64, "gpu_numa", &N::gpu_numa,
              "Of each GPU in the order of the driver its NUMA node; empty: as the kernel says.")
            .restart()
            .optional(),
        field(90, "docker_socket", &N::docker_socket,
              "Where Docker listens, for jobs with an image; empty: this node runs none.")
            .restart()
            .optional(),
        field(91, "metrics_endpoint", &N::metrics_endpoint,
              "Where /metrics is served, 127.0.0.1:PORT or a private address; empty: nowhere.")
            .restart()
            .optional());
  }
};
static_assert(schema::complete<NodeConfig>());

}  // namespace lepton::node
