#pragma once
// StackPlan: what a control plane of one machine consists of, and from it the settings file of each
// service and the context of its clients. Pure: keys and paths are arguments. Ports count up from
// port_base, three for each service: peer, client, hint; then one for the metrics of each and of
// the node; then the entrances of services. Any thread.

#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/up/layout.hpp"
#include "common/schema/schema.hpp"
#include "common/service/config.hpp"

namespace lepton::cli {

inline constexpr std::int64_t default_port_base = 7100;
inline constexpr std::int64_t ports_per_service = 3;
inline constexpr int metrics_door = 3;
inline constexpr std::int64_t ports_in_all =
    (ports_per_service + 1) * std::ssize(stack_services) + 1;
inline constexpr std::uint32_t entrances_max = 200;
inline constexpr std::int64_t port_base_max = 65'536 - ports_in_all - entrances_max;

// What `lepton up` was told, kept in the state folder, so that the next `up` needs no options.
struct StackSettings {
  std::int64_t port_base = default_port_base;
  std::string listen = "127.0.0.1";
  std::string database_url_file;
  std::string node_name;
  bool node = true;
  std::string alert_url_file;
  std::uint32_t entrances = 16;
  std::string inside;
  std::string door;

  // Each part has a container, and an address in two networks: inside, where services reach each
  // other's peer doors, and at the door, where nodes and the entrance reach client doors.
  bool is_apart() const { return !inside.empty(); }

  bool operator==(StackSettings const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using S = StackSettings;
    return schema::fields(
        field(1, "port_base", &S::port_base, "First of the ports.").bounds(1024, port_base_max),
        field(2, "listen", &S::listen, "IPv4 address of the client doors."),
        field(3, "database_url_file", &S::database_url_file,
              "File with the administrator's PostgreSQL URL; empty: a private one.")
            .optional(),
        field(4, "node_name", &S::node_name, "Name of this machine as a node."),
        field(5, "node", &S::node, "Does this machine run work?"),
        field(6, "alert_url_file", &S::alert_url_file,
              "File with the URL that alerts are posted to; empty: to nobody.")
            .optional(),
        field(40, "entrances", &S::entrances, "Ports at which services can be reached.")
            .bounds(0, entrances_max)
            .optional(),
        field(100, "inside", &S::inside,
              "First IPv4 address of the services' network, where each part is a container; empty: "
              "all are on this machine.")
            .optional(),
        field(101, "door", &S::door, "The same of the network that clients and nodes reach.")
            .optional());
  }
};
static_assert(schema::complete<StackSettings>());

struct StackPlan {
  Layout layout;
  StackSettings settings;
  std::map<std::string, std::string> public_keys;  // of each service, and of "admin"
  std::string haproxy;                             // the program; empty: there is none
  bool from_inside = false;  // who asks is a container beside the services, not the machine
};

// Of a service: 0 peer, 1 client, 2 hint, 3 metrics.
std::int64_t port_of(StackSettings const& settings, std::string const& service, int door);
std::int64_t node_metrics_port(StackSettings const& settings);
std::vector<std::int64_t> ports_of(StackSettings const& settings);
// The first of the entrances.
std::uint32_t entrance_first(StackSettings const& settings);
// How a program of this machine reaches the client door.
std::string client_endpoint(StackSettings const& settings, std::string const& service);
// How who works with this plan does.
std::string client_endpoint(StackPlan const& plan, std::string const& service);

// How the node of this control plane does.
std::string node_endpoint(StackSettings const& settings, std::string const& service);

// Addresses count up from the first of a network, in the order of this list.
inline constexpr char const* stack_parts[] = {"vault", "auditor", "deployer",   "scaler", "monitor",
                                              "node",  "haproxy", "prometheus", "steward"};
std::string address_in(std::string const& first, std::string const& part);

service::Config service_config(StackPlan const& plan, std::string const& service);
ClientContext client_context(StackPlan const& plan);

// Refuses what no service could use: address, name of the node.
Status check_settings(StackSettings const& settings);
// "GPU-7.example.org" -> "gpu-7": the first label in the grammar of names; "node" if nothing is
// left.
std::string node_name_of(std::string const& host);

}  // namespace lepton::cli
