#pragma once
// An order of requests, for maps that keep something for each kind of request. Pure.

#include <tuple>

#include "schemas/values.hpp"

namespace lepton::deployer {

struct ByRequest {
  static auto fields(ResourceRequest const& r) {
    return std::tie(r.cpu_milli, r.memory_mib, r.gpus, r.gpu_milli, r.gpu_models, r.disk_mib,
                    r.gpu_memory_mib, r.ports, r.where, r.bandwidth_mbit, r.mig_profile);
  }
  bool operator()(ResourceRequest const& a, ResourceRequest const& b) const {
    return fields(a) < fields(b);
  }
};

}  // namespace lepton::deployer
