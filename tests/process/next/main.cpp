// As services/vault/main.cpp, with the next version's vault.

#include "common/service/service.hpp"
#include "tests/process/next/notes.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const& config) -> actor::Factory {
    vault::Settings settings;
    settings.admin_key = config.admin_key;
    return [settings] { return std::make_unique<vault::NotedVault>(settings); };
  };
  actor::HostSettings host;
  host.streams = {"audit", "access"};
  return service::run({"vault", make, host}, argc, argv);
}
