#pragma once
// The frame of a program that dials out and keeps no rows, as the node does: no doors, no database,
// one actor or a few.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/actor/actor.hpp"
#include "common/bus/bus.hpp"
#include "common/service/token_file.hpp"

namespace lepton::service {

struct DaemonSpec {
  std::string name;
  bus::KeyPair keys;
  std::optional<TokenFile> token;  // goes with each request
  std::vector<bus::PeerAddress> peers;
  std::string log_level = "info";
  std::string metrics_endpoint = {};  // empty: /metrics is served nowhere
  actor::Factory make;
  // Further actors, each with a life of its own.
  std::vector<std::pair<std::string, actor::Factory>> more = {};
  // Reads the peers again, at SIGHUP: their keys may have changed.
  std::function<Result<std::vector<bus::PeerAddress>>()> read_peers = {};
};

int run_daemon(DaemonSpec spec);

}  // namespace lepton::service
