#pragma once
// What a program counts, served as /metrics: the page is made anew on the program's own thread each
// time that it asks, and handed to the server.

#include <functional>
#include <memory>
#include <string>

#include "common/actor/system.hpp"
#include "common/bus/bus.hpp"
#include "common/service/metrics_server.hpp"

namespace lepton::service {

// Null where no place is named.
Result<std::unique_ptr<MetricsServer>> open_metrics(std::string const& endpoint);

// To be called when time has passed; empty without a server. All three must outlive it.
std::function<void()> publishing(MetricsServer* server, actor::System const& system,
                                 bus::Bus const& bus);

}  // namespace lepton::service
