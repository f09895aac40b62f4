// The hard rules: what a request may say, and that the table for people is the code that decides.

#include "services/deployer/core/feasible.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Feasible, RefusesRequestsWithoutMeaning) {
  EXPECT_TRUE(check_request(ask_gpus(1, 500)));
  EXPECT_TRUE(check_request(ask_gpus(8)));
  EXPECT_TRUE(check_request(ask_gpus(0, 500)));
  EXPECT_FALSE(check_request(ask_gpus(2, 500)));
  EXPECT_FALSE(check_request(ask_gpus(1, 0)));
  EXPECT_FALSE(check_request(ask_gpus(1, 1001)));
  EXPECT_FALSE(check_request(ask_cpu(-1, 0)));
}

TEST(Feasible, RulesHaveDistinctNames) {
  std::set<std::string_view> names;
  for (auto const& r : rules()) names.insert(r.name);
  EXPECT_EQ(names.size(), rule_count);
}

TEST(FeasibleProperty, TheTableAgreesWithTheDecision) {
  ASSERT_TRUE(rc::check([] {
    auto const c = cluster_of(any_nodes(4));
    auto const r = any_request();
    Ask const ask(c, r, default_pool);
    for (auto const& pool : c.pools())
      for (auto slot : c.pool(pool)) {
        auto const view = now(c.at(slot));
        std::size_t first = 0;
        while (first < rule_count && (rules()[first].wants(ask) <= 0 ||
                                      rules()[first].has(view, ask) >= rules()[first].wants(ask)))
          ++first;
        RC_ASSERT(first == first_rejection(view, ask));
        RC_ASSERT(pool == default_pool || first == 0u);
      }
  }));
}

}  // namespace
}  // namespace lepton::deployer
