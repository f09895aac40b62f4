// lepton-sim: repeats one seed, or runs many. Prints what happened; exit status 1 at the first
// broken promise, with the shortest run that breaks it, too.

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "common/base/text.hpp"
#include "tests/sim/suite.hpp"

namespace {

using namespace lepton;

constexpr char const* usage =
    "usage: lepton-sim --seed N [--jobs N] [--trouble-ms N] [--settings usual]\n"
    "                  [--without FAULT-OR-CHORE,...]\n"
    "       lepton-sim --seeds COUNT [--from N] [--first] [--as-found]\n"
    "  --first     ends at the first failure\n"
    "  --as-found  tells a failure as it is found, without looking for a shorter one\n"
    "example: lepton-sim --seed 42\n";
constexpr int shortening_tries_max = 120;

void say(std::string const& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

// A broken check ends the process: its seed must be known all the same.
char last_words[96] = "";
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
  double simulated_s = 0;
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
  std::snprintf(
      last_words, sizeof(last_words), "seed %llu: ABORTED\n  repeat: scripts/sim --seed %llu\n",
      static_cast<unsigned long long>(plan.seed), static_cast<unsigned long long>(plan.seed));
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
  totals.stats.delivered += stats.delivered;
  totals.stats.crashes += stats.crashes;
  totals.stats.lost += stats.lost;
  totals.stats.cuts += stats.cuts;
  totals.stats.stalls += stats.stalls;
  totals.stats.takeovers += stats.takeovers + stats.lease_cuts;
  totals.stats.store_faults += stats.store_faults;
  if (!failure.empty()) {
    ++totals.broken;
    tell(plan, failure, as_found);
  } else if (verbose) {
    say(fmt::format(
        "seed {}: good; {} jobs, {} answers, {} messages, {} crashes, {} lost, trace "
        "{:016x}\n  faults: {}\n  settings: {}\n",
        plan.seed, suite.jobs_submitted(), suite.acknowledged(), stats.delivered, stats.crashes,
        stats.lost, suite.world().trace(), plan.text(), plan.knobs.text()));
  }
  return failure.empty();
}

void summarise(Totals const& t, double cpu_s) {
  say(
      fmt::format("{} seeds, {} broken; {:.1f} CPU s, {:.1f} simulated hours, {:.2f} of them per "
                  "CPU second\n",
                  t.seeds, t.broken, cpu_s, t.simulated_s / 3'600, t.simulated_s / 3'600 / cpu_s));
  say(
      fmt::format("{} messages, {} acknowledged, {} lost, {} crashes, {} cuts, {} store faults, {} "
                  "stalls, {} takeovers\n",
                  t.stats.delivered, t.acknowledged, t.stats.lost, t.stats.crashes, t.stats.cuts,
                  t.stats.store_faults, t.stats.stalls, t.stats.takeovers));
}

struct Arguments {
  std::optional<std::uint64_t> seed, seeds;
  std::uint64_t from = 1;
  bool first = false, as_found = false;
  std::vector<std::pair<std::string, std::string>> changes;
};

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    std::string const option = argv[i];
    if (option == "--first" || option == "--as-found") {
      (option == "--first" ? a.first : a.as_found) = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    std::string const value = argv[i];
    auto const number = text::parse_int(value);
    auto const wants_text = option == "--without" || option == "--settings";
    if (!wants_text && (!number || *number < 0)) return std::nullopt;
    if (option == "--seed")
      a.seed = static_cast<std::uint64_t>(*number);
    else if (option == "--seeds")
      a.seeds = static_cast<std::uint64_t>(*number);
    else if (option == "--from")
      a.from = static_cast<std::uint64_t>(*number);
    else
      a.changes.emplace_back(option, value);
  }
  if (a.seed.has_value() == a.seeds.has_value()) return std::nullopt;
  return a;
}

bool change(sim::Plan& plan, std::string const& option, std::string const& value) {
  if (option == "--jobs") {
    plan.jobs = static_cast<std::uint32_t>(*text::parse_int(value));
  } else if (option == "--trouble-ms") {
    plan.trouble_ms = *text::parse_int(value);
  } else if (option == "--settings" && value == "usual") {
    plan.knobs = sim::Knobs::usual();
  } else if (option == "--without") {
    for (auto const& kind : text::split(value, ','))
      if (!plan.leave_out(kind)) return false;
  } else {
    return false;
  }
  plan.taken_out.insert(plan.taken_out.end(), {option, value});
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  auto const arguments = parse(argc, argv);
  if (!arguments) return std::fputs(usage, stderr), 2;
  auto const count = arguments->seed ? 1 : *arguments->seeds;
  auto const first = arguments->seed ? *arguments->seed : arguments->from;
  for (int const signal : {SIGABRT, SIGSEGV}) ::signal(signal, tell_seed);
  for (int const signal : {SIGINT, SIGTERM}) ::signal(signal, [](int) { ended_early = 1; });
  Totals totals;
  auto const began = std::clock();
  for (std::uint64_t i = 0; i < count && ended_early == 0; ++i) {
    auto plan = sim::Plan::draw(first + i);
    for (auto const& [option, value] : arguments->changes)
      if (!change(plan, option, value)) return std::fputs(usage, stderr), 2;
    auto const good = run_one(plan, arguments->seed.has_value(), arguments->as_found, totals);
    if (!good && arguments->first) break;
  }
  if (!arguments->seed)
    summarise(totals, static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
  if (ended_early != 0) return 130;
  return totals.broken == 0 ? 0 : 1;
}
