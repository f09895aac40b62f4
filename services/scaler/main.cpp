#include "common/service/service.hpp"
#include "services/scaler/scaler.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const&) -> actor::Factory {
    return [] { return std::make_unique<scaler::Scaler>(scaler::Settings{}); };
  };
  actor::HostSettings host;
  host.streams = {"audit", scaler::stream_name};
  return service::run({"scaler", make, host}, argc, argv);
}
