#pragma once
// The settings file of a service: YAML, mode 0600, written by `lepton up` or by the person who runs
// the stack. Secrets stand in files of their own, which it names.

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/schema/schema.hpp"
#include "schemas/placement.hpp"

namespace lepton::service {

struct Peer {
  std::string name;
  std::string request_endpoint;
  std::string hint_endpoint;
  std::string public_key;

  static consteval auto fields() {
    using schema::field;
    return schema::fields(
        field(1, "name", &Peer::name, "Name of the service."),
        field(2, "request_endpoint", &Peer::request_endpoint, "Its peer door, tcp://ADDRESS:PORT."),
        field(3, "hint_endpoint", &Peer::hint_endpoint, "Where it publishes hints."),
        field(4, "public_key", &Peer::public_key,
              "Its CURVE key, Z85; two with a space between while it is rotated."));
  }
};
static_assert(schema::complete<Peer>());

struct Config {
  std::string service;
  std::string keys_file;
  std::string database_url_file;
  std::string peer_endpoint;
  std::string client_endpoint;
  std::string hint_endpoint;
  std::vector<Peer> peers;
  std::string log_level = "info";
  std::string admin_key;
  std::string log_origin = "lepton";
  std::string log_key_file;
  std::string metrics_endpoint;
  std::string alert_url_file;
  std::string balancer_socket;
  std::uint32_t entrance_first = 0;
  std::uint32_t entrance_count = 0;
  std::string entrance_address = "127.0.0.1";
  std::int64_t patience_ms = 86'400'000;
  std::int64_t trust_ms = 86'400'000;
  PlacementPolicy placement_policy = PlacementPolicy::foresight;

  static consteval auto fields() {
    using schema::field;
    using C = Config;
    return schema::fields(
        field(1, "service", &C::service, "Name of the service.").restart(),
        field(2, "keys_file", &C::keys_file, "Its CURVE keys, mode 0600.").restart(),
        field(3, "database_url_file", &C::database_url_file, "File with its PostgreSQL URL.")
            .restart(),
        field(4, "peer_endpoint", &C::peer_endpoint, "Door for services; bind address.").restart(),
        field(5, "client_endpoint", &C::client_endpoint, "Door for people and nodes; bind address.")
            .restart(),
        field(6, "hint_endpoint", &C::hint_endpoint, "Where hints are published; bind address.")
            .restart(),
        field(7, "peers", &C::peers, "The other services; their keys are read again at SIGHUP.")
            .restart(),
        field(8, "log_level", &C::log_level, "debug, info, warning or error.").restart().optional(),
        field(9, "admin_key", &C::admin_key, "CURVE key that may initialise and unseal the vault.")
            .restart()
            .optional(),
        field(10, "log_origin", &C::log_origin, "Name of the audit log in its checkpoints.")
            .restart()
            .optional(),
        field(11, "log_key_file", &C::log_key_file,
              "Key that signs the audit log, mode 0600; empty: auditor_log.key beside keys_file.")
            .restart()
            .optional(),
        field(12, "metrics_endpoint", &C::metrics_endpoint,
              "Where /metrics is served, 127.0.0.1:PORT or a private address; empty: nowhere.")
            .restart()
            .optional(),
        field(13, "alert_url_file", &C::alert_url_file,
              "File with the URL that alerts are posted to, mode 0600; empty: to nobody.")
            .restart()
            .optional(),
        field(40, "balancer_socket", &C::balancer_socket,
              "HAProxy's socket at level admin; empty: services have no entrance.")
            .restart()
            .optional(),
        field(41, "entrance_first", &C::entrance_first, "First port of the entrances.")
            .bounds(0, 65535)
            .restart()
            .optional(),
        field(42, "entrance_count", &C::entrance_count, "How many entrances HAProxy has.")
            .bounds(0, 1000)
            .restart()
            .optional(),
        field(43, "entrance_address", &C::entrance_address, "Where people reach the entrances.")
            .restart()
            .optional(),
        field(150, "patience_ms", &C::patience_ms,
              "Who has waited for longer in the deployer's queue is first in line.")
            .bounds(60'000, 31'536'000'000)
            .restart()
            .optional(),
        field(151, "placement_policy", &C::placement_policy,
              "How the deployer chooses a node: foresight, foresight_power, fgd, best_fit, spread, "
              "packing, dotprod, clustering, or bandit, which learns.")
            .restart()
            .optional(),
        field(152, "trust_ms", &C::trust_ms,
              "How long work that has no time limit, or outlasts it, is trusted to end; after "
              "that no places are kept for whoever waits for its room, ms.")
            .bounds(60'000, 31'536'000'000)
            .restart()
            .optional());
  }
};
static_assert(schema::complete<Config>());

Result<Config> read_config(std::string const& path);

// The whole of a small file (at most 64 KiB), for settings and URLs.
Result<std::string> read_small_file(std::string const& path);

}  // namespace lepton::service
