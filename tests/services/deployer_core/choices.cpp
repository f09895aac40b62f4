// The nodes that fit, ranked: what is shown of them, and in which order.

#include "services/deployer/core/choices.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Choices, TheBestStandFirstAndTheChosenOneIsNeverLeftOut) {
  auto const cluster = cluster_of(
      {node("large", capacity(64'000, 64'000, 8)), node("none", capacity(64'000, 64'000, 0)),
       node("small", capacity(64'000, 64'000, 1)), node("middle", capacity(64'000, 64'000, 4))});
  auto const ranked =
      ranked_choices(Draft(cluster), cluster, ask_gpus(1), default_pool, best_fit(), {"large"}, 1);
  EXPECT_EQ(ranked.nodes_that_fit, 3u);
  ASSERT_EQ(ranked.choices.size(), 2u);
  EXPECT_EQ(ranked.choices[0].node.value, "small");
  EXPECT_EQ(ranked.choices[0].rank, 1u);
  EXPECT_FALSE(ranked.choices[0].chosen);
  EXPECT_FALSE(ranked.choices[0].terms.empty());
  EXPECT_EQ(ranked.choices[1].node.value, "large");
  EXPECT_EQ(ranked.choices[1].rank, 3u);
  EXPECT_TRUE(ranked.choices[1].chosen);
}

TEST(Choices, WhatTheDraftHasTakenIsNotThere) {
  auto const cluster = cluster_of({node("a", capacity(64'000, 64'000, 1))});
  Draft draft(cluster);
  auto const request = ask_gpus(1);
  Ask const ask(cluster, request, default_pool);
  draft.take(0, ask, tightest_gpus(draft.room(0), ask));
  auto const ranked = ranked_choices(draft, cluster, request, default_pool, best_fit(), {}, 5);
  EXPECT_EQ(ranked.nodes_that_fit, 0u);
  EXPECT_TRUE(ranked.choices.empty());
}

}  // namespace
}  // namespace lepton::deployer
