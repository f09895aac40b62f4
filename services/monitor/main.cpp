#include <cstdio>

#include "common/base/text.hpp"
#include "common/service/service.hpp"
#include "services/monitor/monitor.hpp"

namespace {

using namespace lepton;

// Null where the settings name none.
Result<std::shared_ptr<monitor::Webhook>> webhook_of(service::Config const& config) {
  if (config.alert_url_file.empty()) return std::shared_ptr<monitor::Webhook>();
  auto text = service::read_small_file(config.alert_url_file);
  if (!text) return text.error();
  std::string const url(text::trim(*text));
  if (auto good = monitor::check_webhook_url(url); !good)
    return Error{Code::invalid, config.alert_url_file + ": " + good.error().what};
  return std::shared_ptr<monitor::Webhook>(
      std::make_shared<monitor::CurlWebhook>(Secret<std::string>(url)));
}

}  // namespace

int main(int argc, char** argv) {
  std::shared_ptr<monitor::Webhook> webhook;
  // What is wrong with the arguments or the settings file is said by run().
  auto const config = argc == 3 ? service::read_config(argv[2]) : Error{};
  if (config) {
    auto made = webhook_of(*config);
    if (!made) return std::fprintf(stderr, "lepton-monitor: %s\n", made.error().what.c_str()), 1;
    webhook = *made;
  }
  auto const make = [webhook](service::Config const&) -> actor::Factory {
    return [webhook, scraper = std::make_shared<monitor::CurlScraper>()] {
      return std::make_unique<monitor::Monitor>(monitor::Settings{}, webhook, scraper);
    };
  };
  actor::HostSettings host;
  host.streams = {"audit", monitor::nodes_stream, monitor::alerts_stream};
  return service::run({"monitor", make, host}, argc, argv);
}
