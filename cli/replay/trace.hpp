#pragma once
// Traces of GPU clusters as CSV (the layout of the public "openb" trace): machines, and pods in the
// order of their arrival. A header names the columns; further columns are left aside. Units: CPU in
// thousandths of a core, memory in MiB, GPU share in thousandths. Pure; any thread.
//
//   nodes: sn,cpu_milli,memory_mib,gpu,model
//   pods:  name,cpu_milli,memory_mib,num_gpu,gpu_milli[,gpu_spec][,creation_time]      gpu_spec:
//   "A|B", empty: any
//
// Errors: invalid, as "line N: COLUMN: what is wrong".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "schemas/node.hpp"

namespace lepton::cli {

struct TraceNode {
  std::string name;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t gpus = 0;
  std::string model;
  bool operator==(TraceNode const&) const = default;
};

struct TracePod {
  std::string name;
  ResourceRequest resources;
  std::int64_t created_at = 0;
  bool operator==(TracePod const&) const = default;
};

Result<std::vector<TraceNode>> parse_nodes(std::string_view csv);
Result<std::vector<TracePod>> parse_pods(std::string_view csv);  // by arrival, then by line

// Names of nodes are unique in an installation, so the pool goes in front. invalid: no DNS label
// comes out.
Result<NodeDeclaration> declaration_of(TraceNode const& node, PoolId const& pool);
JobSpec spec_of(TracePod const& pod, PoolId const& pool);

// Lower case letters, digits and '-' only, as a DNS label.
std::string label_of(std::string_view name);

}  // namespace lepton::cli
