// HAProxy as a child of the supervisor: the entrance of services. Its configuration holds the
// entrances alone; what stands behind them the deployer tells it while it runs.

#include <fmt/format.h>
#include <unistd.h>

#include "cli/up/haproxy_files.hpp"
#include "cli/up/settings.hpp"
#include "cli/up/stack.hpp"
#include "common/postgres/process.hpp"

namespace lepton::cli {
namespace {

constexpr char const* places[] = {"/usr/sbin/haproxy", "/usr/local/sbin/haproxy"};

std::string find_haproxy() {
  for (auto const* place : places)
    if (access(place, X_OK) == 0) return place;
  return "";
}

}  // namespace

Status Stack::start_balancer() {
  if (plan_.settings.entrances == 0) return ok();
  plan_.haproxy = find_haproxy();
  if (plan_.haproxy.empty()) {
    say_(
        "haproxy: is not installed, so services have no entrance: their replicas are reached "
        "directly only, at the ports that `lepton service show` names");
    return ok();
  }
  if (auto free = check_entrances(plan_.settings); !free) return free;
  auto const root = geteuid() == 0;
  std::string const user = !root ? "" : postgres::find_user("haproxy") ? "haproxy" : "nobody";
  if (auto written = write_haproxy_files(plan_, plan_.settings.listen, user); !written)
    return written;
  auto& keeper =
      keepers_.emplace_back(ProgramSpec{"haproxy",
                                        plan_.haproxy,
                                        {"-f", plan_.layout.haproxy_config().string(), "-db"},
                                        plan_.layout.log("haproxy")});
  if (auto started = keeper.start(clock_.now_ms()); !started) return started;
  say_(fmt::format("haproxy: {} entrances for services from port {} on", plan_.settings.entrances,
                   entrance_first(plan_.settings)));
  return ok();
}

}  // namespace lepton::cli
