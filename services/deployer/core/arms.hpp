#pragma once
// Arms: the policies that a placer may follow by name, made for a mix of tasks; and what the
// placements of one epoch have stranded, from which the bandit learns.
// Owned by the placer; one thread. Units: thousandths of a GPU.

#include <memory>
#include <string>
#include <vector>

#include "schemas/placement.hpp"
#include "services/deployer/core/bandit.hpp"
#include "services/deployer/core/outlook.hpp"
#include "services/deployer/core/score.hpp"

namespace lepton::deployer {

// The policies that a setting stands for: itself, or those among which the bandit chooses.
std::vector<PlacementPolicy> arms_of(PlacementPolicy setting);

inline bool is_foresight(PlacementPolicy arm) {
  return arm == PlacementPolicy::foresight || arm == PlacementPolicy::foresight_power;
}

// Nothing for foresight of either kind, which the placer makes for each pool, with its prices.
std::unique_ptr<Policy> make_policy(PlacementPolicy arm, Mix const& mix,
                                    std::vector<std::string> const& models);

// What one epoch's placements stranded, for each GPU that they gave away. Stranded is the
// outlook's measure, what of a node's free GPU will probably never be given away; not FGD's, which
// is what a typical task could not use. Both fall to an arm that descends on them. Ours was taken
// because it is near 0 for a placement that does no harm, whatever the task, so that an epoch's
// reward says more of the arm and less of the tasks that came by chance; and its sum over all
// epochs is the rise of what is stranded in the pool, which is what the experiment counts.
class Epoch {
 public:
  static constexpr std::uint32_t tasks_enough = 32;
  static constexpr double most_stranded = 8;  // GPU for each GPU: one task may ruin a large node

  void add(double stranded_milli, double placed_milli);
  // So many tasks, and a GPU at least: work without GPUs alone gives no rate.
  bool is_over() const { return tasks_ >= tasks_enough && placed_milli_ >= whole_gpu; }
  double reward() const;

 private:
  std::uint32_t tasks_ = 0;
  double stranded_milli_ = 0, placed_milli_ = 0;
};

// By how much stranded() of the nodes rises when these are reserved one after another; each must
// fit in the cluster as it stands.
double stranded_by(Cluster const& cluster, Outlook const& outlook,
                   std::vector<Allocation> const& members);

}  // namespace lepton::deployer
