#pragma once
// How fast the default policy decides, on one thread.

#include <cstddef>
#include <vector>

#include "bench/placement/trace.hpp"

namespace lepton::bench {

struct Speed {
  double decisions_per_s = 0;     // find() alone
  double placed_per_s = 0;        // with reserve()
  double placed_per_cpu_s = 0;    // the same by the thread's own time: other work does not count
  double p50_us = 0, p99_us = 0;  // of find()
  double us_per_decision = 0;     // with reserve(), of the thread's own time
  double bytes_per_node = 0;      // cluster and placer, before any task
  double bytes_per_task = 0;      // of both, per task placed
};

enum class Knows { mix, nothing };  // nothing: it learns while it decides, as the deployer does

// Fills `count` nodes (the list, repeated) to 100 % arrived load.
Speed measure_speed(std::vector<deployer::NodeSpec> const& nodes, std::size_t count,
                    Trace const& trace, std::uint64_t seed, Knows knows = Knows::mix);

}  // namespace lepton::bench
