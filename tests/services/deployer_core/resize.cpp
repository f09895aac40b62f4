#include "services/deployer/core/resize.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

constexpr TaskSize small{1'000, 512}, large{4'000, 256};

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
  Resizing r{small, large, false, ""};
  std::set<std::uint32_t> agreed;
  EXPECT_FALSE(take_size(r, agreed, 0, {large, {}, ""}, "n0"));
  EXPECT_FALSE(is_over(agreed, {0, 1}));
  EXPECT_FALSE(take_size(r, agreed, 1, {small, {}, ""}, "n1")) << "it has not heard of it yet";
  EXPECT_FALSE(is_over(agreed, {0, 1}));
  EXPECT_TRUE(is_over(agreed, {0})) << "the other has ended";
  EXPECT_FALSE(take_size(r, agreed, 1, {large, {}, ""}, "n1"));
  EXPECT_TRUE(is_over(agreed, {0, 1}));
}

TEST(Resize, OneRefusalSendsAllBackAndOnlyOnce) {
  Resizing r{small, large, false, ""};
  std::set<std::uint32_t> agreed;
  take_size(r, agreed, 0, {large, {}, ""}, "n0");
  EXPECT_TRUE(take_size(r, agreed, 1, {{}, large, "300 MiB are in use"}, "n1"));
  EXPECT_EQ(r.why, "node n1: 300 MiB are in use");
  EXPECT_EQ(target(r), small);
  EXPECT_TRUE(agreed.empty()) << "who had agreed must go back, too";
  EXPECT_FALSE(take_size(r, agreed, 1, {{}, large, "300 MiB are in use"}, "n1"));
  EXPECT_FALSE(take_size(r, agreed, 0, {large, {}, ""}, "n0"));
  EXPECT_FALSE(is_over(agreed, {0, 1}));
  take_size(r, agreed, 0, {small, {}, ""}, "n0");
  take_size(r, agreed, 1, {small, {}, ""}, "n1");
  EXPECT_TRUE(is_over(agreed, {0, 1}));
}

TEST(Resize, AnAgreementThatIsGoneCountsNoMore) {
  Resizing r{small, large, false, ""};
  std::set<std::uint32_t> agreed;
  take_size(r, agreed, 0, {large, {}, ""}, "n0");
  take_size(r, agreed, 0, {{}, {}, ""}, "n0");  // the daemon is new and has heard of nothing
  EXPECT_FALSE(is_over(agreed, {0}));
}

TEST(Resize, TroubleThatPassesIsShownAndNothingIsTakenBack) {
  Resizing r{small, large, false, ""};
  std::set<std::uint32_t> agreed;
  EXPECT_FALSE(take_size(r, agreed, 0, {{}, {}, "Docker does not answer"}, "n0"));
  EXPECT_FALSE(r.back);
  EXPECT_EQ(r.why, "node n0: Docker does not answer");
}

TEST(Resize, AnOlderRefusalIsNoAnswer) {
  Resizing r{small, large, false, ""};
  std::set<std::uint32_t> agreed;
  EXPECT_FALSE(take_size(r, agreed, 0, {{}, {9'000, 1}, "too much"}, "n0"));
  EXPECT_FALSE(r.back);
}

}  // namespace
}  // namespace lepton::deployer
