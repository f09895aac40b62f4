#include "services/deployer/core/usage.hpp"

#include <algorithm>

namespace lepton::deployer {

std::optional<double> cpu_share(MeasuredUse const& use) {
  if (!use.cpu_cores || use.given->cpu_milli <= 0) return std::nullopt;
  return *use.cpu_cores * 1000 / static_cast<double>(use.given->cpu_milli);
}

std::optional<double> gpu_share(MeasuredUse const& use) {
  auto const& given = use.given->gpus;
  auto const whole =
      std::all_of(given.begin(), given.end(), [](GpuShare const& g) { return g.milli == 1000; });
  if (given.empty() || !whole || use.gpus.size() != given.size()) return std::nullopt;
  double sum = 0;
  for (auto const& gpu : use.gpus) {
    if (!gpu) return std::nullopt;
    sum += *gpu;
  }
  return sum / static_cast<double>(given.size());
}

ServiceUse total_use(ScaleSignal signal, std::vector<MeasuredUse> const& ready) {
  ServiceUse all;
  for (auto const& replica : ready) {
    auto const share = signal == ScaleSignal::gpu ? gpu_share(replica) : cpu_share(replica);
    if (share)
      all.total = all.total.value_or(0) + *share;
    else
      ++all.silent;
  }
  return all;
}

}  // namespace lepton::deployer
