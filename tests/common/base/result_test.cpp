#include "common/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "common/base/id.hpp"
#include "common/base/secret.hpp"

namespace lepton {
namespace {

Result<int> half(int x) {
  if (x % 2 != 0) return Error{Code::invalid, "odd"};
  return x / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  auto const good = half(4), bad = half(3);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 2);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error(), (Error{Code::invalid, "odd"}));
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> r(std::make_unique<int>(5));
  auto const p = std::move(r).value();
  EXPECT_EQ(*p, 5);
}

TEST(Result, StatusIsOkOrAnError) {
  EXPECT_TRUE(ok());
  EXPECT_FALSE(Status(Error{Code::denied, "no"}));
}

TEST(ResultDeath, TheWrongSideStopsTheProcess) {
  EXPECT_DEATH(half(3).value(), "value\\(\\) called on a Result that holds an error");
  EXPECT_DEATH(half(4).error(), "error\\(\\) called on a Result that holds a value");
}

TEST(CheckDeath, SaysWhereAndWhy) {
  EXPECT_DEATH(LEPTON_CHECK(1 == 2, "numbers went wrong"), "result_test.cpp.*numbers went wrong");
}

using AId = Id<struct ATag>;
using BId = Id<struct BTag>;
static_assert(!std::is_convertible_v<AId, BId> && !std::is_constructible_v<AId, BId>);

TEST(Id, ComparesByValue) {
  EXPECT_LT(AId{"a"}, AId{"b"});
  EXPECT_EQ(std::hash<AId>{}(AId{"a"}), std::hash<AId>{}(AId{"a"}));
  EXPECT_TRUE(AId{}.empty());
}

TEST(Secret, IsOverwritten) {
  char memory[8] = "secret!";
  wipe(memory, sizeof memory);
  for (char c : memory) EXPECT_EQ(c, 0);
}

TEST(Secret, MovedFromIsEmpty) {
  Secret<std::string> a("x"), b(std::move(a));
  EXPECT_TRUE(a.empty());  // NOLINT: looking at the moved-from value is the point
  EXPECT_EQ(b.reveal(), "x");
  a = b;
  EXPECT_EQ(a.reveal(), "x");
}

}  // namespace
}  // namespace lepton
