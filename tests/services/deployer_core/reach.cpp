// Latency and other limits of labels, data that is elsewhere, and exposure: tables, and what a
// person is told.

#include "services/deployer/core/reach.hpp"

#include <gtest/gtest.h>

#include "services/deployer/core/explain.hpp"
#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

TEST(Milli, IsAPlainNumberWithAtMostThreeDecimals) {
  struct Row {
    char const* text;
    std::optional<std::int64_t> milli;
  };
  for (auto const& [text, milli] : std::initializer_list<Row>{{"0", 0},
                                                              {"20", 20'000},
                                                              {"0.3", 300},
                                                              {"12.345", 12'345},
                                                              {"007", 7'000},
                                                              {"999999999", 999'999'999'000},
                                                              {"1234567890", {}},
                                                              {"0.1234", {}},
                                                              {"1.", {}},
                                                              {".5", {}},
                                                              {"-1", {}},
                                                              {"1e3", {}},
                                                              {" 1", {}},
                                                              {"", {}}})
    EXPECT_EQ(milli_of(text), milli) << text;
}

TEST(Reach, ALimitIsMetByANumberOnly) {
  LabelLimit const limit{"latency_ms", 20'000};
  EXPECT_TRUE(within(limit, {{"latency_ms", "20"}}));
  EXPECT_FALSE(within(limit, {{"latency_ms", "20.001"}}));
  EXPECT_FALSE(within(limit, {{"latency_ms", "low"}}));
  EXPECT_FALSE(within(limit, {})) << "who says nothing is not near";
}

TEST(Reach, FetchingTakesAsLongAsTheNetworkNeeds) {
  DataNeed const data{"imagenet", 150 * 1'024, 3'600'000};
  EXPECT_EQ(transfer_ms(data, {{"data/imagenet", ""}}, 0), 0);
  EXPECT_EQ(transfer_ms(data, {}, 1'000), 1'288'491);  // 150 GiB at 1 Gbit/s: 21 min 28 s
  EXPECT_FALSE(transfer_ms(data, {}, 0)) << "nobody knows how fast its network is";
  EXPECT_TRUE(arrives_in_time(data, {}, 1'000));
  EXPECT_FALSE(arrives_in_time(data, {}, 100));
  EXPECT_FALSE(arrives_in_time(data, {}, 0));
  EXPECT_TRUE(arrives_in_time({"imagenet", 0, 0}, {}, 0)) << "any time will do";
}

// The sum of alpha_i P_i of the design documents.
TEST(Reach, ExposureIsTheWeightedSum) {
  ExposureLimit const e{{{"internet", 600}, {"tenants", 400}}, 300};
  EXPECT_EQ(exposure_micro(e, {{"exposure/internet", "0.1"}, {"exposure/tenants", "0.5"}}),
            260'000);
  EXPECT_EQ(exposure_micro(e, {{"exposure/internet", "0"}, {"exposure/tenants", "0"}}), 0);
  EXPECT_EQ(exposure_micro(e, {{"exposure/internet", "0"}}), 400'000)
      << "not known counts as certain";
  EXPECT_EQ(exposure_micro(e, {}), 1'000'000);
  EXPECT_EQ(exposure_micro(e, {{"exposure/internet", "7"}, {"exposure/tenants", "0"}}), 600'000);
}

TEST(Reach, SmallExposuresAreNotRoundedAway) {
  ExposureLimit const e{{{"a", 1}, {"b", 1}}, 1};
  Labels const tenth{{"exposure/a", "0.1"}, {"exposure/b", "0.1"}};
  EXPECT_EQ(exposure_micro(e, tenth), 200);
  EXPECT_FALSE(exposed_too_much(e, tenth));
  EXPECT_FALSE(exposed_too_much({{{"a", 1'000}}, 100}, tenth)) << "exactly as much as it may";
  EXPECT_TRUE(exposed_too_much({{{"a", 1'000}}, 99}, tenth));
}

TEST(Reach, WhatMeansNothingIsRefusedWithItsField) {
  auto const refusal = [](auto change) {
    Constraints c;
    change(c);
    auto const good = check_reach(c);
    return good ? std::string("ok") : good.error().what.substr(0, good.error().what.find(':'));
  };
  EXPECT_EQ(refusal([](Constraints&) {}), "ok");
  EXPECT_EQ(refusal([](auto& c) { c.limits = {{"a b", 1}}; }), "limits");
  EXPECT_EQ(refusal([](auto& c) { c.limits = {{"a", -1}}; }), "limits");
  EXPECT_EQ(refusal([](auto& c) { c.limits.assign(17, {"a", 1}); }), "limits");
  EXPECT_EQ(refusal([](auto& c) { c.data = {"", 1, 0}; }), "data.name");
  EXPECT_EQ(refusal([](auto& c) { c.data = {"a b", 0, 0}; }), "data.name");
  EXPECT_EQ(refusal([](auto& c) { c.data = {"a", 0, 1}; }), "data.size");
  EXPECT_EQ(refusal([](auto& c) { c.data = {"a", -1, 0}; }), "data.size");
  EXPECT_EQ(refusal([](auto& c) { c.data = {"a", 1, -1}; }), "data.within");
  EXPECT_EQ(refusal([](auto& c) { c.exposure = {{}, 1}; }), "exposure.weights");
  EXPECT_EQ(refusal([](auto& c) { c.exposure = {{{"a", 1'001}}, 1}; }), "exposure.weights");
  EXPECT_EQ(refusal([](auto& c) { c.exposure = {{{"", 1}}, 1}; }), "exposure.weights");
  EXPECT_EQ(refusal([](auto& c) { c.exposure = {{{"a", 1}}, -1}; }), "exposure.most");
}

NodeSpec labelled(std::string const& id, Labels labels, std::int64_t network_mbit) {
  auto n = node(id, capacity(16'000, 65'536, 1));
  n.labels = std::move(labels);
  n.capacity.bandwidth_mbit = network_mbit;
  return n;
}

Cluster three_sites() {
  return cluster_of(
      {labelled("near", {{"latency_ms", "5"}, {"exposure/internet", "0.9"}}, 1'000),
       labelled("far", {{"latency_ms", "80"}, {"exposure/internet", "0.1"}, {"data/web", ""}},
                10'000),
       labelled("silent", {}, 0)});
}

std::string where_is(ResourceRequest const& r) {
  auto const c = three_sites();
  auto const placed = place(c, r, default_pool);
  if (auto const* found = std::get_if<Allocation>(&placed)) return found->node.value;
  return std::get<Misfit>(placed).what;
}

TEST(Reach, EachRuleKeepsWorkAwayAndSaysWhy) {
  auto r = ask_gpus(1);
  r.where.limits = {{"latency_ms", 20'000}};
  EXPECT_EQ(where_is(r), "near");
  r.where.limits = {{"latency_ms", 1'000}};
  EXPECT_EQ(where_is(r), "no node of pool 'default' is within latency_ms 1");
  r.where.limits.clear();
  r.where.exposure = {{{"internet", 1'000}}, 300};
  EXPECT_EQ(where_is(r), "far");
  r.where.exposure.most_milli = 50;
  EXPECT_EQ(where_is(r), "no node of pool 'default' is exposed so little");
  r.where.exposure = {};
  r.where.data = {"web", 1'024 * 1'024, 60'000};
  EXPECT_EQ(where_is(r), "far") << "an hour and more elsewhere";
  r.where.data.name = "news";
  EXPECT_EQ(where_is(r), "no node of pool 'default' has news, or can fetch it in time");
}

TEST(Reach, WorkGoesWhereItsDataIs) {
  auto r = ask_gpus(1);
  r.where.data = {"web", 0, 0};
  EXPECT_EQ(where_is(r), "far");
  r.where.preferences = {{"latency_ms", {"5"}, false}};
  EXPECT_EQ(where_is(r), "near") << "what is said first weighs more";
}

TEST(Reach, TheExplanationShowsFiguresAndWeights) {
  Labels const labels{{"latency_ms", "35"}, {"exposure/internet", "0.9"}};
  Constraints c;
  c.limits = {{"latency_ms", 20'000}, {"pue", 1'200}};
  EXPECT_EQ(limits_in_words(c, labels), "has latency_ms 35, more than 20 and does not say its pue");
  EXPECT_EQ(exposure_in_words({{{"internet", 600}, {"tenants", 400}}, 300}, labels),
            "is exposed by 0.94 (internet 0.6 x 0.9 + tenants 0.4 x 1), more than 0.3");
  EXPECT_EQ(transfer_in_words({"web", 1'024, 1'000}, labels, 1'000),
            "would fetch web in 9 s at 1000 Mbit/s, and has 1 s");
  Constraints large;
  large.limits = {{"x", 1'234'567'000}};
  EXPECT_EQ(limits_in_words(large, {{"x", "1234567.001"}}), "has x 1234567.001, more than 1234567");
  EXPECT_EQ(transfer_in_words({"web", 1'024, 1'000}, labels, 0),
            "has no web, and does not say how fast its network is");
}

}  // namespace
}  // namespace lepton::deployer
