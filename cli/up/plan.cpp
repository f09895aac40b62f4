#include "cli/up/plan.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "common/bus/access/path.hpp"

namespace lepton::cli {
namespace {

std::string const any_address = "0.0.0.0";
std::string const this_machine = "127.0.0.1";

std::string endpoint(std::string const& address, std::int64_t port) {
  return fmt::format("tcp://{}:{}", address, port);
}

// Where the others of its kind reach a service, and where it is watched.
std::string inside_address(StackSettings const& settings, std::string const& service) {
  return settings.is_apart() ? address_in(settings.inside, service) : this_machine;
}

// Room for every part below the end of the last octet.
Status check_network(std::string const& option, std::string const& first) {
  in_addr address{};
  if (inet_pton(AF_INET, first.c_str(), &address) == 1 &&
      (ntohl(address.s_addr) & 0xff) + std::size(stack_parts) < 0xff)
    return ok();
  return Error{Code::invalid, fmt::format("{} takes the first of {} IPv4 addresses with the same "
                                          "first three numbers, such as 10.171.1.10, not '{}'",
                                          option, std::size(stack_parts), first)};
}

}  // namespace

std::int64_t port_of(StackSettings const& settings, std::string const& service, int door) {
  auto const* const place =
      std::find(std::begin(stack_services), std::end(stack_services), service);
  LEPTON_CHECK(place != std::end(stack_services), "a port was asked for an unknown service");
  auto const index = place - std::begin(stack_services);
  if (door == metrics_door)
    return settings.port_base + ports_per_service * std::ssize(stack_services) + index;
  return settings.port_base + index * ports_per_service + door;
}

std::int64_t node_metrics_port(StackSettings const& settings) {
  return settings.port_base + ports_in_all - 1;
}

std::vector<std::int64_t> ports_of(StackSettings const& settings) {
  std::vector<std::int64_t> ports;
  for (auto const& service : service_names())
    for (int door = 0; door <= metrics_door; ++door)
      ports.push_back(port_of(settings, service, door));
  ports.push_back(node_metrics_port(settings));
  return ports;
}

std::uint32_t entrance_first(StackSettings const& settings) {
  return static_cast<std::uint32_t>(settings.port_base + ports_in_all);
}

std::string client_endpoint(StackSettings const& settings, std::string const& service) {
  auto const& address = settings.listen == any_address ? this_machine : settings.listen;
  return endpoint(address, port_of(settings, service, 1));
}

std::string client_endpoint(StackPlan const& plan, std::string const& service) {
  if (!plan.from_inside) return client_endpoint(plan.settings, service);
  return endpoint(inside_address(plan.settings, service), port_of(plan.settings, service, 1));
}

std::string node_endpoint(StackSettings const& settings, std::string const& service) {
  if (!settings.is_apart()) return client_endpoint(settings, service);
  return endpoint(address_in(settings.door, service), port_of(settings, service, 1));
}

std::string address_in(std::string const& first, std::string const& part) {
  auto const* const place = std::find(std::begin(stack_parts), std::end(stack_parts), part);
  LEPTON_CHECK(place != std::end(stack_parts), "an address was asked for an unknown part");
  in_addr address{};
  LEPTON_CHECK(inet_pton(AF_INET, first.c_str(), &address) == 1, "the settings were checked");
  address.s_addr =
      htonl(ntohl(address.s_addr) + static_cast<std::uint32_t>(place - std::begin(stack_parts)));
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

service::Config service_config(StackPlan const& plan, std::string const& service) {
  service::Config config;
  config.service = service;
  config.keys_file = plan.layout.keys(service);
  config.database_url_file = plan.layout.url(service);
  auto const own = inside_address(plan.settings, service);
  auto const& client = plan.settings.is_apart() ? any_address : plan.settings.listen;
  config.peer_endpoint = endpoint(own, port_of(plan.settings, service, 0));
  config.client_endpoint = endpoint(client, port_of(plan.settings, service, 1));
  config.hint_endpoint = endpoint(own, port_of(plan.settings, service, 2));
  config.metrics_endpoint =
      fmt::format("{}:{}", own, port_of(plan.settings, service, metrics_door));
  if (service == "monitor") config.alert_url_file = plan.settings.alert_url_file;
  if (service == "deployer" && !plan.haproxy.empty() && plan.settings.entrances > 0) {
    config.balancer_socket = plan.layout.haproxy_socket();
    config.entrance_first = entrance_first(plan.settings);
    config.entrance_count = plan.settings.entrances;
    config.entrance_address =
        plan.settings.listen == any_address ? this_machine : plan.settings.listen;
  }
  config.admin_key = plan.public_keys.at("admin");
  for (auto const& other : service_names())
    if (other != service) {
      auto const address = inside_address(plan.settings, other);
      config.peers.push_back({other, endpoint(address, port_of(plan.settings, other, 0)),
                              endpoint(address, port_of(plan.settings, other, 2)),
                              plan.public_keys.at(other)});
    }
  return config;
}

ClientContext client_context(StackPlan const& plan) {
  ClientContext context;
  context.deployer_endpoint = client_endpoint(plan.settings, "deployer");
  context.deployer_key = plan.public_keys.at("deployer");
  context.vault_endpoint = client_endpoint(plan.settings, "vault");
  context.vault_key = plan.public_keys.at("vault");
  context.auditor_endpoint = client_endpoint(plan.settings, "auditor");
  context.auditor_key = plan.public_keys.at("auditor");
  context.monitor_endpoint = client_endpoint(plan.settings, "monitor");
  context.monitor_key = plan.public_keys.at("monitor");
  context.scaler_endpoint = client_endpoint(plan.settings, "scaler");
  context.scaler_key = plan.public_keys.at("scaler");
  context.keys_file = plan.layout.keys("admin");
  context.token_file = plan.layout.admin_token();
  context.root_key_file = plan.layout.root_key();
  context.audit_reader_url_file = plan.layout.reader_url();
  return context;
}

Status check_settings(StackSettings const& settings) {
  in_addr address{};
  if (inet_pton(AF_INET, settings.listen.c_str(), &address) != 1)
    return Error{Code::invalid, fmt::format("--listen takes a numeric IPv4 address such as "
                                            "127.0.0.1 or 0.0.0.0, not '{}'",
                                            settings.listen)};
  if (settings.port_base < 1024 || settings.port_base > port_base_max)
    return Error{Code::invalid,
                 fmt::format("--port-base is the first of {} ports, from 1024 to {}, not {}",
                             ports_in_all, port_base_max, settings.port_base)};
  if (settings.is_apart()) {
    if (auto good = check_network("--inside", settings.inside); !good) return good;
    if (auto good = check_network("--door", settings.door); !good) return good;
  }
  return access::check_segment("name of the node", settings.node_name);
}

std::string node_name_of(std::string const& host) {
  std::string name;
  for (char const c : host.substr(0, host.find('.'))) {
    auto const low = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    bool const legal = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') ||
                       ((low == '-' || low == '_') && !name.empty());
    if (legal && name.size() < access::max_segment_size) name += low;
  }
  return name.empty() ? "node" : name;
}

}  // namespace lepton::cli
