// The bandit against tables worked out by hand and toy problems; the policies that it chooses
// among.

#include "services/deployer/core/bandit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "services/deployer/core/arms.hpp"
#include "services/deployer/core/placer.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

using Names = std::vector<std::string>;

// Plays the arms in an order that the test knows: one arm only.
TEST(Bandit, BeliefsFollowTheTable) {
  struct Row {
    double reward, count, mean, noise;
  };
  Bandit one({"only"}, 7, {.discount = 0.5, .least_noise = 0.25, .tries = 1});
  // Counts 1, 1.5, 1.75; sums of rewards 4, 2 + 2, 2 + 0; of squares 16, 8 + 4, 6 + 0. Less than
  // one degree of freedom counts as one.
  for (auto const& row : {Row{4, 1, 4, 0.25}, Row{2, 1.5, 4 / 1.5, std::sqrt(12 - 16 / 1.5)},
                          Row{0, 1.75, 2 / 1.75, std::sqrt(6 - 4 / 1.75)}}) {
    one.end_epoch(row.reward);
    EXPECT_DOUBLE_EQ(one.belief(0).count, row.count);
    EXPECT_DOUBLE_EQ(one.belief(0).mean, row.mean);
    EXPECT_DOUBLE_EQ(one.noise(), row.noise);
  }
  EXPECT_EQ(one.epochs(), 3u);
}

TEST(Bandit, NoiseIsTheSpreadWithinArms) {
  Bandit two({"a", "b"}, 3, {.discount = 1, .tries = 2});
  for (int i = 0; i < 4; ++i) {  // a gets 10 and 12, b 0 and 2
    auto const base = two.chosen() == 0 ? 10.0 : 0.0;
    two.end_epoch(base + 2 * two.belief(two.chosen()).count);
  }
  EXPECT_DOUBLE_EQ(two.belief(0).mean, 11);
  EXPECT_DOUBLE_EQ(two.belief(1).mean, 1);
  EXPECT_DOUBLE_EQ(two.noise(), std::sqrt(4.0 / 2)) << "four squares of one, two free";
  EXPECT_EQ(two.chosen(), 0u) << "ten apart, at a noise of 1.4";
}

TEST(Bandit, EveryArmIsTriedFirst) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Bandit bandit({"a", "b", "c"}, seed, {.tries = 2});
    std::vector<int> times(3);
    for (int i = 0; i < 6; ++i) {
      ++times[bandit.chosen()];
      EXPECT_LE(*std::max_element(times.begin(), times.end()), i / 3 + 1) << "round by round";
      bandit.end_epoch(bandit.chosen() == 0 ? 100 : 0);
    }
    EXPECT_EQ(times, (std::vector<int>{2, 2, 2}));
  }
}

// What is lost in so many epochs against the best arm of each, in the mean over seeds.
double regret(std::vector<std::function<double(int)>> const& means, double noise, int epochs,
              std::uint64_t seeds) {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Names names;
    for (std::size_t i = 0; i < means.size(); ++i) names.push_back(std::to_string(i));
    Bandit bandit(names, seed);
    Chance chance(seed + 1000);
    for (int t = 0; t < epochs; ++t) {
      double best = means[0](t);
      for (auto const& mean : means) best = std::max(best, mean(t));
      auto const mean = means[bandit.chosen()](t);
      sum += best - mean;
      bandit.end_epoch(mean + noise * (chance.unit() * 2 - 1) * std::sqrt(3.0));
    }
  }
  return sum / static_cast<double>(seeds);
}

std::function<double(int)> always(double mean) {
  return [mean](int) { return mean; };
}

// A memory of 100 epochs keeps trying each of the others some ten times in it: an eighth of what
// choosing blindly would lose, which is 0.075 an epoch here.
TEST(Bandit, FindsTheBestArmOfAStationaryProblem) {
  constexpr int epochs = 2000;
  auto const lost =
      regret({always(-0.1), always(-0.2), always(-0.2), always(-0.2)}, 0.1, epochs, 20);
  EXPECT_LT(lost, 0.075 * epochs / 4);
  EXPECT_GT(lost, 0) << "nobody knows at once";
}

TEST(Bandit, ChangesItsMindWhenTheBestArmChanges) {
  auto const first = [](int t) { return t < 500 ? 0.0 : -0.4; };
  auto const second = [](int t) { return t < 500 ? -0.4 : 0.0; };
  EXPECT_LT(regret({first, second, always(-0.3)}, 0.1, 1000, 20), 0.2 * 1000 / 4);
}

TEST(Bandit, RewardsInAnyUnitGiveTheSameChoices) {
  Bandit small({"a", "b"}, 5, {.least_noise = 1e-6}), large({"a", "b"}, 5, {.least_noise = 1e-3});
  Chance chance(9);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(small.chosen(), large.chosen());
    auto const reward = chance.unit() + (small.chosen() == 0 ? 0.2 : 0);
    small.end_epoch(reward);
    large.end_epoch(reward * 1000);
  }
}

TEST(BanditProperty, AnyRewardsChooseAKnownArmAndTheSameOnesAgain) {
  ASSERT_TRUE(rc::check([] {
    Names names;
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) names.push_back("arm" + std::to_string(i));
    auto const seed = *rc::gen::arbitrary<std::uint64_t>();
    Bandit::Settings const settings{.discount = *rc::gen::element(0.5, 0.9, 0.99, 1.0)};
    Bandit one(names, seed, settings), same(names, seed, settings);
    for (int i = *rc::gen::inRange(0, 60); i > 0; --i) {
      RC_ASSERT(one.chosen() < names.size());
      RC_ASSERT(one.chosen() == same.chosen());
      auto const reward = *rc::gen::element(-8.0, -0.3, 0.0, 0.0, 1e-9, 8.0);
      one.end_epoch(reward);
      same.end_epoch(reward);
      RC_ASSERT(one.noise() > 0);
    }
  }));
}

TEST(Arms, EverySettingHasPoliciesOfItsName) {
  constexpr auto all = enumerators(PlacementPolicy{});
  for (std::size_t i = 1; i < all.size(); ++i) {
    auto const setting = static_cast<PlacementPolicy>(i);
    auto const arms = arms_of(setting);
    for (auto arm : arms) {
      ASSERT_NE(arm, PlacementPolicy::bandit);
      auto const policy = make_policy(arm, unknown_mix(), {"A100"});
      if (is_foresight(arm))
        EXPECT_EQ(policy, nullptr) << "the placer's own";
      else
        EXPECT_EQ(policy->name(), schema::name_of(arm));
    }
    if (setting != PlacementPolicy::bandit)
      EXPECT_EQ(arms, std::vector{setting});
    else
      EXPECT_GT(arms.size(), 1u);
  }
}

TEST(Epoch, ItsRewardIsWhatWasStrandedForEachGpu) {
  Epoch e;
  EXPECT_EQ(e.reward(), 0) << "nothing was placed";
  for (std::uint32_t i = 0; i < Epoch::tasks_enough; ++i) e.add(10, 0);
  EXPECT_FALSE(e.is_over()) << "no GPU was placed";
  e.add(80, 2000);
  EXPECT_TRUE(e.is_over());
  EXPECT_DOUBLE_EQ(e.reward(), -(10.0 * Epoch::tasks_enough + 80) / 2000);
  e.add(1e9, 0);
  EXPECT_EQ(e.reward(), -Epoch::most_stranded);
}

TEST(Epoch, AGangStrandsWhatItsTasksStrandOneAfterAnother) {
  auto c = cluster_of({node("a", capacity(8000, 8000, 2)), node("b", capacity(8000, 8000, 2))});
  Outlook const outlook(unknown_mix(), c.models());
  auto const gang =
      std::get<std::vector<Allocation>>(place_gang(c, ask_gpus(1, 500), default_pool, 3));
  auto const at_once = stranded_by(c, outlook, gang);
  double one_by_one = 0;
  for (std::size_t i = 0; i < gang.size(); ++i) {
    one_by_one += stranded_by(c, outlook, {gang[i]});
    must(c.reserve({"t" + std::to_string(i)}, gang[i]));
  }
  EXPECT_NEAR(at_once, one_by_one, 1e-9);
  EXPECT_EQ(stranded_by(c, outlook, {}), 0);
}

// Enough work for some epochs; what each was placed by.
Names played(std::uint64_t seed, int tasks) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < 40; ++i)
    nodes.push_back(node("n" + std::to_string(i), capacity(64'000, 64'000, 8)));
  auto c = cluster_of(nodes);
  Placer placer(c, PlacementPolicy::bandit, seed);
  Names names;
  for (int i = 0; i < tasks; ++i) {
    auto const request = i % 3 == 0 ? ask_gpus(2) : ask_gpus(1, i % 3 == 1 ? 470 : 1000);
    placer.observe(request, 1);
    auto const found = placer.find(request, default_pool);
    if (!found) break;
    names.emplace_back(placer.policy(default_pool).name());
    placer.placed(*found);
    EXPECT_TRUE(c.reserve({"t" + std::to_string(i)}, found->front()));
  }
  c.check_invariants();
  return names;
}

TEST(PlacerBandit, APolicyStaysForAnEpochAndTheSeedDecides) {
  auto const names = played(1, 230);
  ASSERT_EQ(names.size(), 230u);
  for (std::size_t i = 0; i + Epoch::tasks_enough <= names.size(); i += Epoch::tasks_enough)
    EXPECT_EQ(std::set(names.begin() + static_cast<std::ptrdiff_t>(i),
                       names.begin() + static_cast<std::ptrdiff_t>(i + Epoch::tasks_enough))
                  .size(),
              1u);
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), 4u) << "each is tried";
  EXPECT_EQ(names, played(1, 230));
  EXPECT_NE(names, played(2, 230));
}

TEST(PlacerBandit, QuestionsAloneChangeNothing) {
  auto c = cluster_of({node("a", capacity(64'000, 64'000, 8))});
  Placer placer(c, PlacementPolicy::bandit);
  for (std::uint32_t i = 0; i < 4 * Epoch::tasks_enough; ++i)
    EXPECT_TRUE(placer.find(ask_gpus(1), default_pool));
  EXPECT_EQ(placer.bandit()->epochs(), 0u);
  EXPECT_EQ(Placer(c).bandit(), nullptr);
}

}  // namespace
}  // namespace lepton::deployer
