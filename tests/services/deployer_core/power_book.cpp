// Power caps: what domains draw, and what would be too much.

#include "services/deployer/core/power_book.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

PowerDomain const rack{"rack", "r1"};

NodeSpec in_rack(std::string id, std::uint32_t gpus, std::string model = "T4") {
  auto spec = node(std::move(id), capacity(64'000, 65'536, gpus, model));
  spec.labels["rack"] = "r1";
  return spec;
}

Allocation gpus_on(std::string id, std::vector<GpuShare> gpus) {
  return {{std::move(id)}, 100, 100, 0, std::move(gpus), {}};
}

TEST(PowerBook, KnowsWattsByLabelThenByModel) {
  EXPECT_EQ(full_watts(in_rack("a", 1), 0), 70);
  auto labelled = in_rack("a", 1);
  labelled.labels["gpu_watts"] = "55";
  EXPECT_EQ(full_watts(labelled, 0), 55);
  labelled.labels["gpu_watts"] = "much";
  EXPECT_EQ(full_watts(labelled, 0), 70);
}

TEST(PowerBook, AGpuDrawsAllOnceAnyShareIsUsed) {
  auto c = cluster_of({in_rack("a", 2), in_rack("b", 1), node("c", capacity(1'000, 1'024, 4))});
  PowerBook book(c);
  EXPECT_FALSE(book.excess({gpus_on("a", {{0, 1000}, {1, 1000}})})) << "without a cap";
  book.put(rack, 150);
  EXPECT_EQ(book.uses().at(rack).drawn_watts, 3 * 8);
  EXPECT_EQ(book.uses().at(rack).nodes, 2u);
  EXPECT_FALSE(book.excess({gpus_on("a", {{0, 300}, {1, 1000}})}));
  auto const over = book.excess({gpus_on("a", {{0, 1000}, {1, 1000}}), gpus_on("b", {{0, 100}})});
  ASSERT_TRUE(over);
  EXPECT_EQ(over->added_watts, 3 * 62);
  EXPECT_EQ(over->left_watts, 126);
  must(c.reserve({"j"}, gpus_on("a", {{0, 300}, {1, 1000}})));
  EXPECT_EQ(book.uses().at(rack).drawn_watts, 148);
  EXPECT_FALSE(book.excess({gpus_on("a", {{0, 700}})})) << "it draws all already";
  EXPECT_TRUE(book.excess({gpus_on("b", {{0, 100}})}));
  EXPECT_FALSE(book.excess({gpus_on("c", {{0, 1000}, {1, 1000}})})) << "not of the rack";
  c.release({"j"});
  EXPECT_FALSE(book.excess({gpus_on("b", {{0, 100}})}));
  EXPECT_TRUE(book.remove(rack));
  EXPECT_FALSE(book.remove(rack));
  EXPECT_FALSE(book.excess({gpus_on("a", {{0, 1000}, {1, 1000}}), gpus_on("b", {{0, 100}})}));
}

TEST(PowerBook, FollowsLabelsAndNodes) {
  auto c = cluster_of({in_rack("a", 2)});
  PowerBook book(c);
  book.put(rack, 1'000);
  must(c.upsert_node(in_rack("b", 4)));
  EXPECT_EQ(book.uses().at(rack).nodes, 2u);
  auto moved = c.find({"a"})->spec;
  moved.labels["rack"] = "r2";
  must(c.upsert_node(moved));
  EXPECT_EQ(book.uses().at(rack).drawn_watts, 4 * 8);
  must(c.remove_node({"b"}));
  EXPECT_EQ(book.uses().at(rack).drawn_watts, 0);
  EXPECT_EQ(book.uses().at(rack).nodes, 0u);
}

// What it kept up by changes is what it would count anew.
RC_GTEST_PROP(PowerBook, IsNeverBehindTheCluster, ()) {
  auto c =
      cluster_of({in_rack("a", 4), in_rack("b", 2, "A100"), node("c", capacity(9'000, 9'000, 2))});
  PowerBook book(c);
  book.put(rack, 1'000);
  for (int i = *rc::gen::inRange(1, 60); i > 0; --i) {
    auto const attempt = "j" + std::to_string(*rc::gen::inRange(0, 8));
    if (*rc::gen::arbitrary<bool>())
      c.release({attempt});
    else
      (void)c.reserve({attempt}, gpus_on(*rc::gen::element<std::string>("a", "b", "c"),
                                         {{*rc::gen::inRange<std::uint32_t>(0, 4),
                                           *rc::gen::inRange<std::uint32_t>(1, 1001)}}));
    PowerBook anew(c);
    anew.put(rack, 1'000);
    RC_ASSERT(book.uses().at(rack).drawn_watts == anew.uses().at(rack).drawn_watts);
  }
}

}  // namespace
}  // namespace lepton::deployer
