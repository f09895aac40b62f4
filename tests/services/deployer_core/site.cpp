// Sites by weights: what is lost on one, and that the sum over all tasks is least.

#include "services/deployer/core/site.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "services/deployer/core/choices.hpp"
#include "services/deployer/core/placer.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

NodeSpec site(std::string id, std::uint32_t gpus, std::string performance, std::string availability,
              std::int64_t price) {
  auto spec = node(std::move(id), capacity(64'000, 65'536, gpus));
  spec.labels = {{"performance", std::move(performance)},
                 {"availability", std::move(availability)}};
  spec.capacity.price_per_hour_micro = price * 1'000'000;
  return spec;
}

TEST(Site, IsLostByWhatItLacksAndCosts) {
  SiteWeights const w{500, 300, 200};
  Labels const labels{{"performance", "0.8"}, {"availability", "0.9"}};
  EXPECT_EQ(site_loss_micro(w, labels, 2'000'000), 100'000 + 30'000 + 400'000);
  EXPECT_EQ(site_loss_micro(w, {}, 0), 800'000) << "what nobody says counts as nothing";
  EXPECT_EQ(site_loss_micro(w, {{"performance", "7"}}, 0), 300'000) << "never below 0";
  auto const terms = site_terms(w, labels, 2'000'000);
  ASSERT_EQ(terms.size(), 3u);
  EXPECT_EQ(terms[0].name, "performance");
  EXPECT_DOUBLE_EQ(terms[2].value, 0.4);
  EXPECT_EQ(site_terms({0, 0, 200}, labels, 0).size(), 1u) << "only those that have a weight";
}

TEST(Site, ItsWeightsAreCheckedAndDecideBeforeTheScore) {
  Constraints c;
  c.site = {500, -1, 0};
  EXPECT_FALSE(check_site(c));
  c.site = {500, 0, 0};
  c.cheapest = true;
  EXPECT_FALSE(check_site(c));
  auto const cluster =
      cluster_of({site("fast", 1, "1", "0.9", 9), site("cheap", 1, "0.5", "0.9", 1)});
  auto const best = [&](SiteWeights const& w) {
    auto r = ask_gpus(1);
    r.where.site = w;
    Draft const draft(cluster);
    auto const ranked = ranked_choices(draft, cluster, r, default_pool, best_fit(), {}, 2);
    EXPECT_EQ(ranked.choices.at(0).terms.at(0).unit, "of the site's loss");
    return ranked.choices.at(0).node.value;
  };
  EXPECT_EQ(best({1'000, 0, 0}), "fast");
  EXPECT_EQ(best({1'000, 0, 100}), "cheap") << "0.9 against 0.5 + 0.1";
  EXPECT_EQ(best({0, 0, 1}), "cheap");
}

// Against every way to spread the tasks over the sites.
RC_GTEST_PROP(Site, TheSumOverAllTasksIsLeast, ()) {
  std::vector<NodeSpec> sites;
  std::vector<int> room;
  for (int i = 0; i < 3; ++i) {
    room.push_back(*rc::gen::inRange(0, 4));
    sites.push_back(site("s" + std::to_string(i), static_cast<std::uint32_t>(room.back()),
                         *rc::gen::element<std::string>("0", "0.25", "0.5", "1"),
                         *rc::gen::element<std::string>("0.9", "0.99", "1"),
                         *rc::gen::inRange(0, 5)));
  }
  auto const cluster = cluster_of(sites);
  auto r = ask_gpus(1);
  r.where.site = {*rc::gen::inRange(1, 1'000), *rc::gen::inRange(0, 1'000),
                  *rc::gen::inRange(0, 1'000)};
  auto const loss = [&](int i) {
    auto const& s = cluster.find(sites[static_cast<std::size_t>(i)].id)->spec;
    return site_loss_micro(r.where.site, s.labels, s.capacity.price_per_hour_micro);
  };
  auto const tasks = *rc::gen::inRange(1, 7);
  std::optional<std::int64_t> least;
  for (int a = 0; a <= room[0]; ++a)
    for (int b = 0; b <= room[1]; ++b)
      if (auto const rest = tasks - a - b; rest >= 0 && rest <= room[2]) {
        auto const sum = a * loss(0) + b * loss(1) + rest * loss(2);
        least = std::min(sum, least.value_or(sum));
      }
  Placer placer(cluster);
  auto const places = placer.find(r, default_pool, static_cast<std::uint32_t>(tasks));
  RC_ASSERT(places.has_value() == least.has_value());
  if (!places) return;
  std::int64_t sum = 0;
  for (auto const& place : *places) sum += loss(place.node.value.back() - '0');
  RC_ASSERT(sum == *least);
}

}  // namespace
}  // namespace lepton::deployer
