#include "common/service/service.hpp"
#include "services/vault/vault.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const& config) -> actor::Factory {
    return [key = config.admin_key] {
      return std::make_unique<vault::Vault>(vault::Settings{key, {}, 100'000});
    };
  };
  actor::HostSettings host;
  host.streams = {"audit", "access"};
  return service::run({"vault", make, host}, argc, argv);
}
