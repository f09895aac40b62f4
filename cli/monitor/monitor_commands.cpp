#include "cli/monitor/monitor_commands.hpp"

#include <unistd.h>

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"

namespace lepton::cli {
namespace {

constexpr TimeMs refresh_ms = 1'000;
constexpr std::uint32_t page_max = 200;

struct TopOptions {
  std::int64_t limit = 50;
  bool once = false;
};

// Pages until there are enough.
Result<NodeHealthPage> health_of(bus::Client& client, std::uint32_t limit, TimeMs timeout_ms) {
  NodeHealthPage all;
  for (NodeHealthList wish; all.nodes.size() < limit;) {
    wish.limit =
        std::min<std::uint32_t>(page_max, limit - static_cast<std::uint32_t>(all.nodes.size()));
    auto page = client.call(wish, timeout_ms);
    if (!page) return page.error();
    all.total = page->total;
    all.nodes.insert(all.nodes.end(), page->nodes.begin(), page->nodes.end());
    if (page->nodes.size() < wish.limit) break;
    wish.after = page->nodes.back().node.value;
  }
  return all;
}

std::string summary_of(NodeHealthPage const& page) {
  return "shown " + std::to_string(page.nodes.size()) + " of " + std::to_string(page.total) +
         " nodes";
}

// Draws over itself until it is interrupted; a service that is away for a while is said so.
Result<int> live(Shell& shell, bus::Client& client, std::uint32_t limit) {
  constexpr char const* home = "\x1b[H\x1b[J";
  SystemClock const clock;
  for (;;) {
    auto const page = health_of(client, limit, shell.timeout_ms());
    if (page)
      shell.print(home + top_table(*page, clock.wall_ms()).text(shell.colour) + "\n" +
                  summary_of(*page) + "; Ctrl-C ends\n");
    else if (is_passing(page.error().code))
      shell.print("no answer yet (" + printable(page.error().what) + "); asking again\n");
    else
      return page.error();
    std::fflush(shell.out);
    for (auto const until = clock.now_ms() + refresh_ms; clock.now_ms() < until;)
      client.pump(until - clock.now_ms());
  }
}

Result<int> top(Shell& shell, TopOptions const& o) {
  if (o.limit < 1 || o.limit > 20'000)
    return Error{Code::invalid, "--limit must be from 1 to 20000"};
  auto client = connect(shell, Service::monitor);
  if (!client) return client.error();
  auto const limit = static_cast<std::uint32_t>(o.limit);
  auto const is_terminal = shell.format == Format::table && isatty(fileno(shell.out)) == 1;
  if (is_terminal && !o.once) return live(shell, *client, limit);
  auto const page = health_of(*client, limit, shell.timeout_ms());
  if (!page) return page.error();
  emit(shell, *page, top_table(*page, SystemClock().wall_ms()));
  if (page->total > page->nodes.size()) shell.say(summary_of(*page) + "; --limit shows more");
  return 0;
}

Command top_command() {
  auto const o = std::make_shared<TopOptions>();
  Command c{"top", "Shows how busy the machines are; on a terminal again each second",
            "lepton top"};
  c.option("--limit", "At most so many machines", &o->limit)
      .flag("--once", "Shows it once, also on a terminal", &o->once);
  c.run = [o](Shell& shell) { return top(shell, *o); };
  return c;
}

struct ShowOptions {
  std::string node;
  std::int64_t limit = 10;
};

Result<int> show(Shell& shell, ShowOptions const& o) {
  if (o.limit < 0 || o.limit > 1000) return Error{Code::invalid, "--limit must be from 0 to 1000"};
  auto const story =
      ask(shell, Service::monitor, NodeShow{NodeId{o.node}, static_cast<std::uint32_t>(o.limit)});
  if (!story) return story.error();
  auto const now = SystemClock().wall_ms();
  emit(shell, *story, node_sheet(*story, now));
  if (shell.format != Format::table) return 0;
  if (auto const parts = part_table(story->health); !parts.is_empty())
    shell.print("\n" + parts.text(shell.colour));
  if (!story->changes.empty()) shell.print("\n" + state_table(*story, now).text(shell.colour));
  return 0;
}

Command show_command() {
  auto const o = std::make_shared<ShowOptions>();
  Command c{"node show", "Shows how a machine is, what it does, and how its state changed",
            "lepton node show gpu-7"};
  c.required("NODE", "Name of the machine, as in `lepton top`", &o->node)
      .option("--limit", "At most so many changes of its state", &o->limit);
  c.run = [o](Shell& shell) { return show(shell, *o); };
  return c;
}

}  // namespace

Commands monitor_commands() {
  Commands all{top_command(), show_command()};
  for (auto& command : alert_commands()) all.push_back(std::move(command));
  for (auto& command : scrape_commands()) all.push_back(std::move(command));
  return all;
}

}  // namespace lepton::cli
