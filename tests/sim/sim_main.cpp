// lepton-sim: repeats one seed, or runs many. Prints what happened; exit status 1 at the first
// broken promise.

#include <chrono>
#include <cstdio>
#include <cstring>

#include "tests/sim/suite.hpp"

namespace {

using namespace lepton;

bool run_seed(std::uint64_t seed, bool verbose) {
  sim::Suite suite(seed, sim::Faults::draw(seed));
  try {
    suite.run();
  } catch (sim::Failure const& failure) {
    std::printf("seed %llu: BROKEN\n%s\n", static_cast<unsigned long long>(seed), failure.what());
    return false;
  }
  auto const& stats = suite.world().stats();
  if (verbose)
    std::printf(
        "seed %llu: good; %llu jobs, %lld messages, %lld crashes, %lld lost, trace %016llx\n  "
        "faults: %s\n",
        static_cast<unsigned long long>(seed),
        static_cast<unsigned long long>(suite.jobs_submitted()),
        static_cast<long long>(stats.delivered), static_cast<long long>(stats.crashes),
        static_cast<long long>(stats.lost), static_cast<unsigned long long>(suite.world().trace()),
        suite.world().faults().text().c_str());
  return true;
}

int run_seeds(std::uint64_t count) {
  auto const began = std::chrono::steady_clock::now();
  std::uint64_t broken = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) broken += run_seed(seed, false) ? 0 : 1;
  auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%llu seeds, %llu broken, %.1f s\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(broken), took);
  return broken == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--seed") == 0)
    return run_seed(std::strtoull(argv[2], nullptr, 10), true) ? 0 : 1;
  if (argc == 3 && std::strcmp(argv[1], "--seeds") == 0)
    return run_seeds(std::strtoull(argv[2], nullptr, 10));
  std::fprintf(stderr,
               "usage: lepton-sim --seed N | --seeds COUNT\nexample: lepton-sim --seed 42\n");
  return 2;
}
