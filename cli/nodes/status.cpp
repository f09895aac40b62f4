#include "cli/nodes/status.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "schemas/node.hpp"

namespace lepton::cli {
namespace {

constexpr TimeMs health_timeout_ms = 2'000;

ServiceLine look_at(Shell& shell, Service service) {
  std::string const name(name_of(service));
  auto client = connect(shell, service);
  if (!client) return {name, "down", "", 0, client.error().what};
  auto const health =
      client->call(HealthGet{name}, std::min(health_timeout_ms, shell.timeout_ms()));
  if (!health) return {name, "down", "", 0, health.error().what};
  auto const standbys = health->counters.find("standbys");
  return {name,
          health->ready ? "up" : "starting",
          health->version,
          health->uptime_ms,
          health->detail,
          standbys == health->counters.end() ? 0 : standbys->second};
}

}  // namespace

Table status_table(StatusView const& view) {
  Table table({"SERVICE", "STATUS", "VERSION", "UPTIME", "STANDBYS", "DETAIL"});
  for (auto const& s : view.services)
    table.row({s.service, s.state, s.version.empty() ? "-" : s.version,
               s.uptime_ms > 0 ? duration_words(s.uptime_ms) : "-",
               s.state == "down" ? "-" : std::to_string(s.standbys), s.detail});
  return table;
}

int status_exit(StatusView const& view) {
  auto const up = std::count_if(view.services.begin(), view.services.end(),
                                [](auto const& s) { return s.state == "up"; });
  if (up == static_cast<std::ptrdiff_t>(view.services.size())) return 0;
  return up == 0 ? exit_status(Code::unavailable) : exit_partial;
}

Result<int> print_status(Shell& shell) {
  if (auto context = shell.context(); !context) return context.error();
  StatusView view;
  for (auto const service : all_services) view.services.push_back(look_at(shell, service));
  if (view.services.front().state == "up") {
    auto const page = ask(shell, Service::deployer, NodeList{PoolId{}, 0});
    if (page) {
      view.nodes = static_cast<std::uint32_t>(page->total);
      view.gpus = static_cast<double>(page->gpu_milli) / 1000;
      view.gpus_free = static_cast<double>(page->gpu_milli_free) / 1000;
    } else {
      view.nodes_note = page.error().what;
    }
  }
  emit(shell, view, status_table(view));
  if (shell.format == Format::table)
    shell.print(view.nodes_note.empty()
                    ? fmt::format("nodes: {}, GPUs: {:g} of {:g} free\n", view.nodes,
                                  view.gpus_free, view.gpus)
                    : "nodes: not known (" + printable(view.nodes_note) + ")\n");
  auto const status = status_exit(view);
  if (status != 0) shell.say("a service is not up; `lepton up` starts what is missing");
  return status;
}

}  // namespace lepton::cli
