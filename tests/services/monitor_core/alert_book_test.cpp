// Rules and alerts: each step of an alert's life, and what is no rule.

#include "services/monitor/core/alert_book.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace lepton::monitor {
namespace {

AlertRule hot() {
  AlertRule r;
  r.name = "hot";
  r.series = Series::gpu_temperature_celsius;
  r.threshold = 90;
  r.pending_ms = 10'000;
  r.resolve_ms = 5'000;
  r.summary = "too hot";
  return r;
}

struct Watch {
  AlertBook book;
  AlertRule rule = hot();
  TimeMs now = 0;
  std::vector<AlertChange> told;

  // The same value at each second.
  void see(int seconds, std::optional<double> value, std::string const& part = "gpu") {
    for (int i = 0; i < seconds; ++i) {
      if (auto change = book.see(rule, "n1", part, value, at())) told.push_back(*change);
      now += 1'000;
    }
  }
  Instant at() const { return {now, 1'800'000'000'000 + now}; }
};

TEST(AlertBook, FiresAfterItsTimeAndIsResolvedAfterItsTime) {
  Watch w;
  w.see(100, 90);  // not above
  w.see(10, 91);
  EXPECT_TRUE(w.told.empty());
  EXPECT_EQ(w.book.list(false).size(), 0u);
  ASSERT_EQ(w.book.list(true).size(), 1u);
  EXPECT_EQ(w.book.list(true)[0].state, AlertState::pending);
  w.see(1, 95);
  ASSERT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.told[0], (AlertChange{"hot", "n1", "gpu", 1'800'000'100'000, AlertState::firing,
                                    1'800'000'110'000, 95, 90, AlertSeverity::warning, "too hot"}));
  EXPECT_EQ(w.book.firing("n1"), 1u);
  w.see(5, 80);
  EXPECT_EQ(w.told.size(), 1u);
  w.see(1, 80);
  ASSERT_EQ(w.told.size(), 2u);
  EXPECT_EQ(w.told[1].state, AlertState::resolved);
  EXPECT_EQ(w.told[1].since_ms, w.told[0].since_ms);
  EXPECT_EQ(w.book.size(), 0u);
}

TEST(AlertBook, WhatIsGoodAgainBeforeItFiresIsForgotten) {
  Watch w;
  for (int i = 0; i < 20; ++i) {
    w.see(9, 95);
    w.see(1, 85);
  }
  EXPECT_TRUE(w.told.empty());
  EXPECT_EQ(w.book.size(), 0u);
}

TEST(AlertBook, AFiringAlertThatWaversIsNotResolved) {
  Watch w;
  w.see(11, 95);
  for (int i = 0; i < 20; ++i) {
    w.see(4, 85);
    w.see(1, 95);
  }
  EXPECT_EQ(w.told.size(), 1u);
}

TEST(AlertBook, SilenceIsNoGoodValue) {
  Watch w;
  w.see(5, 95);
  w.see(1, std::nullopt);
  EXPECT_EQ(w.book.size(), 0u);  // pending on nothing
  w.see(11, 95);
  w.see(1'000, std::nullopt);
  EXPECT_EQ(w.told.size(), 1u);
  EXPECT_EQ(w.book.parts("hot", "n1"), std::vector<std::string>{"gpu"});
  auto const ended = w.book.end_node("n1", w.at());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].state, AlertState::resolved);
  EXPECT_EQ(w.book.size(), 0u);
}

TEST(AlertBook, BelowAndAtOnce) {
  Watch w;
  w.rule.side = AlertSide::below;
  w.rule.pending_ms = w.rule.resolve_ms = 0;
  w.see(1, 90);
  EXPECT_TRUE(w.told.empty());
  w.see(1, 89);
  EXPECT_EQ(w.told.size(), 1u);
  w.see(1, 90);
  EXPECT_EQ(w.told.size(), 2u);
}

TEST(AlertBook, PartsAreApartAndARuleEndsAllOfItsOwn) {
  Watch w;
  w.see(11, 95, "a");
  w.see(5, 95, "b");
  EXPECT_EQ(w.book.size(), 2u);
  EXPECT_EQ(w.book.parts("hot", "n1"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(w.book.end_rule("other", w.at()).empty());
  w.see(11, 95, "c");
  EXPECT_EQ(w.book.end_part("hot", "n1", "c", w.at()).size(), 1u);
  EXPECT_EQ(w.book.size(), 2u);
  EXPECT_EQ(w.book.end_rule("hot", w.at()).size(), 1u);  // the pending one ends without a word
  EXPECT_EQ(w.book.size(), 0u);
}

TEST(AlertBook, ARestoredAlertGoesOnFiring) {
  Watch w;
  w.see(11, 95);
  Watch next;
  next.book.restore(w.told[0], next.at());
  next.see(100, 95);
  EXPECT_TRUE(next.told.empty());
  next.see(6, 1);
  ASSERT_EQ(next.told.size(), 1u);
  EXPECT_EQ(next.told[0].since_ms, w.told[0].since_ms);
}

TEST(AlertBook, HasALimit) {
  AlertBook book;
  for (std::size_t i = 0; i < AlertBook::alerts_max + 5; ++i)
    (void)book.see(hot(), "n" + std::to_string(i), "", 95, {});
  EXPECT_EQ(book.size(), AlertBook::alerts_max);
  EXPECT_EQ(book.refused(), 5u);
}

TEST(AlertRules, NamesTheFieldThatIsWrong) {
  auto const why = [](auto change) {
    auto rule = hot();
    change(rule);
    auto const checked = check_rule(rule);
    return checked ? std::string("ok")
                   : checked.error().what.substr(0, checked.error().what.find(':'));
  };
  EXPECT_EQ(why([](AlertRule&) {}), "ok");
  EXPECT_EQ(why([](AlertRule& r) { r.name = "Not A Label"; }), "name");
  EXPECT_EQ(why([](AlertRule& r) { r.series = Series::unknown; }), "series");
  EXPECT_EQ(why([](AlertRule& r) { r.side = AlertSide::unknown; }), "side");
  EXPECT_EQ(why([](AlertRule& r) { r.severity = AlertSeverity::unknown; }), "severity");
  EXPECT_EQ(why([](AlertRule& r) { r.threshold = std::nan(""); }), "threshold");
  EXPECT_EQ(why([](AlertRule& r) { r.summary = std::string(501, 'x'); }), "summary");
}

}  // namespace
}  // namespace lepton::monitor
