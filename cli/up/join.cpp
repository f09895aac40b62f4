#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/up/node.hpp"
#include "cli/up/program.hpp"
#include "cli/up/settings.hpp"
#include "common/base/text.hpp"
#include "common/bus/access/path.hpp"
#include "common/bus/endpoint.hpp"
#include "common/bus/keys.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

constexpr TimeMs settle_ms = 1'500;
constexpr char const* how_to_get_a_token =
    "make one at the control plane with `lepton token create --policy node --subject NAME`";

Result<Secret<>> token_of(JoinOptions const& o) {
  std::string text = o.token;
  if (text == "-") std::getline(std::cin, text);
  Secret<> token{std::string(text::trim(text))};
  wipe(text.data(), text.size());
  if (token.reveal().starts_with("lep1.")) return token;
  return Error{Code::invalid, fmt::format("this is no token; {}", how_to_get_a_token)};
}

Status check(JoinOptions const& o, std::string const& name) {
  if (auto good = bus::check_connect(o.deployer); !good)
    return Error{Code::invalid, "--deployer: " + good.error().what};
  if (bus::keys_in(o.server_key).empty())
    return Error{Code::invalid,
                 "--server-key takes the 40 characters of the deployer's CURVE key; they stand in "
                 "client.yaml of the control plane as deployer_key"};
  if (!o.monitor.empty()) {
    if (auto good = bus::check_connect(o.monitor); !good)
      return Error{Code::invalid, "--monitor: " + good.error().what};
    if (bus::keys_in(o.monitor_key).empty())
      return Error{
          Code::invalid,
          "--monitor-key takes the 40 characters of the monitor's CURVE key; they stand in "
          "client.yaml of the control plane as monitor_key"};
  }
  return access::check_segment("name of the node", name);
}

Status write_files(Layout const& layout, NodeSetup const& setup, Secret<> const& token) {
  crypto::SystemEntropy entropy;
  auto const keys = bus::read_or_create_keys(setup.keys_file, entropy);
  if (!keys) return keys.error();
  auto text = token.reveal() + "\n";
  auto written = write_private_file(setup.token_file, text);
  wipe(text.data(), text.size());
  if (!written) return written;
  return write_node_config(layout.config("node"), setup);
}

Result<int> start(Shell& shell, Layout const& layout, fs::path const& program) {
  auto node = Program::start(
      {"node", program, {"--config", layout.config("node")}, layout.log("node"), true});
  if (!node) return node.error();
  // A wrong setting shows at once; what the control plane thinks of it shows in its log.
  if (auto const status = node->exited_within(settle_ms))
    return Error{Code::internal, fmt::format("the node ended with status {}: {}", *status,
                                             log_end(layout.log("node")))};
  shell.say(fmt::format("the node runs (pid {}); its log is {}", node->pid(),
                        layout.log("node").string()));
  shell.say(
      "it does not come back after a restart of the machine; for that: lepton node join "
      "--systemd");
  shell.next("lepton node list");
  return 0;
}

}  // namespace

std::string systemd_unit(fs::path const& program, fs::path const& config) {
  return fmt::format(
      "[Unit]\nDescription=Lepton "
      "node\nAfter=network-online.target\nWants=network-online.target\n\n"
      "[Service]\nExecStart={} --config {}\nRestart=always\nRestartSec=2\n"
      "# Tasks outlive the node, also its restarts.\nKillMode=process\n\n"
      "[Install]\nWantedBy=multi-user.target\n",
      program.string(), config.string());
}

Result<int> node_join(Shell& shell, JoinOptions const& o) {
  auto const layout = find_layout(o.state, shell.context_path);
  if (!layout) return layout.error();
  auto const name = o.name.empty() ? this_node_name() : o.name;
  if (auto good = check(o, name); !good) return good.error();
  auto const program = find_program("lepton-node");
  if (!program) return program.error();
  if (auto const pids = running("lepton-node", layout->config("node")); !pids.empty())
    return Error{Code::conflict,
                 fmt::format("a node runs here already (pid {}); stop it first, or choose another "
                             "folder by --state DIR",
                             pids.front())};
  auto const token = token_of(o);
  if (!token) return token.error();
  if (auto made = make_folders(*layout); !made) return made.error();
  NodeSetup const setup{
      name,           o.deployer, o.server_key, layout->keys("node"), layout->node_token(),
      layout->node(), o.monitor,  o.monitor_key};
  if (auto written = write_files(*layout, setup, *token); !written) return written.error();
  if (!o.systemd) return start(shell, *layout, *program);
  shell.print(systemd_unit(*program, layout->config("node")));
  shell.next(
      "lepton node join ... --systemd > /etc/systemd/system/lepton-node.service && systemctl "
      "enable --now lepton-node");
  return 0;
}

}  // namespace lepton::cli
