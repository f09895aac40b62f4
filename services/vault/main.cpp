#include "common/service/service.hpp"
#include "services/vault/vault.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const& config) -> actor::Factory {
    vault::Settings settings;
    settings.admin_key = config.admin_key;
    return [settings] { return std::make_unique<vault::Vault>(settings); };
  };
  actor::HostSettings host;
  host.streams = {"audit", "access"};
  return service::run({"vault", make, host}, argc, argv);
}
