#include "services/deployer/core/mix.hpp"

#include <algorithm>

#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

TaskClass TaskClass::of(ResourceRequest const& r) {
  TaskClass t{r.cpu_milli, r.memory_mib, r.gpus, r.gpus > 0 ? r.gpu_milli : 0, {}};
  if (r.gpus > 0) t.models = r.gpu_models;
  // Instances are models of their own; without a model only the profile is known, and nothing is
  // said of any one of them.
  if (!r.mig_profile.empty()) {
    if (t.models.empty()) t.models = {""};
    for (auto& model : t.models) model = text_of(GpuKind{model, r.mig_profile});
  }
  std::sort(t.models.begin(), t.models.end());
  return t;
}

Mix unknown_mix() {
  auto const part = [](std::uint32_t gpus, std::uint32_t milli, double weight) {
    return MixPart{{4000 * gpus, 16'384 * gpus, gpus, milli, {}}, weight};
  };
  return {part(1, 250, 0.10),  part(1, 500, 0.20),  part(1, 1000, 0.50),
          part(2, 1000, 0.08), part(4, 1000, 0.07), part(8, 1000, 0.05)};
}

void MixCounter::add(ResourceRequest const& r, std::uint32_t tasks) {
  counts_[TaskClass::of(r)] += tasks;
  total_ += tasks;
  seen_ += tasks;
  while (total_ > most_counts || counts_.size() > most_classes) halve();
}

void MixCounter::halve() {
  total_ = 0;
  for (auto it = counts_.begin(); it != counts_.end();) {
    it->second /= 2;
    total_ += it->second;
    it = it->second == 0 ? counts_.erase(it) : std::next(it);
  }
}

std::vector<ClassCount> MixCounter::counts() const {
  std::vector<ClassCount> all;
  all.reserve(counts_.size());
  for (auto const& [task, count] : counts_) all.push_back({task, count});
  return all;
}

void MixCounter::restore(std::vector<ClassCount> const& counts, std::uint64_t seen) {
  counts_.clear();
  total_ = 0;
  seen_ = seen;
  for (auto const& c : counts) {
    counts_[c.task] = c.count;
    total_ += c.count;
  }
}

Mix MixCounter::mix() const {
  if (total_ == 0) return unknown_mix();
  Mix mix;
  mix.reserve(counts_.size());
  for (auto const& [task, count] : counts_)
    mix.push_back({task, static_cast<double>(count) / static_cast<double>(total_)});
  return mix;
}

}  // namespace lepton::deployer
