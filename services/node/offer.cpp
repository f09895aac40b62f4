#include "services/node/offer.hpp"

#include <cmath>

#include "common/base/bandwidth.hpp"

namespace lepton::node {
namespace {

Status add_gpus(NodeCapacity& capacity, NodeConfig const& config, MachineFacts const& facts) {
  auto const& islands = config.gpu_islands;
  if (!islands.empty() && islands.size() != facts.gpus.size())
    return Error{Code::invalid, "gpu_islands: names " + std::to_string(islands.size()) +
                                    " GPUs, and the machine has " +
                                    std::to_string(facts.gpus.size())};
  for (std::size_t i = 0; i < facts.gpus.size(); ++i) {
    auto const& gpu = facts.gpus[i];
    capacity.gpus.push_back(
        {gpu.uuid, gpu.model, gpu.memory_mib, islands.empty() ? 0 : islands[i], gpu.mig_profile});
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
