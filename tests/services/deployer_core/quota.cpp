// Quotas and fair share: what is owed, what is borrowed, whose turn it is.

#include "services/deployer/core/quota.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

Usage gpus(std::int64_t count, std::int64_t cpu = 1000) {
  return {cpu, 1000, count * 1000};
}

Totals pool_of(std::int64_t cpu, std::int64_t memory, std::int64_t gpu) {
  Totals t;
  t.cpu_milli = cpu;
  t.memory_mib = memory;
  t.gpu_milli = gpu;
  return t;
}

struct Within {
  char const* name;
  Quota quota;
  Usage used, more;
  bool is_within;
};
class WithinTest : public testing::TestWithParam<Within> {};
TEST_P(WithinTest, SaysWhatIsOwed) {
  auto const& p = GetParam();
  EXPECT_EQ(within(p.quota, p.used, p.more), p.is_within);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, WithinTest,
    testing::Values(Within{"to_the_last", {4000}, gpus(3), gpus(1), true},
                    Within{"one_more", {4000}, gpus(4), gpus(1), false},
                    Within{"nothing_owed", {}, {}, gpus(1), false},
                    Within{"cpu_is_not_counted_beside_gpus", {4000}, {}, gpus(1, 99'000), true},
                    Within{
                        "cpu_is_counted_where_it_is_owed", {4000, 8000}, {}, gpus(1, 9000), false},
                    Within{"cpu_only_is_not_owed_by_gpus", {4000}, {}, {1, 1, 0}, false},
                    Within{"cpu_only", {0, 8000}, {7000, 1, 0}, {1000, 1, 0}, true}),
    [](auto const& tested) { return std::string(tested.param.name); });

TEST(Ledger, WhoHasLessThanIsOwedGoesFirst) {
  Ledger l;
  PoolId const pool{"p"};
  auto const all = pool_of(100'000, 100'000, 10'000);
  EXPECT_FALSE(l.has_quotas(pool));
  l.set(pool, "ann", {4000});
  l.set(pool, "bob", {2000});
  l.add(pool, "ann", gpus(2));
  l.add(pool, "bob", gpus(3));
  EXPECT_LT(l.turn(pool, "ann", all), 0);
  EXPECT_GE(l.turn(pool, "bob", all), 0);
  EXPECT_EQ(l.turn(pool, "cid", all), 0) << "owed nothing, but has nothing";
  l.add(pool, "ann", gpus(2));
  EXPECT_GT(l.turn(pool, "ann", all), l.turn(pool, "bob", all)) << "0.4 of the pool against 0.3";
  EXPECT_TRUE(l.erase(pool, "ann"));
  EXPECT_FALSE(l.erase(pool, "ann"));
  EXPECT_EQ(l.used(pool, "ann"), (Usage{2000, 2000, 4000})) << "use goes on";
  l.subtract(pool, "ann", {2000, 2000, 4000});
  EXPECT_EQ(l.used(pool, "ann"), Usage{});
  EXPECT_TRUE(l.has_quotas(pool));
  EXPECT_TRUE(l.erase(pool, "bob"));
  EXPECT_FALSE(l.has_quotas(pool));
}

TEST(Ledger, ALimitIsNamedWithWhatWouldHelp) {
  Ledger l;
  PoolId const pool{"p"};
  l.set(pool, "ann", {4000, 0, 6000});
  l.add(pool, "ann", gpus(5));
  EXPECT_EQ(l.beyond_limit(pool, "ann", gpus(1)), std::nullopt);
  EXPECT_EQ(*l.beyond_limit(pool, "ann", gpus(2)),
            "ann uses 5 of at most 6 GPUs in pool 'p', and this job asks for 2; it starts when "
            "other work of ann has ended, or after `lepton quota set`");
  EXPECT_EQ(l.beyond_limit(pool, "ann", {99'000, 1, 0}), std::nullopt) << "no GPU";
  EXPECT_EQ(l.beyond_limit(pool, "bob", gpus(99)), std::nullopt);
}

// The example of the paper: 9 CPUs and 18 GB; a task of A takes 1 CPU and 4 GB, one of B 3 CPUs
// and 1 GB. DRF gives A three tasks and B two.
TEST(Ledger, TheDominantResourceDecides) {
  Ledger l;
  PoolId const pool{"p"};
  auto const all = pool_of(9'000, 18'000, 0);
  Usage const a{1'000, 4'000, 0}, b{3'000, 1'000, 0};
  Usage free{9'000, 18'000, 0};
  int tasks_a = 0, tasks_b = 0;
  for (;;) {
    auto const first = l.turn(pool, "a", all) <= l.turn(pool, "b", all);
    auto const& more = first ? a : b;
    if (free.cpu_milli < more.cpu_milli || free.memory_mib < more.memory_mib) break;
    free.add(more, -1);
    l.add(pool, first ? "a" : "b", more);
    ++(first ? tasks_a : tasks_b);
  }
  EXPECT_EQ(tasks_a, 3);
  EXPECT_EQ(tasks_b, 2);
}

TEST(Borrowed, TheLeastImportantAndNewestWorkIsBorrowed) {
  std::vector<OwnedWork> const work{
      {50, 1, gpus(2)}, {50, 3, gpus(2)}, {10, 0, gpus(1)}, {90, 9, gpus(1)}};
  EXPECT_EQ(borrowed({4000}, work), (std::vector<bool>{false, true, false, false}))
      << "90 first, then the older one of 50; what still fits is owed, too";
  EXPECT_EQ(borrowed({}, work), (std::vector<bool>{true, true, true, true}));
  EXPECT_EQ(borrowed({6000}, work), (std::vector<bool>(4, false)));
}

// With equal weights and work without end nobody is ever more than one task ahead of another.
TEST(LedgerProperty, SharesStayWithinOneTask) {
  ASSERT_TRUE(rc::check([] {
    Ledger l;
    PoolId const pool{"p"};
    auto const owners = static_cast<std::size_t>(*rc::gen::inRange(2, 5));
    std::vector<Usage> task;
    std::vector<std::uint32_t> weight;
    auto const all = pool_of(100'000, 100'000, 100'000);
    for (std::size_t i = 0; i < owners; ++i) {
      task.push_back({*rc::gen::inRange(1, 4) * 1000, *rc::gen::inRange(1, 4) * 1000,
                      *rc::gen::inRange(1, 4) * 1000});
      weight.push_back(static_cast<std::uint32_t>(*rc::gen::inRange(1, 4)));
      l.set(pool, std::to_string(i), {0, 0, 0, weight.back()});
    }
    auto const turn = [&](std::size_t i) { return l.turn(pool, std::to_string(i), all); };
    auto const step = [&](std::size_t i) {
      auto const& t = task[i];
      return static_cast<double>(std::max({t.cpu_milli, t.memory_mib, t.gpu_milli})) / 100'000 /
             weight[i];
    };
    for (int n = 0; n < 60; ++n) {
      std::size_t next = 0;
      for (std::size_t i = 1; i < owners; ++i)
        if (turn(i) < turn(next)) next = i;
      l.add(pool, std::to_string(next), task[next]);
      for (std::size_t i = 0; i < owners; ++i)
        for (std::size_t k = 0; k < owners; ++k) RC_ASSERT(turn(i) <= turn(k) + step(i) + 1e-9);
    }
  }));
}

// What is owed is never more than the quota, and stopping all that is borrowed harms nobody's due.
TEST(BorrowedProperty, WhatIsNotBorrowedFitsTheQuota) {
  ASSERT_TRUE(rc::check([] {
    Quota const quota{*rc::gen::inRange(0, 9) * 1000, *rc::gen::element<std::int64_t>(0, 4000)};
    std::vector<OwnedWork> work;
    for (auto n = *rc::gen::inRange(0, 8); n > 0; --n)
      work.push_back({*rc::gen::inRange(0, 3), *rc::gen::inRange(0, 9),
                      gpus(*rc::gen::inRange(0, 4), *rc::gen::inRange(1, 3) * 1000)});
    auto const lent = borrowed(quota, work);
    Usage owed;
    for (std::size_t i = 0; i < work.size(); ++i)
      if (!lent[i]) owed.add(work[i].usage);
    RC_ASSERT(owed.gpu_milli <= quota.gpu_milli);
    for (std::size_t i = 0; i < work.size(); ++i)
      if (lent[i]) RC_ASSERT(!within(quota, owed, work[i].usage));
  }));
}

}  // namespace
}  // namespace lepton::deployer
