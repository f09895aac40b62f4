// One node's room and its ports: taking and giving back, and the sums over its devices.

#include "services/deployer/core/room.hpp"
#include "services/deployer/core/ports.hpp"

#include <gtest/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Room, SumsDevicesOfOneModel) {
  auto c = capacity(1000, 1000, 4);
  c.gpus[2] = {"t", "T4", 16'000};
  c.gpus[3].memory_mib = 80'000;
  Room room(c, {0, 0, 1, 0});
  ASSERT_TRUE(room.take({{}, 0, 0, 0, {{0, 1000}, {1, 300}}, {}}));
  ASSERT_EQ(room.groups().size(), 2u);
  auto const& g = room.groups()[0];
  EXPECT_EQ(g.count, 3u);
  EXPECT_EQ(g.whole_free, 1u);
  EXPECT_EQ(g.best_share, 1000u);
  EXPECT_EQ(g.memory_min_mib, 40'960);
  EXPECT_EQ(g.memory_max_mib, 80'000);
  EXPECT_EQ(room.gpu_milli(), 2700u);
}

TEST(Room, ARefusedTakeChangesNothing) {
  Room room(capacity(1000, 1000, 1), {0});
  EXPECT_FALSE(room.take({{}, 500, 500, 0, {{0, 500}}, {20'000, 1}}));
  EXPECT_EQ(room.cpu_milli(), 1000);
  EXPECT_EQ(room.gpu_milli(), 1000u);
  EXPECT_EQ(room.ports().free(), 100u);
}

TEST(RoomDeath, GivingBackMoreThanWasTakenStopsTheProcess) {
  Room room(capacity(1000, 1000, 1), {0});
  EXPECT_DEATH(room.give({{}, 0, 0, 0, {{0, 1}}, {}}), "more of a GPU is given back");
  EXPECT_DEATH(room.give({{}, 0, 0, 0, {}, {20'000}}), "a port is given back that nobody held");
}

TEST(Ports, LowestFreeSkipsWhatIsUsed) {
  Ports ports(1000, 200);
  for (std::uint32_t p = 1000; p < 1130; ++p) ports.take(p);
  ports.give(1003);
  EXPECT_EQ(ports.lowest_free(3), (std::vector<std::uint32_t>{1003, 1130, 1131}));
  EXPECT_EQ(ports.free(), 71u);
  EXPECT_EQ(ports.counted_used(), 129u);
  EXPECT_EQ(ports.lowest_free(500).size(), 71u);
  EXPECT_FALSE(ports.is_free(999));
  EXPECT_FALSE(ports.is_free(1200));
  EXPECT_TRUE(Ports().lowest_free(1).empty());
}

TEST(PortsDeath, APortIsGivenOutOnce) {
  Ports ports(1000, 2);
  ports.take(1000);
  EXPECT_DEATH(ports.take(1000), "a port is given out twice");
}

TEST(PortsProperty, AgreesWithASet) {
  ASSERT_TRUE(rc::check([] {
    auto const first = static_cast<std::uint32_t>(*rc::gen::inRange(0, 100));
    auto const count = static_cast<std::uint32_t>(*rc::gen::inRange(0, 150));
    Ports ports(first, count);
    std::vector<bool> used(count);
    for (int i = *rc::gen::inRange(0, 200); i > 0 && count > 0; --i) {
      auto const at = static_cast<std::uint32_t>(*rc::gen::inRange(0, static_cast<int>(count)));
      RC_ASSERT(ports.is_free(first + at) == !used[at]);
      used[at] ? ports.give(first + at) : ports.take(first + at);
      used[at] = !used[at];
    }
    std::vector<std::uint32_t> free;
    for (std::uint32_t i = 0; i < count; ++i)
      if (!used[i]) free.push_back(first + i);
    RC_ASSERT(ports.free() == free.size());
    RC_ASSERT(ports.lowest_free(65'536) == free);
  }));
}

}  // namespace
}  // namespace lepton::deployer
