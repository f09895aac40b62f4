#include "cli/stack/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace lepton::cli {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string network_of(std::string const& first) {
  return first.substr(0, first.rfind('.')) + ".0/24";
}

}  // namespace

std::string compose_environment(StackPlan const& plan, Account const& account,
                                std::string const& version) {
  auto const& s = plan.settings;
  auto text = fmt::format(
      "# Written by `lepton stack prepare`; changes here are lost.\n"
      "LEPTON_STACK={}\nLEPTON_UID={}\nLEPTON_GID={}\nLEPTON_VERSION={}\nLEPTON_NODE={}\n"
      "LEPTON_LISTEN={}\nLEPTON_ENTRANCES={}-{}\nLEPTON_ENTRANCE_FIRST={}\n"
      "LEPTON_NODE_METRICS={}\nLEPTON_INSIDE={}\nLEPTON_DOOR={}\n",
      plan.layout.state.string(), account.uid, account.gid, version, s.node_name, s.listen,
      entrance_first(s), entrance_first(s) + s.entrances - 1, entrance_first(s),
      node_metrics_port(s), network_of(s.inside), network_of(s.door));
  for (auto const& service : service_names())
    text += fmt::format("LEPTON_PORT_{}={}\n", upper(service), port_of(s, service, 1));
  for (auto const* part : stack_parts)
    text += fmt::format("LEPTON_INSIDE_{0}={1}\nLEPTON_DOOR_{0}={2}\n", upper(part),
                        address_in(s.inside, part), address_in(s.door, part));
  return text;
}

std::string prometheus_settings(StackPlan const& plan) {
  auto const& s = plan.settings;
  std::string text =
      "# Written by `lepton stack prepare`; changes here are lost.\n"
      "global:\n  scrape_interval: 5s\nscrape_configs:\n- job_name: lepton\n  static_configs:\n";
  auto const target = [&](std::string const& name, std::string const& address, std::int64_t port) {
    text += fmt::format("  - targets: ['{}:{}']\n    labels: {{part: {}}}\n", address, port, name);
  };
  for (auto const& service : service_names())
    target(service, address_in(s.inside, service), port_of(s, service, metrics_door));
  target("node", address_in(s.door, "node"), node_metrics_port(s));
  return text;
}

// PostgreSQL starts for no account without a name.
std::string passwd_text(Account const& account) {
  return fmt::format(
      "root:x:0:0:root:/root:/usr/sbin/nologin\n"
      "lepton:x:{}:{}:lepton:/nonexistent:/usr/sbin/nologin\n",
      account.uid, account.gid);
}

std::string group_text(Account const& account) {
  return account.gid == 0 ? "root:x:0:\n" : fmt::format("root:x:0:\nlepton:x:{}:\n", account.gid);
}

}  // namespace lepton::cli
