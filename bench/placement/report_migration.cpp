#include "bench/placement/report_migration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "bench/placement/migrating.hpp"
#include "bench/placement/published.hpp"
#include "common/base/text.hpp"

namespace lepton::bench {

namespace {

struct Cell {
  Trace const* trace = nullptr;
  std::string policy;
  std::uint64_t moves_per_hour = 0;
  std::uint64_t seed = 0;
  Migrated result;
};

Migrated replay(MigrationBench const& bench, Cell const& cell) {
  Run run(bench.nodes, bench.nodes.size(), *cell.trace, cell.policy, cell.seed, cell.seed);
  auto const pods = workload(*cell.trace, run.cluster().totals().gpu_milli, bench.load, cell.seed);
  auto const own = cell.trace->arrivals_per_hour;
  return replay_migrating(run, pods, cell.trace->mix, own > 0 ? own : bench.arrivals_per_hour,
                          cell.moves_per_hour);
}

std::vector<Cell> replay_all(MigrationBench const& bench) {
  std::vector<Cell> cells;
  for (auto const& trace : bench.traces)
    for (auto const& policy : bench.policies)
      for (auto moves : bench.moves_per_hour)
        for (auto seed : bench.seeds) cells.push_back({&trace, policy, moves, seed, {}});
  std::atomic<std::size_t> next{0};
  auto const work = [&] {
    for (auto i = next++; i < cells.size(); i = next++) cells[i].result = replay(bench, cells[i]);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1u, 8u); ++i)
    threads.emplace_back(work);
  for (auto& thread : threads) thread.join();
  return cells;
}

void add(Migrated& mean, Migrated const& one, double weight) {
  for (auto field : {&Migrated::arrived_percent, &Migrated::end_percent, &Migrated::moves,
                     &Migrated::moves_by_arrival, &Migrated::lost_gpu_hours, &Migrated::hours,
                     &Migrated::hours_after})
    mean.*field += weight * one.*field;
}

// By trace, "trace/policy" where that is not ours; then by moves per hour.
using Means = std::map<std::string, std::map<std::uint64_t, Migrated>>;

std::string row_of(Cell const& cell) {
  return cell.policy == "ours" ? cell.trace->name : cell.trace->name + "/" + cell.policy;
}

std::string json_of(Means const& means, double Migrated::*field) {
  std::vector<std::string> traces;
  for (auto const& [trace, budgets] : means) {
    std::vector<std::string> parts;
    for (auto const& [moves, m] : budgets)
      parts.push_back(fmt::format("\"{}\": {:.3f}", moves, m.*field));
    traces.push_back(fmt::format("\"{}\": {{{}}}", trace, text::join(parts, ", ")));
  }
  return "{" + text::join(traces, ", ") + "}";
}

void print(Means const& means) {
  fmt::print(
      "\nwith migration: GPU unallocated when arrivals have reached 100 % and when moving has "
      "ended, %\n{:<20} {:>7} {:>8} {:>8} {:>6} {:>7} {:>9} {:>13} {:>7} {:>7}\n",
      "trace", "moves/h", "at 100 %", "at end", "floor", "moves", "by 100 %", "GPU-h lost", "hours",
      "after");
  for (auto const& [trace, budgets] : means)
    for (auto const& [moves, m] : budgets) {
      auto const known = published_for(text::split(trace, '/').front());
      fmt::print(
          "{:<20} {:>7} {:>8.2f} {:>8.2f} {:>6} {:>7.0f} {:>9.0f} {:>13.1f} {:>7.0f} {:>7.0f}\n",
          trace, moves, m.arrived_percent, m.end_percent,
          known ? fmt::format("{:.2f}", known->floor) : "", m.moves, m.moves_by_arrival,
          m.lost_gpu_hours, m.hours, m.hours_after);
    }
}

}  // namespace

std::string report_migration(MigrationBench const& bench) {
  Means means;
  auto const weight = 1 / static_cast<double>(bench.seeds.size());
  for (auto const& cell : replay_all(bench))
    add(means[row_of(cell)][cell.moves_per_hour], cell.result, weight);
  print(means);
  return fmt::format(
      "\"migration\": {}, \"migration_end\": {}, \"migration_moves\": {}, "
      "\"migration_gpu_hours_lost\": {}",
      json_of(means, &Migrated::arrived_percent), json_of(means, &Migrated::end_percent),
      json_of(means, &Migrated::moves), json_of(means, &Migrated::lost_gpu_hours));
}

}  // namespace lepton::bench
