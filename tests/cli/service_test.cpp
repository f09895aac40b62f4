// What a person types for the scaling of a service, and what is shown of it.

#include <gtest/gtest.h>

#include "cli/services/service_commands.hpp"

namespace lepton::cli {
namespace {

TEST(Autoscale, WhatIsTypedBecomesTheRequest) {
  AutoscaleOptions o;
  o.service = "web";
  o.policy = "kpa";
  o.signal = "concurrency";
  o.per_replica = "12.5";
  o.min = 0;
  o.max = 9;
  o.replicas = 2;
  o.up_cooldown = "15s";
  o.down_cooldown = "5m";
  o.zero_after = "1h";
  auto const put = autoscale_request(o);
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(put->service, "web");
  EXPECT_EQ(put->replicas, 2u);
  EXPECT_EQ(
      put->settings,
      (ScaleSettings{
          "kpa", ScaleSignal::concurrency, 12.5, {0, 9, 15'000, 300'000, {}, {}, 3'600'000, 1}}));
}

TEST(Autoscale, WithoutOptionsTheSchemasDefaultsHold) {
  AutoscaleOptions o;
  o.service = "web";
  auto const put = autoscale_request(o);
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(put->settings, ScaleSettings{});
  EXPECT_FALSE(put->replicas);
}

TEST(Autoscale, WrongOptionsAreRefusedByName) {
  struct Case {
    char const* option;
    std::function<void(AutoscaleOptions&)> change;
  };
  for (auto const& [option, change] : std::initializer_list<Case>{
           {"--min", [](auto& o) { o.min = -1; }},
           {"--max", [](auto& o) { o.max = 5'000'000'000; }},
           {"--signal", [](auto& o) { o.signal = "unknown"; }},
           {"--signal", [](auto& o) { o.signal = "gpus"; }},
           {"--per-replica", [](auto& o) { o.per_replica = "0.7x"; }},
           {"--per-replica", [](auto& o) { o.per_replica = ""; }},
           {"--up-cooldown", [](auto& o) { o.up_cooldown = "soon"; }},
           {"--down-cooldown", [](auto& o) { o.down_cooldown = "-1s"; }},
           {"--zero-after", [](auto& o) { o.zero_after = "1"; }},
       }) {
    AutoscaleOptions o;
    change(o);
    auto const put = autoscale_request(o);
    ASSERT_FALSE(put) << option;
    EXPECT_EQ(put.error().code, Code::invalid);
    EXPECT_TRUE(put.error().what.starts_with(option)) << put.error().what;
  }
}

TEST(Autoscale, ANearlyRightSignalIsNamed) {
  AutoscaleOptions o;
  o.signal = "gpuu";
  auto const put = autoscale_request(o);
  ASSERT_FALSE(put);
  EXPECT_NE(put.error().what.find("did you mean 'gpu'"), std::string::npos) << put.error().what;
}

TEST(ServiceViews, AServiceNeverHeardOfSaysSo) {
  ScaledServicePage page{{{"web", {}, 2, 1, std::nullopt}, {"api", {}, 1, 1, 1'000}}, 2};
  auto const text = scaled_table(page, 61'000).text(false);
  EXPECT_NE(text.find("never"), std::string::npos) << text;
  EXPECT_NE(text.find("1m ago"), std::string::npos) << text;
  EXPECT_NE(text.find("hpa at 0.7 cpu per replica"), std::string::npos) << text;
}

TEST(ServiceViews, AnExplanationHasItsReasonAndItsChanges) {
  ScaleDecision d;
  d.service = "web";
  d.number = 7;
  d.policy = "hpa";
  d.before = 1;
  d.wanted = 3;
  d.bound = ScaleBound::maximum;
  d.reason = "2.1 cpu in use";
  ServiceExplanation const told{"web", {}, 3, 1, std::nullopt, d, {d}};
  auto const sheet = explanation_sheet(told, 0).text(false);
  EXPECT_NE(sheet.find("2.1 cpu in use"), std::string::npos) << sheet;
  auto const changes = change_table(told, 0).text(false);
  EXPECT_NE(changes.find("maximum"), std::string::npos) << changes;
}

}  // namespace
}  // namespace lepton::cli
