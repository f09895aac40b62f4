#include "cli/up/haproxy_files.hpp"

#include <utility>

#include "services/deployer/balancer/haproxy_balancer.hpp"

namespace lepton::cli {

Status write_haproxy_files(StackPlan const& plan, std::string const& listen,
                           std::string const& user) {
  auto const& layout = plan.layout;
  deployer::HaproxyPlan const wanted{
      layout.haproxy_socket(), listen, entrance_first(plan.settings),
      plan.settings.entrances, user,   layout.haproxy_hold_program()};
  std::pair<std::string, std::string> const files[] = {
      {layout.haproxy_config(), deployer::haproxy_config(wanted)},
      {wanted.hold_program, deployer::haproxy_hold_program()},
      {deployer::haproxy_hold_map(wanted.socket), ""}};
  for (auto const& [path, content] : files)
    if (auto written = write_private_file(path, content); !written) return written;
  return ok();
}

}  // namespace lepton::cli
