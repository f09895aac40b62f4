#include "common/service/service.hpp"
#include "services/deployer/deployer.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const&) -> actor::Factory {
    return [] { return std::make_unique<deployer::Deployer>(); };
  };
  return service::run({"deployer", make, {}}, argc, argv);
}
