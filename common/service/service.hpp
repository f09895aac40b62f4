#pragma once
// The frame of every service's main(): settings, lease, store, bus, actors, loop. The order of
// start and stop is written once, in service.cpp. A second instance with the same settings waits as
// a standby (standby.hpp).
//
//   int main(int argc, char** argv) {
//     return lepton::service::run({"deployer", make_deployer, settings}, argc, argv);
//   }
//
// Threads: the service's thread (sockets and actors), one writer and one reader of the store, one
// that keeps the lease, four workers. Exit status: 0 stopped in good order, 1 failed (a sentence on
// standard error), 2 bad usage, 3 another instance has taken over: to be started again, as standby.

#include <functional>
#include <string>

#include "common/actor/host.hpp"
#include "common/service/config.hpp"
#include "common/store/postgres_store.hpp"

namespace lepton::service {

inline constexpr int status_replaced = 3;

struct ServiceSpec {
  std::string name;
  std::function<actor::Factory(Config const&)> make;
  actor::HostSettings host;
  store::LoadViews load_views = {};
};

int run(ServiceSpec const& spec, int argc, char** argv);

}  // namespace lepton::service
