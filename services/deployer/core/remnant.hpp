#pragma once
// What a GPU's free part is worth, seen over all the tasks that will fill it: the geometry half of
// the default policy. A linear program over GPU fillings (Gilmore and Gomory, A linear programming
// approach to the cutting-stock problem, 1961) with an entropy term of weight tau and the arrivals
// as equalities; its duals are found by Sinkhorn's scaling (Cuturi, Sinkhorn distances, 2013) over
// an arc-flow graph of free levels. Smooth duals tell apart what plain duals leave tied.
// Pure; built once per mix, read by one thread. Units: thousandths of a GPU.

#include <cstdint>
#include <utility>
#include <vector>

namespace lepton::deployer {

class RemnantTable {
 public:
  static constexpr std::uint32_t step_milli = 5;
  static constexpr std::uint32_t levels = 1000 / step_milli + 1;

  // Pairs of the milli that one GPU gives to a task, and how many such GPUs arrive (any unit). A
  // task with n whole GPUs counts as n.
  explicit RemnantTable(std::vector<std::pair<std::uint32_t, double>> const& sizes);

  // A share in steps: rounded down, so that three thirds fill a GPU.
  static std::uint32_t steps(std::uint32_t gpu_milli) {
    return gpu_milli < step_milli ? 1 : gpu_milli / step_milli;
  }
  // Expected waste of a GPU of which this much is free, up to a constant that is the same for all
  // GPUs. May be below 0: such a remnant is wanted more than a whole GPU.
  double waste(std::uint32_t free_milli) const { return waste_[free_milli / step_milli]; }
  // What of it may be given away yet.
  double useful(std::uint32_t free_milli) const { return useful_[free_milli / step_milli]; }

 private:
  struct Flow;
  void price(Flow const& flow);
  double run(Flow& flow) const;

  std::vector<double> waste_;
  std::vector<double> useful_;
};

}  // namespace lepton::deployer
