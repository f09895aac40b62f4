#include "cli/replay/replay_commands.hpp"

#include <memory>

#include "cli/replay/replay.hpp"

namespace lepton::cli {

Commands replay_commands() {
  auto const o = std::make_shared<ReplayOptions>();
  Command c{"replay",
            "Sends a trace of a GPU cluster through the running services, on simulated nodes",
            "lepton replay --nodes examples/trace/nodes.csv --pods examples/trace/pods.csv\n\n"
            "Traces: a small one is in examples/trace; the public \"openb\" trace (2023) of a "
            "cluster of\n"
            "1,213 GPU machines has the files openb_node_list_gpu_node.csv and "
            "openb_pod_list_default.csv\n"
            "(where LEPTON_DATA is set, in $LEPTON_DATA/gpu-trace-v2023)."};
  c.required("--nodes", "CSV file of the nodes: sn,cpu_milli,memory_mib,gpu,model", &o->nodes_file)
      .required("--pods",
                "CSV file of the pods: name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,...",
                &o->pods_file)
      .option("--pool", "Name of the pool; else replay-<random>", &o->pool)
      .option("--window", "Requests in flight", &o->window)
      .flag("--keep", "Leave the pool and its jobs, instead of removing them at the end", &o->keep);
  c.run = [o](Shell& shell) { return replay(shell, *o); };
  return {c};
}

}  // namespace lepton::cli
