#include "cli/nodes/node_commands.hpp"

#include <memory>

#include "cli/connect.hpp"
#include "cli/nodes/status.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "schemas/node.hpp"

namespace lepton::cli {
namespace {

std::int64_t gpu_milli(NodeCapacity const& capacity) {
  std::int64_t sum = 0;
  for (auto const& gpu : capacity.gpus) sum += gpu.milli;
  return sum;
}

std::string models(NodeCapacity const& capacity) {
  std::vector<std::string> names;
  for (auto const& gpu : capacity.gpus) {
    if (gpu.milli == 0) continue;
    auto const name = gpu.model + (gpu.mig_profile.empty() ? "" : " " + gpu.mig_profile);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names.empty() ? "-" : text::join(names, ",");
}

// "free/all"
std::string share(std::string const& free, std::string const& all) {
  return free + "/" + all;
}

Table node_table(NodePage const& page, WallMs now_ms) {
  Table table({"NODE", "POOL", "STATUS", "ENGINE", "GPU FREE", "MODEL", "CPU FREE", "MEMORY FREE",
               "ATTEMPTS", "HEARD", "DETAIL"});
  for (auto const& n : page.nodes)
    table.row({n.node.value, n.pool.value, std::string(schema::name_of(n.state)), n.engine,
               share(milli_words(n.gpu_milli_free), milli_words(gpu_milli(n.capacity))),
               models(n.capacity),
               share(milli_words(n.cpu_milli_free), milli_words(n.capacity.cpu_milli)),
               share(mib_words(n.memory_mib_free), mib_words(n.capacity.memory_mib)),
               std::to_string(n.attempts), ago(n.heard_at_ms, now_ms), n.detail});
  return table;
}

struct ListOptions {
  std::string pool;
  std::int64_t limit = 100;
};

Result<int> list(Shell& shell, ListOptions const& o) {
  if (o.limit < 1 || o.limit > 2000) return Error{Code::invalid, "--limit must be from 1 to 2000"};
  auto const page =
      ask(shell, Service::deployer, NodeList{PoolId{o.pool}, static_cast<std::uint32_t>(o.limit)});
  if (!page) return page.error();
  emit(shell, *page, node_table(*page, SystemClock().wall_ms()));
  if (page->total > page->nodes.size())
    shell.say("shown " + std::to_string(page->nodes.size()) + " of " + std::to_string(page->total) +
              "; --limit shows more");
  if (page->nodes.empty()) shell.next("lepton node join --help");
  return 0;
}

Command list_command() {
  auto const o = std::make_shared<ListOptions>();
  Command c{"node list", "Lists machines and what is free on them",
            "lepton node list --pool default"};
  c.option("--pool", "Only of this pool", &o->pool).option("--limit", "At most so many", &o->limit);
  c.run = [o](Shell& shell) { return list(shell, *o); };
  return c;
}

Result<int> drain(Shell& shell, std::string const& node, bool drain) {
  auto const changed = ask(shell, Service::deployer, NodeDrain{NodeId{node}, drain});
  if (!changed) return changed.error();
  emit(shell, *changed,
       Table::sheet()
           .row({"NODE", changed->node.value})
           .row({"STATUS", std::string(schema::name_of(changed->state))}));
  shell.next(drain ? "lepton node undrain " + node : "lepton node list");
  return 0;
}

Command drain_command(bool is_drain) {
  auto const node = std::make_shared<std::string>();
  auto c = is_drain ? Command{"node drain", "Gives a machine no new work; what runs there goes on",
                              "lepton node drain gpu-7"}
                    : Command{"node undrain", "Takes a machine back into use",
                              "lepton node undrain gpu-7"};
  c.required("NODE", "Name of the machine, as in `lepton node list`", node.get());
  c.run = [node, is_drain](Shell& shell) { return drain(shell, *node, is_drain); };
  return c;
}

Command status_command() {
  Command c{"status", "Shows every service (exit 0 all up, 8 some, 6 none)",
            "lepton status -o json"};
  c.run = [](Shell& shell) { return print_status(shell); };
  return c;
}

}  // namespace

Commands node_commands() {
  return {status_command(), list_command(), drain_command(true), drain_command(false)};
}

}  // namespace lepton::cli
