#pragma once
// What nodes draw, and policies that spare it: the model and the policies of Lettich et al., Power-
// and Fragmentation-aware Online Scheduling for GPU Datacenters (CCGrid 2025). A GPU draws its full
// power once any share of it is used, a CPU socket once one of its cores is.
// Pure; built for one cluster. Units: watts; 2 virtual CPUs per core.

#include <map>
#include <string>
#include <vector>

#include "services/deployer/core/cluster.hpp"
#include "services/deployer/core/fgd.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

struct Draw {
  double idle_watts = 0, full_watts = 0;
};
struct SocketDraw {
  double idle_watts = 15, full_watts = 120;  // Xeon E5-2682 v4
  std::int64_t cores = 16;
};

class PowerModel {
 public:
  // GPUs of models that are not in `gpus` count as drawing nothing.
  PowerModel(std::map<std::string, Draw> const& gpus, SocketDraw socket,
             std::vector<std::string> const& models);
  // By what is known of each kind of GPU (watts.hpp).
  explicit PowerModel(std::vector<GpuKind> const& kinds, SocketDraw socket = {});

  double watts(Room const& free, Room const& full) const;
  // By how much the draw rises when the room grants the choice.
  double added(Node const& node, Room const& room, Ask const& ask, GpuChoice const& gpus) const;

 private:
  double sockets_watts(std::int64_t used_cpu_milli, std::int64_t full_cpu_milli) const;

  std::vector<Draw> gpus_;  // by model
  SocketDraw socket_;
};

// The least added watts, scaled to 0..100 over the nodes that fit, weighed against FGD's score:
// `power_weight` and 1000 - power_weight thousandths.
class PowerAndFragmentation final : public Policy {
 public:
  PowerAndFragmentation(PowerModel const& power, Fgd const& fgd, std::int64_t power_weight)
      : power_(power), fgd_(fgd), power_weight_(power_weight) {}

  std::string_view name() const override { return power_weight_ == 1000 ? "pwr" : "pwr_fgd"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;
  bool by_range() const override { return true; }
  std::int64_t price(std::uint64_t shelf, Ask const& ask, ShelfRange range) const override;

 private:
  PowerModel const& power_;
  Fgd const& fgd_;
  std::int64_t power_weight_;
};

}  // namespace lepton::deployer
