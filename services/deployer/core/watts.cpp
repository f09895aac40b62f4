#include "services/deployer/core/watts.hpp"

#include <algorithm>
#include <array>

namespace lepton::deployer {
namespace {

constexpr std::int64_t unknown_watts = 1'200;
constexpr std::int64_t mig_slices = 7;

struct KnownModel {
  char const* name;
  std::int64_t watts;
};
// Board power as the makers name it. A node's name of a model may go on behind these.
constexpr auto known_models = std::to_array<KnownModel>({{"T4", 70},
                                                         {"A10G", 300},
                                                         {"A100", 400},
                                                         {"L40S", 350},
                                                         {"L40", 300},
                                                         {"L4", 72},
                                                         {"A10", 150},
                                                         {"A30", 165},
                                                         {"A40", 300},
                                                         {"P100", 250},
                                                         {"V100", 300},
                                                         {"G2", 150},
                                                         {"G3", 400},
                                                         {"H100", 700},
                                                         {"H200", 700},
                                                         {"B200", 1'000}});

bool is_model(std::string const& model, std::string const& name) {
  auto const at = model.find(name);
  if (at == std::string::npos) return false;
  auto const end = at + name.size();
  return end == model.size() || !(model[end] >= '0' && model[end] <= '9');
}

std::int64_t whole_watts(std::string const& model) {
  for (auto const& known : known_models)
    if (is_model(model, known.name)) return known.watts;
  return unknown_watts;
}

}  // namespace

std::int64_t model_watts(std::string const& model, std::string const& mig_profile) {
  auto const watts = whole_watts(model);
  if (mig_profile.empty()) return watts;
  auto const slices = mig_profile.front() - '0';
  return watts * std::clamp<std::int64_t>(slices, 1, mig_slices) / mig_slices;
}

}  // namespace lepton::deployer
