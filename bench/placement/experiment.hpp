#pragma once
// The experiment of Weng et al. (USENIX ATC 2023): tasks only arrive; one that fits nowhere is
// dropped but counts as arrived; what is unallocated is sampled after each arrival and averaged
// where the arrived load rounds to a whole per cent of the GPU capacity.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/placement/trace.hpp"
#include "services/deployer/core/placer.hpp"

namespace lepton::bench {

// A cluster under one policy: "random", "dotprod", ... as in the table, "ours", "ours_power", or
// "ours_learning", which is told nothing of the mix.
class Run {
 public:
  Run(std::vector<deployer::NodeSpec> const& nodes, std::size_t count, Trace const& trace,
      std::string policy, std::uint64_t seed, std::uint64_t order_seed);

  bool arrive(ResourceRequest const& pod);  // whether it was placed
  deployer::Cluster& cluster() { return cluster_; }
  deployer::Placer& placer() { return *placer_; }
  double watts() const;

 private:
  std::string policy_;
  deployer::Cluster cluster_;
  deployer::PowerModel power_;
  std::unique_ptr<deployer::Fgd> fgd_;
  std::unique_ptr<deployer::Policy> published_;
  std::unique_ptr<deployer::Placer> placer_;
  std::uint64_t seed_;
  std::uint64_t arrivals_ = 0;
};

std::vector<std::string> const& run_policies();  // in the order of the table

struct Sample {
  double unallocated_percent = 0;
  double watts = 0;
};
// By arrived load in whole per cent, up to `last_percent`.
using Samples = std::map<int, Sample>;
Samples replay(Run& run, std::vector<ResourceRequest> const& pods, int last_percent,
               bool with_power);

}  // namespace lepton::bench
