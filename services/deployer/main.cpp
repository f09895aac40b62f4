#include "common/service/service.hpp"
#include "services/deployer/balancer/haproxy_balancer.hpp"
#include "services/deployer/deployer.hpp"

int main(int argc, char** argv) {
  using namespace lepton;
  auto const make = [](service::Config const& config) -> actor::Factory {
    deployer::Settings settings;
    settings.patience_ms = config.patience_ms;
    settings.trust_ms = config.trust_ms;
    settings.placement_policy = config.placement_policy;
    std::shared_ptr<deployer::Balancer> balancer;
    if (!config.balancer_socket.empty()) {
      settings.entrance_first = config.entrance_first;
      settings.entrance_count = config.entrance_count;
      settings.entrance_address = config.entrance_address;
      balancer = std::make_shared<deployer::HaproxyBalancer>(
          deployer::HaproxySettings{config.balancer_socket});
    }
    return
        [settings, balancer] { return std::make_unique<deployer::Deployer>(settings, balancer); };
  };
  store::LoadViews const views{{"job", "job_in_use"}, {"job_run", "job_in_use"}};
  return service::run({"deployer", make, {}, views}, argc, argv);
}
