// bench_placement [--data DIR] [--quick] [--traces A,B] [--policies A,B] [--seeds N,M]
// [--migrate MOVES_PER_HOUR,..]: replays the published placement experiment for every pod list of
// DIR/gpu-trace-v2023 and prints the GPU left unallocated at 100 % arrived load, beside the
// published figure and the floor; then the power drawn, the speed, and how it grows with nodes.
// With --migrate instead: the experiment with migration. The last line is JSON.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iostream>
#include <map>
#include <thread>

#include "bench/placement/experiment.hpp"
#include "bench/placement/published.hpp"
#include "bench/placement/report_migration.hpp"
#include "bench/placement/speed.hpp"
#include "common/base/text.hpp"

namespace lepton::bench {
namespace {

constexpr double load = 1.3;  // the workloads ask for so many times the capacity

struct Options {
  std::string data;
  bool quick = false;
  std::vector<std::string> traces, policies;  // empty: all; with migration only ours
  std::vector<std::uint64_t> seeds{42, 43, 44, 45, 46, 47, 48, 49, 50, 51};
  std::vector<std::uint64_t> moves_per_hour;  // empty: without migration
};

Result<std::vector<std::uint64_t>> numbers(std::string const& option,
                                           std::vector<std::string> const& values) {
  std::vector<std::uint64_t> found;
  for (auto const& value : values) {
    auto const number = text::parse_int(value);
    if (!number || *number < 0 || *number > 1'000'000'000)
      return Error{Code::invalid, fmt::format("{} takes numbers from 0, not '{}'", option, value)};
    found.push_back(static_cast<std::uint64_t>(*number));
  }
  return found;
}

Result<Options> parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    std::string const name = argv[i];
    if (name == "--quick") {
      o.quick = true;
      o.seeds = {42, 43};
      continue;
    }
    if (i + 1 == argc) return Error{Code::invalid, name + " needs a value"};
    auto const values = text::split(argv[++i], ',');
    if (name == "--data") {
      o.data = argv[i];
    } else if (name == "--traces") {
      o.traces = values;
    } else if (name == "--policies") {
      o.policies = values;
    } else if (name == "--seeds" || name == "--migrate") {
      auto found = numbers(name, values);
      if (!found) return found.error();
      (name == "--seeds" ? o.seeds : o.moves_per_hour) = std::move(*found);
    } else {
      return Error{Code::invalid, "unknown option " + name};
    }
  }
  for (auto const& policy : o.policies)
    if (std::find(run_policies().begin(), run_policies().end(), policy) == run_policies().end())
      return Error{Code::invalid, fmt::format("no policy '{}'; there are {}", policy,
                                              text::join(run_policies(), ", "))};
  if (o.policies.empty())
    o.policies = o.moves_per_hour.empty() ? run_policies() : std::vector<std::string>{"ours"};
  return o;
}

struct Context {
  Options options;
  std::vector<deployer::NodeSpec> nodes;
  std::vector<Trace> traces;
  std::int64_t capacity_gpu_milli = 0;
};

// One policy on one trace, over all seeds; `other_order` registers the nodes in another order.
Samples mean_over_seeds(Context const& context, Trace const& trace, std::string const& policy,
                        bool with_power, bool other_order = false) {
  Samples mean;
  auto const count = static_cast<double>(context.options.seeds.size());
  for (auto seed : context.options.seeds) {
    auto const order = other_order ? seed + 1000 : seed;
    Run run(context.nodes, context.nodes.size(), trace, policy, seed, order);
    auto const pods = workload(trace, context.capacity_gpu_milli, load, seed);
    for (auto const& [percent, sample] : replay(run, pods, 100, with_power)) {
      mean[percent].unallocated_percent += sample.unallocated_percent / count;
      mean[percent].watts += sample.watts / count;
    }
  }
  return mean;
}

using Table = std::map<std::string, std::map<std::string, double>>;  // trace, policy

Table replay_all(Context const& context) {
  std::vector<std::pair<Trace const*, std::string>> cells;
  for (auto const& trace : context.traces)
    for (auto const& policy : context.options.policies) cells.emplace_back(&trace, policy);
  std::vector<double> results(cells.size());
  std::atomic<std::size_t> next{0};
  auto const work = [&] {
    for (auto i = next++; i < cells.size(); i = next++)
      results[i] = mean_over_seeds(context, *cells[i].first, cells[i].second, false)
                       .at(100)
                       .unallocated_percent;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1u, 8u); ++i)
    threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  Table table;
  for (std::size_t i = 0; i < cells.size(); ++i)
    table[cells[i].first->name][cells[i].second] = results[i];
  return table;
}

std::string json_of(std::map<std::string, double> const& fields) {
  std::vector<std::string> parts;
  for (auto const& [name, value] : fields)
    parts.push_back(fmt::format("\"{}\": {:.3f}", name, value));
  return "{" + text::join(parts, ", ") + "}";
}

// Prints the table, completes its rows, and gives the fields about the gap.
std::map<std::string, double> report(Context const& context, Table& table) {
  fmt::print("GPU unallocated at 100 % arrived load, %\n{:<12}", "trace");
  for (auto const& policy : context.options.policies) fmt::print(" {:>13}", policy);
  fmt::print(" {:>13} {:>6}\n", "published_fgd", "floor");
  double worst = -100, ratios = 0, worst_difference = 0;
  int rated = 0;
  for (auto& [name, row] : table) {
    fmt::print("{:<12}", name);
    for (auto const& policy : context.options.policies) fmt::print(" {:>13.2f}", row[policy]);
    auto const known = published_for(name);
    if (known) {
      fmt::print(" {:>13.2f} {:>6.2f}", known->fgd, known->floor);
      row["published_fgd"] = known->fgd;
      row["floor"] = known->floor;
    }
    fmt::print("\n");
    if (!row.contains("ours") || !row.contains("fgd")) continue;
    worst = std::max(worst, row["ours"] - row["fgd"]);
    if (!known) continue;
    worst_difference = std::max(worst_difference, std::abs(row["fgd"] - known->fgd));
    ratios += (row["ours"] - known->floor) / (row["fgd"] - known->floor);
    ++rated;
  }
  if (rated == 0) return {};
  fmt::print("our FGD is within {:.2f} points of the published one\n", worst_difference);
  return {{"worst_gap_to_fgd", worst},
          {"mean_gap_ratio", ratios / rated},
          {"worst_difference_to_published", worst_difference}};
}

// The published lists that are not at hand, so that nobody takes what was measured for all of it.
std::string unmeasured(Context const& context) {
  std::vector<std::string> names;
  for (auto const& name : published_traces())
    if (std::none_of(context.traces.begin(), context.traces.end(),
                     [&](Trace const& trace) { return trace.name == name; }))
      names.push_back(name);
  if (!names.empty())
    fmt::print("unmeasured (not among the traces): {}\n", text::join(names, ", "));
  for (auto& name : names) name = "\"" + name + "\"";
  return "\"unmeasured\": [" + text::join(names, ", ") + "]";
}

Trace const* find_trace(Context const& context, std::string const& name) {
  for (auto const& trace : context.traces)
    if (trace.name == name) return &trace;
  return context.traces.empty() ? nullptr : &context.traces.front();
}

// Power against FGD, and the difference that another order and naming of the nodes makes.
std::string report_power(Context const& context, Trace const& trace) {
  auto const fgd = mean_over_seeds(context, trace, "fgd", true);
  std::map<std::string, double> ours;
  double allocated = 0;
  fmt::print("\npower saved against FGD on {}, %, at 20, 50, 80, 100 % arrived load\n", trace.name);
  for (std::string const policy : {"pwr_fgd", "ours", "ours_power"}) {
    auto const samples = mean_over_seeds(context, trace, policy, true);
    std::map<std::string, double> saved;
    for (int percent : {20, 50, 80, 100})
      saved[std::to_string(percent)] =
          100 * (1 - samples.at(percent).watts / fgd.at(percent).watts);
    allocated = 100 - samples.at(100).unallocated_percent;
    fmt::print("{:<11} {:>6.1f} {:>6.1f} {:>6.1f} {:>6.1f}; {:.2f} % allocated at 100 %\n", policy,
               saved["20"], saved["50"], saved["80"], saved["100"], allocated);
    ours = std::move(saved);
  }
  auto const here = mean_over_seeds(context, trace, "ours", false).at(100).unallocated_percent;
  auto const there =
      mean_over_seeds(context, trace, "ours", false, true).at(100).unallocated_percent;
  fmt::print("nodes in another order and by other names: {:.3f} points more\n", there - here);
  return fmt::format(
      "\"power_saved_pct\": {}, \"power_alloc_pct_100\": {:.2f}, "
      "\"shuffle_delta\": {:.4f}",
      json_of(ours), allocated, std::abs(there - here));
}

std::string report_speed(Context const& context, Trace const& trace) {
  std::vector<Speed> rounds;
  for (std::uint64_t i = 0; i < 5; ++i)
    rounds.push_back(measure_speed(context.nodes, context.nodes.size(), trace, 42 + i));
  std::sort(rounds.begin(), rounds.end(),
            [](Speed const& a, Speed const& b) { return a.decisions_per_s < b.decisions_per_s; });
  auto const& median = rounds[rounds.size() / 2];
  fmt::print(
      "\n{} nodes: {:.0f} decisions/s, p50 {:.1f} us, p99 {:.1f} us; {:.0f}/s with the "
      "reservation, {:.0f} per second of the thread's own time\n",
      context.nodes.size(), median.decisions_per_s, median.p50_us, median.p99_us,
      median.placed_per_s, median.placed_per_cpu_s);
  auto const learning =
      measure_speed(context.nodes, context.nodes.size(), trace, 42, Knows::nothing);
  fmt::print("learning the mix meanwhile: {:.0f} decisions/s, p99 {:.1f} us\n",
             learning.decisions_per_s, learning.p99_us);
  std::map<std::string, double> scaling;
  Speed last;
  for (std::size_t count : {1000, 10'000, 100'000}) {
    if (context.options.quick && count > 10'000) break;
    last = measure_speed(context.nodes, count, trace, 42);
    scaling[std::to_string(count)] = last.us_per_decision;
    fmt::print(
        "{:>7} nodes: {:.2f} us a decision, p99 {:.1f} us, {:.0f} bytes a node, {:.0f} "
        "bytes a task\n",
        count, last.us_per_decision, last.p99_us, last.bytes_per_node, last.bytes_per_task);
  }
  return fmt::format(
      "\"learning_decisions_per_s\": {:.0f}, \"learning_p99_us\": {:.2f}, "
      "\"decisions_per_s\": {:.0f}, \"p50_us\": {:.2f}, \"p99_us\": {:.2f}, "
      "\"placed_per_s\": {:.0f}, \"placed_per_cpu_s\": {:.0f}, \"scaling\": {}, "
      "\"bytes_per_node\": {:.0f}, "
      "\"bytes_per_task\": {:.0f}",
      learning.decisions_per_s, learning.p99_us, median.decisions_per_s, median.p50_us,
      median.p99_us, median.placed_per_s, median.placed_per_cpu_s, json_of(scaling),
      last.bytes_per_node, last.bytes_per_task);
}

Result<Context> prepare(Options options) {
  Context context{std::move(options), {}, {}, 0};
  auto const folder = context.options.data + "/gpu-trace-v2023";
  auto nodes = read_nodes(folder);
  if (!nodes) return nodes.error();
  context.nodes = std::move(*nodes);
  for (auto const& node : context.nodes)
    context.capacity_gpu_milli += 1000 * static_cast<std::int64_t>(node.capacity.gpus.size());
  auto const names = context.options.traces.empty() ? trace_names(folder) : context.options.traces;
  for (auto const& name : names) {
    auto trace = read_trace(folder, name);
    if (!trace) return trace.error();
    context.traces.push_back(std::move(*trace));
  }
  return context;
}

// Lists without times take the rate of the default list.
Result<std::string> migrate(Context const& context) {
  auto moves = context.options.moves_per_hour;
  if (std::find(moves.begin(), moves.end(), 0) == moves.end()) moves.insert(moves.begin(), 0);
  auto const standard = read_trace(context.options.data + "/gpu-trace-v2023", "default");
  if (!standard) return standard.error();
  return report_migration({context.nodes, context.traces, context.options.policies,
                           context.options.seeds, moves, load, standard->arrivals_per_hour});
}

Status run(Options options) {
  auto context = prepare(std::move(options));
  if (!context && context.error().code == Code::not_found) {
    fmt::print("skipped: {}\n{{\"traces\": {{}}}}\n", context.error().what);
    return ok();
  }
  if (!context) return context.error();
  if (!context->options.moves_per_hour.empty()) {
    auto const json = migrate(*context);
    if (!json) return json.error();
    fmt::print("{{{}}}\n", *json);
    return ok();
  }
  auto table = replay_all(*context);
  auto const gaps = report(*context, table);
  std::vector<std::string> rows;
  for (auto const& [name, row] : table)
    rows.push_back(fmt::format("\"{}\": {}", name, json_of(row)));
  auto json = "\"traces\": {" + text::join(rows, ", ") + "}";
  json += ", " + unmeasured(*context);
  for (auto const& [name, value] : gaps) json += fmt::format(", \"{}\": {:.3f}", name, value);
  if (auto const* trace = find_trace(*context, "default")) {
    json += ", " + report_power(*context, *trace);
    json += ", " + report_speed(*context, *trace);
  }
  fmt::print("{{{}}}\n", json);
  return ok();
}

}  // namespace
}  // namespace lepton::bench

int main(int argc, char** argv) {
  auto options = lepton::bench::parse(argc, argv);
  auto const good =
      options ? lepton::bench::run(std::move(*options)) : lepton::Status(options.error());
  if (good) return 0;
  fmt::print(stderr, "bench_placement: {}\n", good.error().what);
  return 1;
}
