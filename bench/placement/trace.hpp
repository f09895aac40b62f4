#pragma once
// The public GPU-cluster trace (Alibaba clusterdata, cluster-trace-gpu-v2023): one list of nodes
// and a list of pods per scenario, and the workloads of the published experiment made from them.
// Errors: a file that is absent or not of this form.

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/random.hpp"
#include "common/base/result.hpp"
#include "services/deployer/core/cluster.hpp"
#include "services/deployer/core/mix.hpp"

namespace lepton::bench {

// A small generator with the same numbers everywhere (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() { return splitmix(state_); }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  template <class T>
  void shuffle(std::vector<T>& v) {
    for (std::size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[below(i)]);
  }

 private:
  std::uint64_t state_;
};

struct Trace {
  std::string name;
  std::vector<ResourceRequest> pods;  // by name
  deployer::Mix mix;                  // the pods as a distribution
  double arrivals_per_hour = 0;       // of the middle 80 % of the pods; 0: the list has no times
};

std::int64_t gpu_milli(ResourceRequest const& r);

Result<std::vector<deployer::NodeSpec>> read_nodes(std::string const& folder);
std::vector<std::string> trace_names(std::string const& folder);  // of the lists there, sorted
Result<Trace> read_trace(std::string const& folder, std::string const& name);

// The pods shuffled, then more drawn from them (or some dropped) until they ask for `load` times
// the capacity.
std::vector<ResourceRequest> workload(Trace const& trace, std::int64_t capacity_gpu_milli,
                                      double load, std::uint64_t seed);

// `count` nodes by repeating the list, registered in an order that the seed decides.
deployer::Cluster make_cluster(std::vector<deployer::NodeSpec> const& nodes, std::size_t count,
                               std::uint64_t seed);

}  // namespace lepton::bench
