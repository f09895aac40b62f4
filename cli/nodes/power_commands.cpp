#include "cli/nodes/power_commands.hpp"

#include <cmath>
#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/spec/labels.hpp"
#include "cli/spec/option_words.hpp"
#include "schemas/power.hpp"

namespace lepton::cli {
namespace {

Result<std::pair<std::string, std::string>> label_of(std::string const& text) {
  auto label = label_in(text);
  if (!label || label->second.empty())
    return Error{Code::invalid, "'" + text + "' is no label of nodes; write for example rack=r7"};
  return *label;
}

Table cap_table(std::vector<PowerCapLine> const& caps) {
  Table table({"NODES WITH", "CAP", "DRAWN AT MOST", "NODES"});
  for (auto const& cap : caps)
    table.row({cap.key + "=" + cap.value, std::to_string(cap.cap_watts) + " W",
               std::to_string(cap.drawn_watts) + " W", std::to_string(cap.nodes)});
  return table;
}

Command cap_command() {
  auto const label = std::make_shared<std::string>();
  auto const watts = std::make_shared<std::string>();
  Command c{"power cap", "Says what the GPUs of all nodes with a label may draw together",
            "lepton power cap rack=r7 12kW"};
  c.required("LABEL", "Key and value, as in `lepton node list -o yaml`", label.get())
      .required("POWER", "12kW or 850W; what runs goes on", watts.get());
  c.run = [label, watts](Shell& shell) -> Result<int> {
    auto const of = label_of(*label);
    if (!of) return of.error();
    auto const most = parse_watts(*watts);
    if (!most) return most.error();
    auto const put = ask(shell, Service::deployer, PowerCapPut{of->first, of->second, *most});
    if (!put) return put.error();
    emit(shell, *put, cap_table({*put}));
    if (put->nodes == 0) shell.say("no node has this label yet");
    shell.next("lepton power list");
    return 0;
  };
  return c;
}

Command uncap_command() {
  auto const label = std::make_shared<std::string>();
  Command c{"power uncap", "Takes a power cap away", "lepton power uncap rack=r7"};
  c.required("LABEL", "Key and value of the cap", label.get());
  c.run = [label](Shell& shell) -> Result<int> {
    auto const of = label_of(*label);
    if (!of) return of.error();
    auto const removed = ask(shell, Service::deployer, PowerCapRemove{of->first, of->second});
    if (!removed) return removed.error();
    emit(shell, *removed, cap_table({*removed}));
    return 0;
  };
  return c;
}

Command list_command() {
  Command c{"power list", "Lists power caps and what is drawn under them", "lepton power list"};
  c.run = [](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::deployer, PowerCapList{});
    if (!page) return page.error();
    emit(shell, *page, cap_table(page->caps));
    if (page->caps.empty()) shell.next("lepton power cap LABEL POWER");
    return 0;
  };
  return c;
}

}  // namespace

Result<std::int64_t> parse_watts(std::string const& text) {
  auto const bad = Error{Code::invalid, "'" + text + "' is no power; write 12kW or 850W"};
  if (!text.ends_with('W')) return bad;
  auto const kilo = text.ends_with("kW");
  auto const number = number_of("POWER", text.substr(0, text.size() - (kilo ? 2 : 1)), "12kW");
  if (!number || !(*number > 0) || *number > 1e6) return bad;
  auto const watts = std::llround(*number * (kilo ? 1'000 : 1));
  if (watts < 1) return bad;
  return watts;
}

Commands power_commands() {
  return {cap_command(), uncap_command(), list_command()};
}

}  // namespace lepton::cli
