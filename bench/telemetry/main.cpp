// What telemetry costs the monitor, without the bus and the database: samples taken in per CPU
// second, memory per kept sample, a look at every node; and how soon the loss of a node is known,
// from reports that come late by chance. The last line is JSON.

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "common/base/random.hpp"
#include "services/monitor/core/liveness.hpp"
#include "services/monitor/core/series_book.hpp"

namespace {

using namespace lepton;

double cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Intake {
  double samples_per_cpu_s = 0;
  double bytes_per_sample = 0;
};

// Nodes with eight series of their own and four of each of eight GPUs, one sample a second.
Intake intake(int nodes, int seconds) {
  constexpr WallMs begin_ms = 1'800'000'000'000;
  std::vector<std::string> names, gpus;
  for (int i = 0; i < nodes; ++i) names.push_back(fmt::format("node-{}", i));
  for (int i = 0; i < 8; ++i) gpus.push_back(fmt::format("GPU-00000000-0000-0000-0000-{:012}", i));
  auto const before = mallinfo2().uordblks;
  monitor::SeriesBook book;
  std::uint64_t samples = 0, rollups = 0;
  auto const started = cpu_s();
  for (int s = 1; s <= seconds; ++s) {
    TimeMs const now = s * 1'000;
    for (auto const& name : names) {
      for (int i = 1; i <= 8; ++i)
        samples += book.add(name, {static_cast<Series>(i), "", 0.5}, now, begin_ms + now);
      for (auto const& gpu : gpus)
        for (int i = 9; i <= 12; ++i)
          samples += book.add(name, {static_cast<Series>(i), gpu, 0.5}, now, begin_ms + now);
    }
    for (std::size_t got = 1'000; got == 1'000; rollups += got)
      got = book.collect(now, begin_ms + now, 1'000).size();
  }
  auto const took = cpu_s() - started;
  auto const kept = book.size() * std::min<std::size_t>(seconds, Recent::default_capacity);
  auto const bytes = mallinfo2().uordblks - before;
  fmt::print("{} series of {} nodes: {} samples, {} rollups in {:.2f} CPU seconds\n", book.size(),
             nodes, samples, rollups, took);
  return {static_cast<double>(samples) / took,
          static_cast<double>(bytes) / static_cast<double>(kept)};
}

double look_ms(int nodes) {
  monitor::LivenessRules const rules;
  std::vector<monitor::Liveness> all(static_cast<std::size_t>(nodes), monitor::Liveness(rules, 0));
  for (TimeMs now = 1'000; now <= 70'000; now += 1'000)
    for (auto& node : all) (void)node.heard("boot", false, now);
  auto const started = cpu_s();
  constexpr int rounds = 20;
  int alarms = 0;
  for (int i = 0; i < rounds; ++i)
    for (auto& node : all) alarms += node.look(70'500 + i).has_value() ? 1 : 0;
  if (alarms > 0) fmt::print("{} alarms about nodes that report\n", alarms);
  return (cpu_s() - started) * 1000 / rounds;
}

struct Loss {
  double suspect_p99_s = 0, unreachable_p99_s = 0;
  double false_suspicions_per_node_day = 0;
};

// Reports each second, late by an exponential time of 100 ms on average; then silence.
Loss loss(int nodes, int seconds) {
  Chance chance(7);
  std::vector<double> suspect, unreachable;
  int wrong = 0;
  for (int n = 0; n < nodes; ++n) {
    monitor::Liveness node(monitor::LivenessRules{}, 0);
    TimeMs heard = 0;
    for (TimeMs now = 500, due = 1'000; due < seconds * 1'000; now += 500) {
      auto const late = static_cast<TimeMs>(-100 * std::log(1 - chance.unit()));
      if (now >= due) {
        heard = std::max(heard + 1, due + late);
        (void)node.heard("boot", false, heard);
        due += 1'000;
      }
      if (auto const t = node.look(std::max(now, heard)); t && t->state == NodeState::suspect)
        ++wrong;
    }
    for (TimeMs now = heard + static_cast<TimeMs>(chance.below(500)); now < heard + 60'000;
         now += 500) {
      auto const t = node.look(now);
      if (!t) continue;
      auto& list = t->state == NodeState::suspect ? suspect : unreachable;
      list.push_back(static_cast<double>(now - heard) / 1000);
    }
  }
  auto const p99 = [](std::vector<double>& v) {
    std::sort(v.begin(), v.end());
    return v.empty() ? -1.0 : v[v.size() * 99 / 100];
  };
  return {p99(suspect), p99(unreachable),
          wrong * 86'400.0 / (static_cast<double>(nodes) * seconds)};
}

}  // namespace

int main() {
  auto const in = intake(1'000, 180);
  auto const look = look_ms(10'000);
  auto const lost = loss(500, 7'200);
  fmt::print(
      "a look at 10,000 nodes: {:.2f} ms; a lost node is suspect after {:.1f} s and unreachable "
      "after {:.1f} s (p99), {:.4f} false suspicions a node and day\n",
      look, lost.suspect_p99_s, lost.unreachable_p99_s, lost.false_suspicions_per_node_day);
  fmt::print(
      "{{\"samples_per_cpu_s\": {:.0f}, \"bytes_per_sample\": {:.1f}, \"look_10k_ms\": {:.2f}, "
      "\"detect_suspect_p99_s\": {:.2f}, \"detect_loss_p99_s\": {:.2f}, "
      "\"false_suspicions_per_node_day\": {:.4f}}}\n",
      in.samples_per_cpu_s, in.bytes_per_sample, look, lost.suspect_p99_s, lost.unreachable_p99_s,
      lost.false_suspicions_per_node_day);
  return 0;
}
