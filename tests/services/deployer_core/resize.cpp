#include "services/deployer/core/resize.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

constexpr TaskSize small{1'000, 512}, large{4'000, 256};
constexpr std::uint64_t ticket = 7;

Resizing growing() {
  return {small, large, false, "", ticket};
}
SizeReport has(TaskSize const& size, std::uint64_t of = ticket) {
  return {size, {}, "", of};
}
SizeReport refuses(TaskSize const& size) {
  return {{}, size, "300 MiB are in use", ticket};
}

TEST(Resize, ZeroKeepsWhatIsAndNonsenseIsRefused) {
  EXPECT_EQ(*meant(small, {2'000, 0}), (TaskSize{2'000, 512}));
  EXPECT_EQ(*meant(small, {0, 64}), (TaskSize{1'000, 64}));
  EXPECT_EQ(meant(small, {}).error().code, Code::conflict);
  EXPECT_EQ(meant(small, small).error().code, Code::conflict);
  EXPECT_EQ(meant(small, {-1, 0}).error().code, Code::invalid);
  EXPECT_EQ(meant(small, {0, 2'000'000'000}).error().code, Code::invalid);
  auto const none = meant({0, 512}, {500, 0});
  EXPECT_EQ(none.error().code, Code::invalid) << "a limit where there was none";
  EXPECT_NE(none.error().what.find("size.cpu_milli"), std::string::npos);
}

TEST(Resize, TheLargerOfBothIsHeldMeanwhile) {
  EXPECT_EQ(larger(small, large), (TaskSize{4'000, 512}));
}

TEST(Resize, OverOnlyWhenAllThatLiveHaveAgreed) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  EXPECT_FALSE(take_size(r, agreed, 0, has(large), "n0"));
  EXPECT_FALSE(is_over(agreed, {0, 1}));
  EXPECT_FALSE(take_size(r, agreed, 1, has(small), "n1")) << "it has not heard of it yet";
  EXPECT_FALSE(is_over(agreed, {0, 1}));
  EXPECT_TRUE(is_over(agreed, {0})) << "the other has ended";
  EXPECT_FALSE(take_size(r, agreed, 1, has(large), "n1"));
  EXPECT_TRUE(is_over(agreed, {0, 1}));
}

TEST(Resize, OneRefusalSendsAllBackAndOnlyOnce) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  take_size(r, agreed, 0, has(large), "n0");
  EXPECT_TRUE(take_size(r, agreed, 1, refuses(large), "n1"));
  EXPECT_EQ(r.why, "node n1: 300 MiB are in use");
  EXPECT_EQ(target(r), small);
  EXPECT_TRUE(agreed.empty()) << "who had agreed must go back, too";
  EXPECT_FALSE(take_size(r, agreed, 1, refuses(large), "n1"));
  EXPECT_FALSE(take_size(r, agreed, 0, has(large), "n0"));
  EXPECT_FALSE(is_over(agreed, {0, 1}));
  take_size(r, agreed, 0, has(small, r.ticket), "n0");
  take_size(r, agreed, 1, has(small, r.ticket), "n1");
  EXPECT_TRUE(is_over(agreed, {0, 1}));
}

TEST(Resize, AnAgreementThatIsGoneCountsNoMore) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  take_size(r, agreed, 0, has(large), "n0");
  take_size(r, agreed, 0, {}, "n0");  // the daemon is new and has heard of nothing
  EXPECT_FALSE(is_over(agreed, {0}));
}

TEST(Resize, TroubleThatPassesIsShownAndNothingIsTakenBack) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  EXPECT_FALSE(take_size(r, agreed, 0, {{}, {}, "Docker does not answer"}, "n0"));
  EXPECT_FALSE(r.back);
  EXPECT_EQ(r.trouble, "node n0: Docker does not answer");
  take_size(r, agreed, 0, has(large), "n0");
  EXPECT_EQ(r.trouble, "");
}

TEST(Resize, WhoRefusedIsSaidWhateverHappensOnTheWayBack) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  EXPECT_TRUE(take_size(r, agreed, 0, refuses(large), "n0"));
  take_size(r, agreed, 1, {{}, {}, "Docker does not answer", ticket}, "n1");
  EXPECT_EQ(r.trouble, "node n1: Docker does not answer");
  EXPECT_FALSE(take_size(r, agreed, 1, {{}, small, "700 MiB are in use", r.ticket}, "n1"));
  EXPECT_EQ(r.trouble, "node n1: 700 MiB are in use");
  EXPECT_EQ(r.why, "node n0: 300 MiB are in use");
  EXPECT_FALSE(is_over(agreed, {1}));
}

TEST(Resize, AnOlderRefusalIsNoAnswer) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  EXPECT_FALSE(take_size(r, agreed, 0, {{}, {9'000, 1}, "too much", ticket - 1}, "n0"));
  EXPECT_FALSE(take_size(r, agreed, 0, {{}, large, "too much", ticket - 1}, "n0"));
  EXPECT_FALSE(r.back);
}

// The order to grow may still be on its way to it, or with its runner.
TEST(Resize, ASizeThatHeldBeforeTheOrderIsNoAgreement) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  EXPECT_TRUE(take_size(r, agreed, 1, refuses(large), "n1"));
  EXPECT_FALSE(take_size(r, agreed, 0, has(small, ticket - 1), "n0"));
  EXPECT_FALSE(take_size(r, agreed, 0, has(small), "n0"));
  EXPECT_FALSE(is_over(agreed, {0}));
  take_size(r, agreed, 0, has(small, r.ticket), "n0");
  EXPECT_TRUE(is_over(agreed, {0}));
}

TEST(Resize, AnOlderNodeIsTakenByTheSizeAlone) {
  auto r = growing();
  std::set<std::uint32_t> agreed;
  take_size(r, agreed, 0, has(large, 0), "n0");
  EXPECT_TRUE(is_over(agreed, {0}));
}

}  // namespace
}  // namespace lepton::deployer
