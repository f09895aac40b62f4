#include "services/node/offer.hpp"

#include <cmath>

#include "common/base/bandwidth.hpp"

namespace lepton::node {
namespace {

Status check_count(char const* setting, std::size_t named, std::size_t gpus) {
  if (named == 0 || named == gpus) return ok();
  return Error{Code::invalid, std::string(setting) + ": names " + std::to_string(named) +
                                  " GPUs, and the machine has " + std::to_string(gpus)};
}

Status add_gpus(NodeCapacity& capacity, NodeConfig const& config, MachineFacts const& facts) {
  auto const& islands = config.gpu_islands;
  auto const& numa = config.gpu_numa;
  for (auto const& good : {check_count("gpu_islands", islands.size(), facts.gpus.size()),
                           check_count("gpu_numa", numa.size(), facts.gpus.size())})
    if (!good) return good;
  for (auto node : numa)
    if (node < -1 || node > 1023)
      return Error{Code::invalid, "gpu_numa: must be from 0 to 1023, or -1 where nobody knows"};
  for (std::size_t i = 0; i < facts.gpus.size(); ++i) {
    auto const& gpu = facts.gpus[i];
    capacity.gpus.push_back({gpu.uuid, gpu.model, gpu.memory_mib, islands.empty() ? 0 : islands[i],
                             gpu.mig_profile, numa.empty() ? gpu.numa : numa[i]});
  }
  return ok();
}

}  // namespace

Result<NodeCapacity> offer_of(NodeConfig const& config, MachineFacts const& facts) {
  NodeCapacity capacity{facts.cpu_milli,   facts.memory_mib,  facts.disk_mib,      {},
                        config.port_first, config.port_count, facts.bandwidth_mbit};
  if (!config.bandwidth.empty()) {
    auto const offered = parse_bandwidth_mbit(config.bandwidth);
    if (!offered) return Error{Code::invalid, "bandwidth: " + offered.error().what};
    capacity.bandwidth_mbit = *offered;
  }
  if (!(config.price_per_hour >= 0 && config.price_per_hour <= 1e6))
    return Error{Code::invalid, "price_per_hour: must be from 0 to a million"};
  capacity.price_per_hour_micro = std::llround(config.price_per_hour * 1e6);
  capacity.spot = config.spot;
  if (auto good = add_gpus(capacity, config, facts); !good) return good.error();
  return capacity;
}

}  // namespace lepton::node
