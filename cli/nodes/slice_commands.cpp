#include "cli/nodes/slice_commands.hpp"

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "cli/spec/amounts.hpp"
#include "cli/spec/instant.hpp"
#include "cli/spec/option_words.hpp"

namespace lepton::cli {
namespace {

struct CreateOptions {
  SliceWords size;
  std::string name, pool, of = "default", machine, begin, end;
  std::vector<std::string> models, users;
  std::int64_t parts = 1, ports = 0;
};

Status read_gpus(std::string const& text, SliceResize& size) {
  auto const milli = parse_cpu_milli(text);
  if (!milli || *milli > 1'024'000 || (*milli > 1000 && *milli % 1000 != 0))
    return Error{Code::invalid, "--gpus: '" + text +
                                    "' is neither a number of GPUs, as 2, nor a share of one, "
                                    "as 0.5"};
  size.gpus = *milli < 1000 ? (*milli > 0 ? 1 : 0) : *milli / 1000;
  size.gpu_milli = *milli > 0 && *milli < 1000 ? *milli : 1000;
  return ok();
}

Status check_count(char const* option, std::int64_t count, std::int64_t least, std::int64_t most) {
  if (count >= least && count <= most) return ok();
  return Error{Code::invalid, std::string(option) + ": must be from " + std::to_string(least) +
                                  " to " + std::to_string(most)};
}

// `--end +4h` counts from the beginning.
Result<SliceWindow> window_of(CreateOptions const& o, WallMs now_ms) {
  SliceWindow window;
  window.users = o.users;
  auto const after = [](WallMs base_ms) {
    return [base_ms](std::string const& text) { return parse_instant_ms(text, base_ms); };
  };
  if (auto good = set_amount("--begin", o.begin, after(now_ms), window.begins_at_ms); !good)
    return good.error();
  auto const from = std::max(now_ms, window.begins_at_ms);
  if (auto good = set_amount("--end", o.end, after(from), window.ends_at_ms); !good)
    return good.error();
  return window;
}

Result<SliceCreate> slice_of(CreateOptions const& o, WallMs now_ms) {
  auto const said = read_slice_size(o.size);
  if (!said) return said.error();
  auto const window = window_of(o, now_ms);
  if (!window) return window.error();
  for (auto const& good : {check_count("--parts", o.parts, 1, slice_parts_max),
                           check_count("--ports", o.ports, 0, 1000)})
    if (!good) return good.error();
  SliceCreate m;
  m.name = o.name;
  m.size.cpu_milli = std::max<std::int64_t>(0, said->cpu_milli);
  m.size.memory_mib = std::max<std::int64_t>(0, said->memory_mib);
  m.size.disk_mib = std::max<std::int64_t>(0, said->disk_mib);
  m.size.bandwidth_mbit = std::max<std::int64_t>(0, said->bandwidth_mbit);
  if (said->gpus > 0) {
    m.size.gpus = static_cast<std::uint32_t>(said->gpus);
    m.size.gpu_milli = static_cast<std::uint32_t>(said->gpu_milli);
  }
  m.parts = static_cast<std::uint32_t>(o.parts);
  m.pool = PoolId{o.pool};
  m.from = PoolId{o.of};
  m.window = *window;
  m.machine = NodeId{o.machine};
  m.gpu_models = o.models;
  m.ports = static_cast<std::uint32_t>(o.ports);
  return m;
}

std::string gpus_in_words(std::vector<GpuShare> const& gpus) {
  std::vector<std::string> words;
  for (auto const& gpu : gpus)
    words.push_back(gpu.milli == 1000
                        ? std::to_string(gpu.index)
                        : std::to_string(gpu.index) + " (" + milli_words(gpu.milli) + ")");
  return words.empty() ? "-" : text::join(words, ",");
}

Table slice_table(std::vector<SliceView> const& slices) {
  Table table({"SLICE", "POOL", "NODE", "MACHINE", "STATUS", "GPUS", "GPU FREE", "CPU FREE",
               "MEMORY FREE", "ATTEMPTS", "FOR", "BEGINS", "ENDS"});
  auto const share = [](std::string const& free, std::string const& all) {
    return free + "/" + all;
  };
  for (auto const& s : slices)
    for (auto const& p : s.parts)
      table.row({s.name, s.pool.value, p.node.value, p.machine.value,
                 p.state == NodeState::unknown ? "planned" : std::string(schema::name_of(p.state)),
                 gpus_in_words(p.gpus),
                 share(milli_words(p.gpu_milli_free),
                       milli_words(std::int64_t{s.size.gpus} * s.size.gpu_milli)),
                 share(milli_words(p.cpu_milli_free), milli_words(s.size.cpu_milli)),
                 share(mib_words(p.memory_mib_free), mib_words(s.size.memory_mib)),
                 std::to_string(p.attempts),
                 s.window.users.empty() ? "-" : text::join(s.window.users, ","),
                 time_words(s.window.begins_at_ms), time_words(s.window.ends_at_ms)});
  return table;
}

void add_size(Command& c, SliceWords& words) {
  c.option("--cpus", "CPU cores of each part: 16 or 0.5", &words.cpus)
      .option("--memory", "Memory of each part: 64GiB", &words.memory)
      .option("--gpus", "GPUs of each part: 2, or 0.5 for a share of one", &words.gpus)
      .option("--disk", "Scratch disk of each part: 200GB", &words.disk)
      .option("--bandwidth", "Network of each part: 10Gbit", &words.bandwidth);
}

Command create_command() {
  auto const o = std::make_shared<CreateOptions>();
  Command c{"slice create",
            "Makes a part of a machine a node of its own, for jobs that name its pool",
            "lepton slice create team-a --cpus 16 --memory 64GiB --gpus 2\n"
            "lepton slice create lab --parts 4 --cpus 2 --memory 8GiB --gpus 0.5 --machine gpu-7\n"
            "lepton slice create exam --gpus 8 --cpus 32 --memory 256GiB --for ann --begin +12h "
            "--end +4h"};
  c.required("NAME", "Name of the slice, and of its node", &o->name);
  add_size(c, o->size);
  c.option("--parts", "So many nodes of this size: NAME-0, NAME-1 and on", &o->parts)
      .option("--pool", "Pool of its nodes; if nothing is said, one called as the slice", &o->pool)
      .option("--of", "Pool of the machines", &o->of)
      .option("--machine", "This machine and no other", &o->machine)
      .option("--model", "Accepted GPU model; again for others, best first", &o->models)
      .option("--ports", "Ports that each part may give to services and gangs", &o->ports)
      .option("--for", "Whose work may go there; again for others; else everybody's", &o->users)
      .option("--begin", "When it begins: 2026-11-24T08:00Z or +2h; its room is kept until then",
              &o->begin)
      .option("--end", "When it ends; +4h counts from its beginning", &o->end);
  c.run = [o](Shell& shell) -> Result<int> {
    auto const slice = slice_of(*o, SystemClock().wall_ms());
    if (!slice) return slice.error();
    auto const made = ask(shell, Service::deployer, *slice);
    if (!made) return made.error();
    emit(shell, *made, slice_table({*made}));
    shell.next("lepton apply SPEC.yaml  # with `pool: " + made->pool.value + "` in it");
    return 0;
  };
  return c;
}

Command resize_command() {
  auto const name = std::make_shared<std::string>();
  auto const o = std::make_shared<SliceWords>();
  Command c{"slice resize", "Gives a slice more or less, also while work runs in it",
            "lepton slice resize team-a --gpus 4 --cpus 32"};
  c.required("NAME", "Name of the slice", name.get());
  add_size(c, *o);
  c.run = [name, o](Shell& shell) -> Result<int> {
    auto size = read_slice_size(*o);
    if (!size) return size.error();
    size->name = *name;
    auto const resized = ask(shell, Service::deployer, *size);
    if (!resized) return resized.error();
    emit(shell, *resized, slice_table({*resized}));
    shell.next("lepton slice list " + *name);
    return 0;
  };
  return c;
}

Command release_command() {
  auto const name = std::make_shared<std::string>();
  Command c{"slice release", "Gives what a slice has back to its machines; nothing may run in it",
            "lepton slice release team-a"};
  c.required("NAME", "Name of the slice", name.get());
  c.run = [name](Shell& shell) -> Result<int> {
    auto const released = ask(shell, Service::deployer, SliceRelease{*name});
    if (!released) return released.error();
    emit(shell, *released,
         Table::sheet()
             .row({"SLICE", released->name})
             .row({"PARTS RELEASED", std::to_string(released->parts)}));
    return 0;
  };
  return c;
}

Command list_command() {
  auto const name = std::make_shared<std::string>();
  Command c{"slice list", "Lists slices, where they are and what is free in them",
            "lepton slice list"};
  c.option("NAME", "Only this one", name.get());
  c.run = [name](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::deployer, SliceList{*name});
    if (!page) return page.error();
    emit(shell, *page, slice_table(page->slices));
    if (page->slices.empty()) shell.next("lepton slice create --help");
    return 0;
  };
  return c;
}

}  // namespace

Result<SliceResize> read_slice_size(SliceWords const& words) {
  SliceResize size;
  for (auto const& good :
       {set_amount("--cpus", words.cpus, parse_cpu_milli, size.cpu_milli),
        set_amount("--memory", words.memory, parse_memory_mib, size.memory_mib),
        set_amount("--disk", words.disk, parse_memory_mib, size.disk_mib),
        set_amount("--bandwidth", words.bandwidth, parse_open_bandwidth_mbit, size.bandwidth_mbit),
        words.gpus.empty() ? ok() : read_gpus(words.gpus, size)})
    if (!good) return good.error();
  return size;
}

Commands slice_commands() {
  return {create_command(), resize_command(), release_command(), list_command()};
}

}  // namespace lepton::cli
