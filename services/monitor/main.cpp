#include "common/service/service.hpp"
#include "services/monitor/monitor.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const&) -> actor::Factory {
    return [] { return std::make_unique<monitor::Monitor>(monitor::Settings{}); };
  };
  actor::HostSettings host;
  host.streams = {"audit", monitor::nodes_stream, monitor::alerts_stream};
  return service::run({"monitor", make, host}, argc, argv);
}
