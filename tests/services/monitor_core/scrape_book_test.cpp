// When exporters are read, and what becomes of their samples.

#include "services/monitor/core/scrape_book.hpp"

#include <gtest/gtest.h>

namespace lepton::monitor {
namespace {

ScrapeTarget target(std::string name, std::int64_t every_ms = 10'000) {
  return {std::move(name), "http://127.0.0.1:9100/metrics", {"*"}, every_ms, 1'000};
}

struct ScrapeBookTest : testing::Test {
  ScrapeBook book;
  Reading reading(std::string_view page) { return *read_page(target("x"), page); }
  std::vector<std::string> names(std::vector<ScrapeTarget> const& targets) {
    std::vector<std::string> out;
    for (auto const& t : targets) out.push_back(t.name);
    return out;
  }
  std::vector<Measure> answered(std::string_view page, TimeMs now) {
    (void)book.due(now);
    return book.answered("x", reading(page), now, now);
  }
};

using Names = std::vector<std::string>;

TEST_F(ScrapeBookTest, EachIsReadAtItsPaceAndNotTwiceAtOnce) {
  ASSERT_TRUE(book.put(target("x"), 0));
  EXPECT_EQ(names(book.due(0)), Names{"x"});
  EXPECT_EQ(names(book.due(30'000)), Names{}) << "its answer is still out";
  (void)book.answered("x", reading(""), 30'000, 0);
  EXPECT_EQ(names(book.due(30'000)), Names{"x"});
  (void)book.answered("x", reading(""), 30'100, 0);
  EXPECT_EQ(names(book.due(39'999)), Names{});
  EXPECT_EQ(names(book.due(40'000)), Names{"x"});
}

TEST_F(ScrapeBookTest, FewAtOneTimeAndTheOldestFirst) {
  for (auto const* name : {"a", "b", "c"}) ASSERT_TRUE(book.put(target(name), 0));
  EXPECT_EQ(names(book.due(0)), (Names{"a", "b"}));
  (void)book.answered("a", Error{Code::timeout, "slow"}, 5'000, 0);
  EXPECT_EQ(names(book.due(20'000)), Names{"c"}) << "it waits longer than a";
  ASSERT_TRUE(book.remove("b"));
  EXPECT_EQ(names(book.due(20'000)), Names{"a"}) << "b gave its place back";
}

TEST_F(ScrapeBookTest, GaugesAreKeptAsTheyAreAndCountersAsTheirRise) {
  ASSERT_TRUE(book.put(target("x"), 0));
  auto const page = [](int total, int load) {
    return "# TYPE t counter\nt{a=\"1\"} " + std::to_string(total) + "\nload " +
           std::to_string(load) + "\n";
  };
  using M = std::vector<Measure>;
  auto const s = Series::scraped;
  EXPECT_EQ(answered(page(100, 3), 0), (M{{s, "up", 1}, {s, "load", 3}}))
      << "of one look no rate is known";
  EXPECT_EQ(answered(page(150, 4), 10'000),
            (M{{s, "up", 1}, {s, "t{a=\"1\"}", 5}, {s, "load", 4}}));
  EXPECT_EQ(answered(page(20, 4), 20'000), (M{{s, "up", 1}, {s, "load", 4}})) << "begun anew";
  EXPECT_EQ(answered(page(40, 4), 30'000), (M{{s, "up", 1}, {s, "t{a=\"1\"}", 2}, {s, "load", 4}}));
}

TEST_F(ScrapeBookTest, OneThatDoesNotAnswerIsDownAndSaysWhy) {
  ASSERT_TRUE(book.put(target("x"), 0));
  (void)answered("a 1\n", 1'000);
  EXPECT_TRUE(book.find("x")->up);
  EXPECT_EQ(book.steady_ms("x", 5'000), 4'000);
  (void)book.due(11'000);
  auto const down = book.answered("x", Error{Code::unavailable, "not reached"}, 11'000, 0);
  EXPECT_EQ(down, (std::vector<Measure>{{Series::scraped, "up", 0}}));
  EXPECT_FALSE(book.find("x")->up);
  EXPECT_EQ(book.find("x")->trouble, "not reached");
  EXPECT_EQ(book.find("x")->read_at_ms, 1'000);
  EXPECT_EQ(book.steady_ms("x", 12'000), 0);
}

TEST_F(ScrapeBookTest, AnswersThatNobodyWaitsForAreDropped) {
  EXPECT_TRUE(book.answered("x", reading("a 1\n"), 0, 0).empty());
  ASSERT_TRUE(book.put(target("x"), 0));
  EXPECT_TRUE(book.answered("x", reading("a 1\n"), 0, 0).empty());
}

TEST_F(ScrapeBookTest, HasLimits) {
  for (std::size_t i = 0; i < ScrapeBook::targets_max; ++i)
    ASSERT_TRUE(book.put(target("t" + std::to_string(i)), 0));
  EXPECT_EQ(book.put(target("more"), 0).error().code, Code::exhausted);
  EXPECT_TRUE(book.put(target("t0"), 0)) << "a change needs no room";
  std::string page;
  for (std::size_t i = 0; i < scraped_samples_max + 7; ++i)
    page += "a" + std::to_string(i) + " 1\n";
  page += "long{x=\"" + std::string(300, 'y') + "\"} 1\n";
  auto const got = reading(page);
  EXPECT_EQ(got.samples.size(), scraped_samples_max);
  EXPECT_EQ(got.left_out, 8u);
}

TEST(ScrapeTarget, WhatIsNoneIsRefused) {
  EXPECT_TRUE(check_target(target("node-7")));
  auto const refused = [](auto spoil) {
    auto t = target("x");
    spoil(t);
    return !check_target(t);
  };
  EXPECT_TRUE(refused([](auto& t) { t.name = "Not A Label"; }));
  EXPECT_TRUE(refused([](auto& t) { t.url = "https://host/"; }));
  EXPECT_TRUE(refused([](auto& t) { t.url = "file:///etc/passwd"; }));
  EXPECT_TRUE(refused([](auto& t) { t.url = "http://ann:secret@host/"; }));
  EXPECT_TRUE(refused([](auto& t) { t.url = "http://host/a b"; }));
  EXPECT_TRUE(refused([](auto& t) { t.timeout_ms = 20'000; }));
  EXPECT_TRUE(refused([](auto& t) { t.keep.clear(); }));
}

}  // namespace
}  // namespace lepton::monitor
