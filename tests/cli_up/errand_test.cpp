// An errand does not hold up the thread that sends it.

#include "cli/up/errand.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace lepton::cli {
namespace {

TEST(Errand, IsLookedAfterWithoutWaiting) {
  std::promise<int> door;
  auto opens = std::make_shared<std::future<int>>(door.get_future());
  Errand<int> errand;
  EXPECT_FALSE(errand.runs());
  EXPECT_FALSE(errand.result());
  errand.send([opens] { return opens->get(); });
  EXPECT_TRUE(errand.runs());
  EXPECT_FALSE(errand.result()) << "its door is shut";
  door.set_value(7);
  std::optional<int> result;
  while (!result) result = errand.result();
  EXPECT_EQ(result, 7);
  EXPECT_FALSE(errand.runs());
  EXPECT_FALSE(errand.result()) << "once only";
}

}  // namespace
}  // namespace lepton::cli
