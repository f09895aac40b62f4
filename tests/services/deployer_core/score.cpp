// Scores: what each policy prefers, and that GPUs are chosen well within a node.

#include "services/deployer/core/score.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

Verdict scored(Cluster const& c, std::string const& id, ResourceRequest const& r, Policy const& p) {
  Ask const ask(c, r, default_pool);
  auto const& n = *c.find({id});
  return p.judge(n, n.free, ask);
}

TEST(Score, BestFitLikesLessLeftOver) {
  auto const c = cluster_of({node("less", capacity(4000, 4000)), node("cpu", capacity(9000, 4000)),
                             node("memory", capacity(4000, 900'000))});
  auto const r = ask_cpu(1000, 1000);
  auto const best = scored(c, "less", r, best_fit()).score;
  EXPECT_GT(best, scored(c, "cpu", r, best_fit()).score);
  EXPECT_GT(best, scored(c, "memory", r, best_fit()).score);
  auto const& spread = *find_policy("spread");
  EXPECT_LT(scored(c, "less", r, spread).score, scored(c, "cpu", r, spread).score);
}

TEST(Score, NoPolicyPutsCpuWorkOnGpuNodesByChoice) {
  auto const c = cluster_of({node("gpu", capacity(1000, 1000, 1)),
                             node("gpus", capacity(9'000'000, 90'000'000, 8)),
                             node("cpu", capacity(128'000, 1'000'000))});
  for (auto name : policy_names()) {
    auto const& p = *find_policy(name);
    auto const plain = scored(c, "cpu", ask_cpu(1000, 1000), p).score;
    EXPECT_GT(plain, scored(c, "gpu", ask_cpu(1000, 1000), p).score) << name;
    EXPECT_GT(plain, scored(c, "gpus", ask_cpu(1000, 1000), p).score) << name;
  }
}

TEST(Score, AShareTakesTheFullestDeviceThatFits) {
  auto c = cluster_of({node("a", capacity(8000, 8000, 4))});
  must(c.reserve({"x"}, {{"a"}, 0, 0, 0, {{1, 500}, {2, 700}, {3, 900}}, {}}));
  for (auto const& [milli, device, left] :
       std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>{
           {100, 3, 0}, {101, 2, 199}, {301, 1, 199}, {501, 0, 499}}) {
    auto const choice = scored(c, "a", ask_gpus(1, milli), best_fit()).gpus;
    EXPECT_EQ(choice.device, device) << milli;
    EXPECT_EQ(choice.left_milli, left) << milli;
  }
}

TEST(Score, WholeGpusTakeTheWantedThenTheScarcerGroup) {
  auto mixed = node("a", capacity(8000, 8000, 5));
  mixed.capacity.gpus[3].model = mixed.capacity.gpus[4].model = "T4";
  auto const c = cluster_of({mixed});
  auto const& room = c.find({"a"})->free;
  auto const model = [&](ResourceRequest const& r) {
    return c.models()[room.groups()[scored(c, "a", r, best_fit()).gpus.group].model];
  };
  EXPECT_EQ(model(ask_gpus(2)), "T4");
  EXPECT_EQ(model(ask_gpus(3)), "A100");
  EXPECT_EQ(model(ask_gpus(2, 1000, {"A100", "T4"})), "A100");
}

}  // namespace
}  // namespace lepton::deployer
