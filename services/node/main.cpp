// The order of start: settings, keys and token; the machine; the runner; the bus; then the actor.

#include <unistd.h>

#include <cstdio>

#include "common/codec/yaml.hpp"
#include "common/crypto/encode.hpp"
#include "common/service/config.hpp"
#include "common/service/daemon.hpp"
#include "services/node/address.hpp"
#include "services/node/exec/runner_executor.hpp"
#include "services/node/node.hpp"
#include "services/node/node_config.hpp"
#include "services/node/offer.hpp"
#include "services/node/probe/thread_prober.hpp"
#include "services/node/reporter.hpp"
#include "services/node/runner/docker/container_find.hpp"
#include "services/node/runner/process_runner.hpp"
#include "services/node/telemetry/machine.hpp"

namespace {

using namespace lepton;

int fail(Error const& error) {
  std::fprintf(stderr, "lepton-node: %s\n", error.what.c_str());
  return 1;
}

Result<node::NodeConfig> read_node_config(std::string const& path) {
  auto text = service::read_small_file(path);
  if (!text) return text.error();
  auto config = codec::from_yaml<node::NodeConfig>(*text);
  if (!config) return Error{Code::invalid, path + ": " + config.error().what};
  return config;
}

Result<node::Settings> settings_of(node::NodeConfig const& config, crypto::Entropy& entropy) {
  auto facts = node::Machine({.state_dir = config.state_folder}).discover();
  if (!facts) return facts.error();
  auto boot = service::read_small_file("/proc/sys/kernel/random/boot_id");
  if (!boot) return boot.error();
  node::Settings s;
  s.node = NodeId{config.node};
  s.pool = PoolId{config.pool};
  auto capacity = node::offer_of(config, *facts);
  if (!capacity) return capacity.error();
  s.capacity = std::move(*capacity);
  s.numa_cpus = facts->numa_cpus;
  s.labels = config.labels;
  if (auto const address = node::address_towards(config.deployer_endpoint); !address.empty())
    s.labels.emplace("address", address);
  s.labels["hostname"] = facts->hostname;
  s.labels["kernel"] = facts->kernel;
  if (auto const docker = node::DockerApi(config.docker_socket).version(); docker)
    s.labels[std::string(containers_label)] = "docker-" + *docker;
  if (!facts->no_gpus_why.empty()) s.labels["detail"] = facts->no_gpus_why;
  s.boot_id = std::string(text::trim(*boot));
  s.incarnation = crypto::uuid7(entropy, SystemClock().wall_ms());
  return s;
}

std::vector<bus::PeerAddress> peers_of(node::NodeConfig const& config) {
  std::vector<bus::PeerAddress> peers{
      {"deployer", config.deployer_endpoint, "", config.deployer_key}};
  if (!config.monitor_endpoint.empty())
    peers.push_back({"monitor", config.monitor_endpoint, "", config.monitor_key});
  return peers;
}

int run(node::NodeConfig const& config, std::string const& file) {
  crypto::SystemEntropy entropy;
  auto keys = bus::read_keys(config.keys_file);
  if (!keys) return fail(keys.error());
  auto token = service::TokenFile::open(config.token_file);
  if (!token) return fail(token.error());
  auto opened = node::ProcessRunner::open({.state_dir = config.state_folder,
                                           .runner_program = config.runner_program,
                                           .task_user = config.task_user,
                                           .engine_socket = config.docker_socket});
  if (!opened) return fail(opened.error());
  auto folders = node::FolderStore::open({.state_dir = config.state_folder});
  if (!folders) return fail(folders.error());
  auto settings = settings_of(config, entropy);
  if (!settings) return fail(settings.error());
  auto runner = std::make_shared<node::ProcessRunner>(std::move(*opened));
  service::DaemonSpec spec;
  spec.name = "node";
  spec.keys = std::move(*keys);
  spec.token = std::move(*token);
  spec.peers = peers_of(config);
  spec.read_peers = [file]() -> Result<std::vector<bus::PeerAddress>> {
    auto const now = read_node_config(file);
    if (!now) return now.error();
    return peers_of(*now);
  };
  spec.log_level = config.log_level;
  spec.metrics_endpoint = config.metrics_endpoint;
  auto prober = std::make_shared<node::ThreadProber>(node::CheckSettings{config.state_folder});
  auto store = std::make_shared<node::FolderStore>(std::move(*folders));
  auto outputs = std::make_shared<node::OutputReader>(config.state_folder);
  auto executor = std::make_shared<node::RunnerExecutor>(config.state_folder);
  spec.make = [settings = *settings, runner, prober, store, outputs, executor] {
    return std::make_unique<node::Node>(settings, runner, prober, store, outputs, executor);
  };
  if (!config.monitor_endpoint.empty()) {
    auto meter = std::make_shared<node::MachineMeter>(
        node::MachineOptions{.state_dir = config.state_folder},
        node::TaskMeter::of_this_machine(config.state_folder + "/attempts",
                                         [docker = node::DockerApi(config.docker_socket),
                                          state = config.state_folder](std::string const& attempt) {
                                           return node::find_container(docker, state, attempt);
                                         }));
    spec.more.push_back(
        {"telemetry", [settings = *settings, meter] {
           return std::make_unique<node::Reporter>(
               node::ReporterSettings{.node = settings.node, .boot_id = settings.boot_id}, meter,
               settings.ordered);
         }});
  }
  return service::run_daemon(std::move(spec));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "--config") {
    std::fprintf(
        stderr,
        "usage: lepton-node --config FILE\n\nThe hands of the control plane on this machine; "
        "`lepton up` and `lepton node join` start it.\nexample: lepton-node --config "
        "/var/lib/lepton/node.yaml\n");
    return argc == 2 && std::string(argv[1]) == "--help" ? 0 : 2;
  }
  auto config = read_node_config(argv[2]);
  return config ? run(*config, argv[2]) : fail(config.error());
}
