#include <fmt/format.h>

#include "services/deployer/balancer/haproxy_balancer.hpp"

namespace lepton::deployer {

// A request that reached no replica is tried at another one; one that may have had an effect is
// not.
std::string haproxy_config(HaproxyPlan const& plan) {
  std::string text = "# Written at each start of `lepton up`; changes here are lost.\nglobal\n";
  text += fmt::format("  stats socket {} mode 600 level admin\n", plan.socket);
  if (!plan.user.empty()) text += fmt::format("  user {}\n", plan.user);
  text +=
      "  maxconn 4000\n"
      "  hard-stop-after 10s\n"
      "defaults\n"
      "  mode http\n"
      "  timeout connect 2s\n"
      "  timeout client 60s\n"
      "  timeout server 60s\n"
      "  timeout queue 10s\n"
      "  timeout http-request 10s\n"
      "  retries 3\n"
      "  option redispatch 1\n"
      "  retry-on conn-failure empty-response\n"
      "  balance leastconn\n";
  for (auto port = plan.first; port < plan.first + plan.count; ++port)
    text += fmt::format(
        "frontend f{0}\n  bind {1}:{0}\n  default_backend b{0}\n"
        "backend b{0}\n  http-request disable-l7-retry unless METH_GET\n",
        port, plan.listen);
  return text;
}

}  // namespace lepton::deployer
