#include "bench/placement/experiment.hpp"

#include <fmt/format.h>

#include <cmath>

#include "services/deployer/core/baseline.hpp"
#include "services/deployer/core/fgd.hpp"

namespace lepton::bench {

namespace {

using namespace deployer;

// Watts idle and full, from the experiment of Lettich et al. (CCGrid 2025).
std::map<std::string, Draw> gpu_draws() {
  return {{"T4", {10, 70}},  {"A10", {30, 150}},     {"G2", {30, 150}},     {"P100", {25, 250}},
          {"G3", {50, 400}}, {"V100M16", {30, 300}}, {"V100M32", {30, 300}}};
}

std::unique_ptr<Policy> published(std::string const& name, std::uint64_t seed, Fgd const& fgd,
                                  PowerModel const& power) {
  if (name == "random") return std::make_unique<RandomFit>(seed);
  if (name == "dotprod") return std::make_unique<DotProduct>();
  if (name == "clustering") return std::make_unique<Clustering>();
  if (name == "packing") return std::make_unique<Packing>();
  if (name == "bestfit") return std::make_unique<PublishedBestFit>();
  if (name == "fgd") return std::make_unique<Fgd>(fgd);
  if (name == "pwr") return std::make_unique<PowerAndFragmentation>(power, fgd, 1000);
  if (name == "pwr_fgd") return std::make_unique<PowerAndFragmentation>(power, fgd, 200);
  return nullptr;
}

PoolId const default_pool{"default"};

}  // namespace

std::vector<std::string> const& run_policies() {
  static std::vector<std::string> const names{"random",  "dotprod", "clustering",    "packing",
                                              "bestfit", "fgd",     "pwr",           "pwr_fgd",
                                              "bandit",  "ours",    "ours_learning", "ours_power"};
  return names;
}

Run::Run(std::vector<NodeSpec> const& nodes, std::size_t count, Trace const& trace,
         std::string policy, std::uint64_t seed, std::uint64_t order_seed)
    : policy_(std::move(policy)),
      cluster_(make_cluster(nodes, count, order_seed)),
      power_(gpu_draws(), {}, cluster_.models()),
      fgd_(std::make_unique<Fgd>(typical_tasks(trace.mix), cluster_.models())),
      published_(published(policy_, seed, *fgd_, power_)),
      seed_(seed) {
  if (published_)
    placer_ = std::make_unique<Placer>(cluster_, *published_, false);
  else if (policy_ == "ours")
    placer_ = std::make_unique<Placer>(cluster_, trace.mix, false);
  else if (policy_ == "bandit")
    placer_ = std::make_unique<Placer>(cluster_, trace.mix, false, PlacementPolicy::bandit, seed);
  else if (policy_ == "ours_power")
    placer_ =
        std::make_unique<Placer>(cluster_, trace.mix, false, PlacementPolicy::foresight_power);
  else
    placer_ = std::make_unique<Placer>(cluster_);
}

double Run::watts() const {
  double sum = 0;
  for (auto slot : cluster_.pool(default_pool))
    sum += power_.watts(cluster_.at(slot).free, cluster_.at(slot).full);
  return sum;
}

bool Run::arrive(ResourceRequest const& pod) {
  if (policy_ == "random")
    static_cast<RandomFit&>(*published_) = RandomFit(seed_ * 1'000'003 + arrivals_);
  placer_->observe(pod, 1);
  auto found = placer_->find(pod, default_pool);
  ++arrivals_;
  if (!found) return false;
  placer_->placed(*found);
  auto const held = cluster_.reserve({fmt::format("p{}", arrivals_)}, found->front());
  LEPTON_CHECK(held.has_value(), "a placement does not fit");
  return true;
}

Samples replay(Run& run, std::vector<ResourceRequest> const& pods, int last_percent,
               bool with_power) {
  auto const capacity = static_cast<double>(run.cluster().totals().gpu_milli);
  double arrived = 0, allocated = 0;
  std::map<int, std::pair<Sample, int>> sums;
  for (auto const& pod : pods) {
    arrived += static_cast<double>(gpu_milli(pod));
    if (run.arrive(pod)) allocated += static_cast<double>(gpu_milli(pod));
    auto const percent = static_cast<int>(std::lround(100 * arrived / capacity));
    if (percent > last_percent) break;
    auto& [sum, count] = sums[percent];
    sum.unallocated_percent += 100 * (1 - allocated / capacity);
    ++count;
    if (with_power && count % 8 == 1) sum.watts += run.watts();
  }
  Samples out;
  for (auto const& [percent, sum] : sums)
    out[percent] = {sum.first.unallocated_percent / sum.second,
                    sum.first.watts / ((sum.second + 7) / 8)};
  return out;
}

}  // namespace lepton::bench
