#pragma once
// Fragmentation gradient descent: a task goes where it raises least the GPU that a typical task
// could not use (Weng et al., USENIX ATC 2023). F of a node is the expectation over the typical
// tasks m: all its free GPU if m cannot run there or needs no GPU, else what is free on devices
// with less than m's share. Score: 100 sigmoid((F before - F after) / 1000 milli), truncated, as
// published; the truncation matters, because equal scores then fill nodes in a fixed order.
// Pure; built for one cluster and mix.

#include <string>
#include <vector>

#include "services/deployer/core/mix.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

// The most frequent classes by (CPU, GPU, models) that cover 95 % of the arrivals, scaled to 1.
Mix typical_tasks(Mix const& mix);

class Fgd final : public Policy {
 public:
  // `typical` as typical_tasks() gives it; `models` of the cluster.
  Fgd(Mix const& typical, std::vector<std::string> const& models);

  std::string_view name() const override { return "fgd"; }
  Verdict judge(Node const& node, Room const& room, Ask const& ask) const override;

  // Expected milli of a node's free GPU that a typical task could not use.
  double fragmentation(std::vector<Device> const& devices, std::int64_t cpu_milli) const;

 private:
  struct Typical {
    std::int64_t cpu_milli = 0;
    std::uint32_t gpus = 0, gpu_milli = 0;
    std::vector<bool> accepts;  // by model; empty: all
    double weight = 0;
  };
  double unusable(Typical const& m, std::vector<Device> const& devices,
                  std::int64_t cpu_milli) const;
  void try_share(Verdict& best, double before, std::vector<Device>& devices, std::uint32_t device,
                 Ask const& ask, std::int64_t cpu_milli) const;

  std::vector<Typical> typical_;
};

}  // namespace lepton::deployer
