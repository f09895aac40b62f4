#include "common/service/publishing.hpp"

#include "common/service/metrics_page.hpp"

namespace lepton::service {

Result<std::unique_ptr<MetricsServer>> open_metrics(std::string const& endpoint) {
  if (endpoint.empty()) return std::unique_ptr<MetricsServer>();
  return MetricsServer::open(endpoint);
}

std::function<void()> publishing(MetricsServer* server, actor::System const& system,
                                 bus::Bus const& bus) {
  if (server == nullptr) return {};
  auto page = std::make_shared<MetricsPage>();
  return [=, &system, &bus] {
    page->take(system);
    page->take_bus(bus.counters());
    page->take_process();
    server->publish(page->render());
  };
}

}  // namespace lepton::service
