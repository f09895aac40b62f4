// scrape put|list|show|remove: exporters that the monitor reads.

#include <fmt/format.h>

#include <memory>

#include "cli/connect.hpp"
#include "cli/monitor/monitor_commands.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "cli/spec/option_words.hpp"
#include "common/base/text.hpp"

namespace lepton::cli {
namespace {

Result<int> show_count(Shell& shell, std::string const& name,
                       Result<ScrapeTargetsChanged> const& changed) {
  if (!changed) return changed.error();
  emit(shell, *changed,
       Table::sheet().row({"TARGET", name}).row({"TARGETS", std::to_string(changed->targets)}));
  shell.next("lepton scrape list");
  return 0;
}

Command put_command() {
  auto const o = std::make_shared<ScrapeOptions>();
  Command c{
      "scrape put", "Reads an exporter from now on, or changes how",
      "lepton scrape put rack7 --url http://10.0.0.7:9100/metrics --keep node_load1,node_disk_*"};
  c.required("TARGET", "Name of the target, a DNS label", &o->name)
      .required("--url", "Of its metrics: http://HOST:PORT/metrics", &o->url)
      .required("--keep", "Samples to keep, by name or beginning*, with commas", &o->keep)
      .option("--every", "It is read so often", &o->every)
      .option("--timeout", "It has so long to answer", &o->timeout);
  c.run = [o](Shell& shell) -> Result<int> {
    auto const put = scrape_request(*o);
    if (!put) return put.error();
    return show_count(shell, o->name, ask(shell, Service::monitor, *put));
  };
  return c;
}

Command list_command() {
  Command c{"scrape list", "Lists the exporters that are read", "lepton scrape list"};
  c.run = [](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::monitor, ScrapeList{});
    if (!page) return page.error();
    emit(shell, *page, scrape_table(*page, SystemClock().wall_ms()));
    return 0;
  };
  return c;
}

Command show_command() {
  auto const name = std::make_shared<std::string>();
  Command c{"scrape show", "Shows the newest samples of an exporter", "lepton scrape show rack7"};
  c.required("TARGET", "Name of the target", name.get());
  c.run = [name](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::monitor, ScrapeList{*name});
    if (!page) return page.error();
    emit(shell, *page, scrape_table(*page, SystemClock().wall_ms()));
    if (shell.format != Format::table) return 0;
    Table values({"SAMPLE", "VALUE"});
    for (auto const& target : page->targets)
      for (auto const& m : target.values) values.row({m.part, fmt::format("{:g}", m.value)});
    if (!values.is_empty()) shell.print("\n" + values.text(shell.colour));
    return 0;
  };
  return c;
}

Command remove_command() {
  auto const name = std::make_shared<std::string>();
  Command c{"scrape remove", "Reads an exporter no longer; its alerts are resolved",
            "lepton scrape remove rack7"};
  c.required("TARGET", "Name of the target", name.get());
  c.run = [name](Shell& shell) {
    return show_count(shell, *name, ask(shell, Service::monitor, ScrapeRemove{*name}));
  };
  return c;
}

}  // namespace

Result<ScrapePut> scrape_request(ScrapeOptions const& o) {
  ScrapePut put;
  put.target.name = o.name;
  put.target.url = o.url;
  put.target.keep = text::split(o.keep, ',');
  auto good = set_duration("--every", o.every, put.target.every_ms);
  if (good) good = set_duration("--timeout", o.timeout, put.target.timeout_ms);
  if (!good) return good.error();
  return put;
}

Table scrape_table(ScrapePage const& page, WallMs now_ms) {
  Table table({"TARGET", "UP", "READ", "KEPT", "LEFT OUT", "URL", "TROUBLE"});
  for (auto const& t : page.targets)
    table.row({t.target.name, t.up ? "yes" : "no",
               t.read_at_ms ? ago(*t.read_at_ms, now_ms) : "never", std::to_string(t.kept),
               std::to_string(t.left_out), t.target.url, t.trouble});
  return table;
}

Commands scrape_commands() {
  return {put_command(), list_command(), show_command(), remove_command()};
}

}  // namespace lepton::cli
