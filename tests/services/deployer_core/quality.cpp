// What policies leave unused of a small cluster, on a mix of tasks of our own: shares of GPUs
// beside whole ones, and work that needs much CPU. Nothing of the public traces is in it.

#include <gtest/gtest.h>

#include <map>

#include "common/base/random.hpp"
#include "services/deployer/core/baseline.hpp"
#include "services/deployer/core/placer.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

struct Kind {
  double share;
  std::uint32_t gpus, gpu_milli;
  std::int64_t cores;
  std::vector<std::string> models = {};
};
std::vector<Kind> const kinds{
    {0.24, 1, 450, 6},  {0.24, 1, 550, 4},   {0.08, 1, 300, 12},  {0.05, 1, 900, 10},
    {0.18, 1, 1000, 8}, {0.06, 2, 1000, 16}, {0.04, 4, 1000, 32}, {0.05, 8, 1000, 80, {"A100"}},
    {0.06, 0, 0, 16}};

ResourceRequest request_of(Kind const& kind) {
  auto r = ask_gpus(kind.gpus, kind.gpu_milli, kind.models);
  if (kind.gpus == 0) r = ask_cpu(0, 0);
  r.cpu_milli = kind.cores * 1'000;
  r.memory_mib = kind.cores * 4'096;
  return r;
}

Mix mix_of_kinds() {
  Mix mix;
  for (auto const& kind : kinds) mix.push_back({TaskClass::of(request_of(kind)), kind.share});
  return mix;
}

Cluster sixty_nodes() {
  std::vector<NodeSpec> nodes;
  for (std::uint64_t i = 0; i < 60; ++i) {
    auto const id = "n" + std::to_string(i);
    auto const size = i % 3 == 0   ? capacity(96'000, 786'432, 8, "A100")
                      : i % 3 == 1 ? capacity(64'000, 393'216, 4, "V100")
                                   : capacity(32'000, 196'608, 2, "T4");
    nodes.push_back(node(id, size, i + 1));
  }
  return cluster_of(nodes);
}

Kind const& drawn(Chance& chance) {
  auto left = chance.unit();
  for (auto const& kind : kinds)
    if ((left -= kind.share) < 0) return kind;
  return kinds.back();
}

// Until as much has arrived as there is; what fits nowhere is dropped.
double unallocated_percent(Cluster& cluster, Placer& placer, std::uint64_t seed) {
  Chance chance(seed);
  auto const all = static_cast<std::int64_t>(cluster.totals().gpu_milli);
  std::uint64_t number = 0;
  for (std::int64_t arrived = 0; arrived < all;) {
    auto const request = request_of(drawn(chance));
    arrived += std::int64_t{request.gpus} * request.gpu_milli;
    auto const found = placer.find(request, default_pool);
    if (!found) continue;
    auto const held = cluster.reserve({"t" + std::to_string(++number)}, found->front());
    EXPECT_TRUE(held.has_value());
  }
  return 100.0 * static_cast<double>(cluster.totals().gpu_milli_free) / static_cast<double>(all);
}

double mean_of(std::string const& policy) {
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto cluster = sixty_nodes();
    RandomFit random(seed);
    auto placer = policy == "random" ? std::make_unique<Placer>(cluster, random, false)
                  : policy == "fgd"  ? std::make_unique<Placer>(cluster, mix_of_kinds(), false,
                                                               PlacementPolicy::fgd)
                                     : std::make_unique<Placer>(cluster, mix_of_kinds(), false);
    sum += unallocated_percent(cluster, *placer, seed) / 5;
  }
  return sum;
}

TEST(Quality, TheDefaultStrandsLessThanFgdAndFgdLessThanChance) {
  auto const random = mean_of("random"), fgd = mean_of("fgd"), ours = mean_of("ours");
  std::printf("unallocated: random %.2f %%, FGD %.2f %%, ours %.2f %%\n", random, fgd, ours);
  EXPECT_LT(ours, fgd);
  EXPECT_LT(fgd, random);
}

}  // namespace
}  // namespace lepton::deployer
