// lepton-sim: repeats one seed, or runs many. Prints what happened; exit status 1 at the first
// broken promise, with the shortest run that breaks it, too.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "tests/sim/arguments.hpp"
#include "tests/sim/processes.hpp"
#include "tests/sim/suite.hpp"

namespace {

using namespace lepton;

constexpr char const* usage =
    "usage: lepton-sim --seed N [CHANGE...]\n"
    "       lepton-sim --seeds COUNT [--from N] [--first] [--as-found] [--processes N] "
    "[CHANGE...]\n"
    "  --first        ends at the first failure\n"
    "  --as-found     tells a failure as it is found, without looking for a shorter one\n"
    "  --processes N  so many at a time; without it one, with --seeds as many as there are cores\n"
    "changes of what a seed draws:\n"
    "  --calm           no faults, every chore, settings as usual; the seed draws the rest\n"
    "  --point N        one crash at the Nth point of the run: before and after each commit and\n"
    "                   each message of a process; a good run says how many it has\n"
    "  --jobs N, --nodes N\n"
    "  --trouble-ms N   virtual time with faults\n"
    "  --peace-ms N     limit for everything to end, once the faults are over\n"
    "  --settings usual\n"
    "  --without FAULT-OR-CHORE,...\n"
    "example: lepton-sim --seed 42\n"
    "         lepton-sim --seed 1 --calm --jobs 3 --nodes 2 --trouble-ms 9000 --point 1000\n";
constexpr int shortening_tries_max = 120;

void say(std::string const& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

// A broken check ends the process: its seed must be known all the same.
char last_words[512] = "";
void tell_seed(int signal) {
  auto const size = ::write(STDOUT_FILENO, last_words, std::strlen(last_words));
  ::signal(signal, SIG_DFL);
  if (size > 0) ::raise(signal);
}

// A long run that is ended sums up what it has done.
volatile std::sig_atomic_t ended_early = 0;

struct Totals {
  std::uint64_t seeds = 0, broken = 0, acknowledged = 0;
  sim::WorldStats stats;
  double simulated_s = 0, cpu_s = 0;

  void add(Totals const& other) {
    seeds += other.seeds;
    broken += other.broken;
    acknowledged += other.acknowledged;
    simulated_s += other.simulated_s;
    cpu_s += other.cpu_s;
    add(other.stats);
  }
  void add(sim::WorldStats const& other) {
    stats.delivered += other.delivered;
    stats.crashes += other.crashes;
    stats.lost += other.lost;
    stats.cuts += other.cuts;
    stats.stalls += other.stalls;
    stats.takeovers += other.takeovers + other.lease_cuts;
    stats.store_faults += other.store_faults;
  }
};

// The first line of a failure says what was broken.
void tell(sim::Plan const& plan, std::string const& failure, bool as_found) {
  auto const first = failure.substr(0, failure.find('\n'));
  say(fmt::format("seed {}: BROKEN: {}\n  repeat: {}\n", plan.seed, first, plan.command()));
  if (as_found) return say(failure + "\n");
  auto const least = sim::shorten(plan, failure, shortening_tries_max);
  say(fmt::format("  shortest found in {} runs: {}\n  settings: {}\n{}\n", least.tries,
                  least.plan.command(), least.plan.knobs.text(), least.failure));
}

bool run_one(sim::Plan const& plan, bool verbose, bool as_found, Totals& totals) {
  auto const words = fmt::format("seed {}: ABORTED\n  repeat: {}\n", plan.seed, plan.command());
  std::snprintf(last_words, sizeof(last_words), "%s", words.c_str());
  sim::Suite suite(plan);
  ++totals.seeds;
  std::string failure;
  try {
    suite.run();
  } catch (sim::Failure const& broken) {
    failure = broken.what();
  }
  auto const& stats = suite.world().stats();
  totals.simulated_s += static_cast<double>(suite.world().now()) / 1'000;
  totals.acknowledged += suite.acknowledged();
  totals.add(stats);
  if (!failure.empty()) {
    ++totals.broken;
    tell(plan, failure, as_found);
  } else if (verbose) {
    say(fmt::format(
        "seed {}: good; {} jobs, {} answers, {} messages, {} crashes, {} lost, {} points, trace "
        "{:016x}\n  faults: {}\n  settings: {}\n",
        plan.seed, suite.jobs_submitted(), suite.acknowledged(), stats.delivered, stats.crashes,
        stats.lost, stats.points, suite.world().trace(), plan.text(), plan.knobs.text()));
  }
  return failure.empty();
}

void summarise(Totals const& t) {
  say(fmt::format(
      "{} seeds, {} broken; {:.1f} CPU s, {:.1f} simulated hours, {:.2f} of them per "
      "CPU second\n",
      t.seeds, t.broken, t.cpu_s, t.simulated_s / 3'600, t.simulated_s / 3'600 / t.cpu_s));
  say(
      fmt::format("{} messages, {} acknowledged, {} lost, {} crashes, {} cuts, {} store faults, {} "
                  "stalls, {} takeovers\n",
                  t.stats.delivered, t.acknowledged, t.stats.lost, t.stats.crashes, t.stats.cuts,
                  t.stats.store_faults, t.stats.stalls, t.stats.takeovers));
}

// Every so manieth of the seeds. The exit status: 1 when one has broken.
int run_part(sim::Arguments const& a, std::uint64_t part, Totals& totals) {
  auto const count = a.count();
  auto const began = std::clock();
  for (auto i = part; i < count && ended_early == 0; i += a.processes) {
    auto const good = run_one(a.plan(i), a.seed.has_value(), a.as_found, totals);
    if (!good && a.first) break;
  }
  totals.cpu_s = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  return totals.broken == 0 ? 0 : 1;
}

std::uint64_t processes_of(sim::Arguments const& a) {
  if (a.first || a.seed) return 1;
  auto const cores = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  return std::min(cores, *a.seeds + 1);
}

int run_all(sim::Arguments const& a, Totals& totals) {
  if (a.processes == 1) return run_part(a, 0, totals);
  auto all_good = true;
  auto const run = [&](std::size_t part, Totals& counted) {
    counted = Totals();
    return run_part(a, part, counted);
  };
  for (auto const& counted : sim::in_processes<Totals>(
           a.processes, run, [] { return ended_early != 0; }, all_good))
    totals.add(counted);
  return all_good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> const words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"--help"}) return say(usage), 0;
  auto arguments = sim::Arguments::parse(words);
  if (!arguments) return std::fputs(usage, stderr), 2;
  if (arguments->processes == 0) arguments->processes = processes_of(*arguments);
  for (int const signal : {SIGABRT, SIGSEGV}) ::signal(signal, tell_seed);
  for (int const signal : {SIGINT, SIGTERM}) ::signal(signal, [](int) { ended_early = 1; });
  Totals totals;
  auto const status = run_all(*arguments, totals);
  if (!arguments->seed) summarise(totals);
  return ended_early != 0 ? 130 : status;
}
