// The queue: order, blocked lanes, backoff, and that passing others by is seen.

#include "services/deployer/core/queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

QueuedJob job(std::string name, std::uint64_t order, std::int64_t cpu, std::int32_t priority = 50) {
  QueuedJob j{{std::move(name)}, default_pool, ask_cpu(cpu, 1), 1, priority, order, 0};
  return j;
}

// Places for real and records who was tried.
struct Placer {
  Cluster& cluster;
  std::vector<std::string> tried;

  Queue::Try attempt() {
    return [this](QueuedJob const& j) -> std::optional<Misfit> {
      tried.push_back(j.job.value);
      auto p = place_gang(cluster, j.resources, j.pool, j.tasks);
      if (auto* m = std::get_if<Misfit>(&p)) return *m;
      auto const& members = std::get<std::vector<Allocation>>(p);
      for (std::size_t i = 0; i < members.size(); ++i)
        LEPTON_CHECK(
            cluster.reserve({j.job.value + "-" + std::to_string(i)}, members[i]).has_value(),
            "what was placed can be reserved");
      return std::nullopt;
    };
  }
};

std::vector<std::string> names(std::vector<JobId> const& ids) {
  std::vector<std::string> out;
  for (auto const& id : ids) out.push_back(id.value);
  return out;
}

using Names = std::vector<std::string>;

// Else one that finds no room would hold up others that would.
TEST(Queue, WhateverARuleReadsMakesALaneOfItsOwn) {
  Queue q;
  std::uint64_t order = 0;
  auto const push = [&](std::function<void(QueuedJob&)> const& change) {
    auto j = job("j" + std::to_string(order), order + 1, 1000);
    change(j);
    ASSERT_TRUE(q.push(j));
    ++order;
  };
  push([](QueuedJob&) {});
  push([](QueuedJob&) {});
  EXPECT_EQ(q.lane_count(), 1u);
  push([](QueuedJob& j) { j.resources.bandwidth_mbit = 1; });
  push([](QueuedJob& j) { j.resources.mig_profile = "1g.10gb"; });
  push([](QueuedJob& j) { j.resources.where.max_price_per_hour_micro = 1; });
  push([](QueuedJob& j) { j.resources.where.cheapest = true; });
  push([](QueuedJob& j) { j.resources.where.spot = SpotUse::never; });
  push([](QueuedJob& j) { j.resources.where.one_numa = true; });
  push([](QueuedJob& j) { j.resources.where.limits = {{"latency_ms", 1}}; });
  push([](QueuedJob& j) { j.resources.where.data.name = "web"; });
  push([](QueuedJob& j) { j.resources.where.exposure.weights = {{"internet", 1}}; });
  push([](QueuedJob& j) { j.kin = "array/a"; });
  push([](QueuedJob& j) { j.kin = "array/b"; });
  EXPECT_EQ(q.lane_count(), 12u);
}

TEST(Queue, WhoHasWaitedForLongestWhateverTheOrder) {
  Queue q;
  auto const waits = [&](std::string name, std::uint64_t order, WallMs since, WallMs not_before) {
    auto j = job(std::move(name), order, 1000 * std::int64_t(order), 90 - 10 * int(order));
    j.waits_since_ms = since;
    j.not_before_ms = not_before;
    ASSERT_TRUE(q.push(j));
  };
  waits("again", 1, 30, 0);  // it has run before
  waits("old", 3, 10, 0);
  waits("older", 2, 10, 0);
  waits("backoff", 4, 5, 1'000'000);
  waits("new", 5, 40, 0);
  auto const found = [&](WallMs since, std::size_t limit, std::optional<Queue::Wait> after = {}) {
    Names out;
    for (auto const& j : q.waiting_since(default_pool, since, limit, after))
      out.push_back(j.job.value);
    return out;
  };
  EXPECT_EQ(found(30, 9), (Names{"older", "old", "again"}));
  EXPECT_EQ(found(29, 9), (Names{"older", "old"}));
  EXPECT_EQ(found(40, 2, Queue::Wait{10, 2}), (Names{"old", "again"}));
  EXPECT_EQ(q.pools(), std::vector<PoolId>{default_pool});
  for (auto const* name : {"again", "old", "older", "backoff", "new"}) q.erase({name});
  EXPECT_TRUE(found(100, 9).empty());
  EXPECT_TRUE(q.pools().empty());
}

TEST(Queue, PriorityFirstThenOrder) {
  auto c = cluster_of({node("a", capacity(8000, 8000))});
  Queue q;
  for (auto const& j : {job("late", 9, 1000), job("high", 5, 1001, 90), job("early", 2, 1000),
                        job("low", 1, 1002, 10)})
    ASSERT_TRUE(q.push(j));
  EXPECT_EQ(names(q.head(3)), (Names{"high", "early", "late"}));
  Placer placer{c, {}};
  EXPECT_EQ(names(q.pass(c, 0, 100, placer.attempt()).placed),
            (Names{"high", "early", "late", "low"}));
  EXPECT_EQ(q.size(), 0u);
  EXPECT_EQ(q.lane_count(), 0u);
}

TEST(Queue, APointOfPriorityIsWorthTenMinutesOfAge) {
  auto c = cluster_of({node("a", capacity(64'000, 8000))});
  Queue q;
  auto const came = [&](std::string name, std::uint64_t order, WallMs minute,
                        std::int32_t priority) {
    auto j = job(std::move(name), order, 1000 + static_cast<int>(order), priority);
    j.queued_at_ms = 1'700'000'000'000 + minute * 60'000;
    ASSERT_TRUE(q.push(j));
  };
  came("low", 1, 0, 10);
  came("late_high", 2, 401, 50);
  came("high", 3, 399, 50);
  came("low_too", 4, 399, 10);
  EXPECT_EQ(names(q.head(4)), (Names{"high", "low", "late_high", "low_too"}))
      << "40 points are worth 400 minutes";
}

TEST(Queue, NamesTheFirstOfEachLaneThatIsBlocked) {
  auto c = cluster_of({node("a", capacity(4000, 8000))});
  Queue q;
  for (auto const& j : {job("big", 1, 5000), job("big_too", 2, 5000), job("fits", 3, 1000),
                        job("huge", 4, 9000, 90)})
    ASSERT_TRUE(q.push(j));
  EXPECT_TRUE(q.blocked_heads(10).empty());
  Placer placer{c, {}};
  q.pass(c, 0, 100, placer.attempt());
  Names blocked;
  for (auto const& j : q.blocked_heads(10)) blocked.push_back(j.job.value);
  EXPECT_EQ(blocked, (Names{"huge", "big"}));
  EXPECT_EQ(q.blocked_heads(1).size(), 1u);
}

TEST(Queue, GroupsTakeTurnsAndWithinAGroupTheOrderHolds) {
  auto c = cluster_of({node("a", capacity(6000, 8000))});
  Queue q;
  std::uint64_t order = 0;
  for (std::string const group : {"ann", "ann", "ann", "ann", "bob", "bob", "cid"}) {
    auto j = job(group + std::to_string(order), order + 1, 1000);
    ++order;
    j.group = group;
    ASSERT_TRUE(q.push(j));
  }
  Placer placer{c, {}};
  auto const turn = [&](PoolId const& pool, std::string const& group) {
    EXPECT_EQ(pool, default_pool);
    double held = 0;
    for (auto const& tried : placer.tried) held += tried.starts_with(group) ? 1 : 0;
    return held;
  };
  EXPECT_EQ(names(q.pass(c, 0, 100, placer.attempt(), turn).placed),
            (Names{"ann0", "bob4", "cid6", "ann1", "bob5", "ann2"}));
}

TEST(Queue, AllJobsOfAPoolCanBeTakenOutAndPushedAnew) {
  Queue q;
  auto other = job("other", 3, 1);
  other.pool = {"other"};
  auto late = job("late", 2, 1);
  late.not_before_ms = 1000;
  for (auto const& j : {job("a", 1, 1), late, other}) ASSERT_TRUE(q.push(j));
  auto const taken = q.take(default_pool);
  EXPECT_EQ(taken.size(), 2u);
  EXPECT_EQ(q.size(), 1u);
  for (auto const& j : taken) EXPECT_TRUE(q.push(j));
  EXPECT_EQ(q.next_due_ms(), 1000);
}

TEST(Queue, RefusesTheSameTwice) {
  Queue q;
  ASSERT_TRUE(q.push(job("a", 1, 1)));
  EXPECT_EQ(q.push(job("a", 2, 1)).error().code, Code::conflict);
  EXPECT_EQ(q.push(job("b", 1, 1)).error().code, Code::conflict);
  EXPECT_TRUE(q.erase({"a"}));
  EXPECT_FALSE(q.erase({"a"}));
  EXPECT_TRUE(q.push(job("b", 1, 1)));
}

TEST(Queue, AShapeThatDoesNotFitIsTriedOncePerFreeing) {
  auto c = cluster_of({node("a", capacity(4000, 8000))});
  Queue q;
  for (std::uint64_t i = 1; i <= 1000; ++i)
    ASSERT_TRUE(q.push(job("j" + std::to_string(i), i, 3000)));
  Placer placer{c, {}};
  EXPECT_EQ(q.pass(c, 0, 5000, placer.attempt()).placed.size(), 1u);
  EXPECT_EQ(placer.tried.size(), 2u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(q.pass(c, 0, 5000, placer.attempt()).tried, 0u);
  c.release({"j1-0"});
  EXPECT_EQ(names(q.pass(c, 0, 5000, placer.attempt()).placed), (Names{"j2"}));
  EXPECT_EQ(placer.tried.size(), 4u);
  EXPECT_EQ(q.why({"j900"})->what,
            "no node fits: cpu short on 1 node; nearest: node a lacks 2000 thousandths of a core");
}

TEST(Queue, AFreedPoolDoesNotWakeAnother) {
  auto other = node("b", capacity(1000, 8000));
  other.pool = {"other"};
  auto c = cluster_of({node("a", capacity(1000, 8000)), other});
  must(c.reserve({"x"}, {{"b"}, 1, 1, 0, {}, {}}));
  Queue q;
  ASSERT_TRUE(q.push(job("a", 1, 3000)));
  Placer placer{c, {}};
  EXPECT_EQ(q.pass(c, 0, 10, placer.attempt()).tried, 1u);
  c.release({"x"});
  EXPECT_EQ(q.pass(c, 0, 10, placer.attempt()).tried, 0u);
}

TEST(Queue, SmallerLaterJobsPassAndAreCounted) {
  auto c = cluster_of({node("a", capacity(4000, 8000))});
  must(c.reserve({"x"}, {{"a"}, 1000, 1, 0, {}, {}}));
  Queue q;
  ASSERT_TRUE(q.push(job("large", 2, 4000)));
  ASSERT_TRUE(q.push(job("first", 1, 500)));
  for (std::uint64_t i = 3; i <= 5; ++i) ASSERT_TRUE(q.push(job("s" + std::to_string(i), i, 500)));
  Placer placer{c, {}};
  EXPECT_EQ(names(q.pass(c, 0, 100, placer.attempt()).placed), (Names{"first", "s3", "s4", "s5"}));
  EXPECT_EQ(q.passed_over({"large"}), 3u);
  ASSERT_TRUE(q.push(job("s6", 6, 500)));
  EXPECT_EQ(q.pass(c, 0, 100, placer.attempt()).placed.size(), 1u);
  EXPECT_EQ(q.passed_over({"large"}), 4u);
}

TEST(Queue, ALimitStopsAPassAndTheNextGoesOn) {
  auto c = cluster_of({node("a", capacity(100'000, 8000))});
  Queue q;
  for (std::uint64_t i = 1; i <= 10; ++i)
    ASSERT_TRUE(
        q.push(job("j" + std::to_string(i), i, i <= 5 ? 200'000 + static_cast<int>(i) : 1)));
  Placer placer{c, {}};
  auto const first = q.pass(c, 0, 4, placer.attempt());
  EXPECT_TRUE(first.more);
  EXPECT_TRUE(first.placed.empty());
  auto const second = q.pass(c, 0, 4, placer.attempt());
  EXPECT_EQ(names(second.placed), (Names{"j6", "j7", "j8"}));
  EXPECT_FALSE(q.pass(c, 0, 4, placer.attempt()).more);
}

TEST(Queue, RetriesWaitForTheirInstant) {
  auto c = cluster_of({node("a", capacity(8000, 8000))});
  Queue q;
  auto retry = job("retry", 1, 1);
  retry.not_before_ms = 1000;
  ASSERT_TRUE(q.push(retry));
  ASSERT_TRUE(q.push(job("now", 2, 1)));
  Placer placer{c, {}};
  EXPECT_EQ(q.next_due_ms(), 1000);
  EXPECT_EQ(names(q.pass(c, 999, 10, placer.attempt()).placed), (Names{"now"}));
  EXPECT_EQ(q.why({"retry"}), nullptr);
  EXPECT_EQ(names(q.pass(c, 1000, 10, placer.attempt()).placed), (Names{"retry"}));
  EXPECT_EQ(q.next_due_ms(), std::nullopt);
}

TEST(Queue, ADelayedJobCanBeErased) {
  auto c = cluster_of({node("a", capacity(8000, 8000))});
  Queue q;
  auto retry = job("retry", 1, 1);
  retry.not_before_ms = 1000;
  ASSERT_TRUE(q.push(retry));
  EXPECT_TRUE(q.erase({"retry"}));
  EXPECT_EQ(q.next_due_ms(), std::nullopt);
  Placer placer{c, {}};
  EXPECT_EQ(q.pass(c, 5000, 10, placer.attempt()).tried, 0u);
}

TEST(Queue, AHundredThousandWaitingJobsCostOneTryPerShape) {
  auto c = cluster_of({node("a", capacity(10'000, 1'000'000))});
  must(c.reserve({"x"}, {{"a"}, 9999, 1, 0, {}, {}}));
  Queue q;
  for (std::uint64_t i = 1; i <= 100'000; ++i)
    ASSERT_TRUE(q.push(job("j" + std::to_string(i), i, 100 + static_cast<int>(i % 100))));
  Placer placer{c, {}};
  EXPECT_EQ(q.pass(c, 0, 1'000'000, placer.attempt()).tried, 100u);
  EXPECT_EQ(q.pass(c, 0, 1'000'000, placer.attempt()).tried, 0u);
  EXPECT_EQ(q.head(3), (std::vector<JobId>{{"j1"}, {"j2"}, {"j3"}}));
}

// A pass through lanes does what a walk over all jobs in order would do.
TEST(QueueProperty, LanesDoWhatAFullWalkWouldDo) {
  ASSERT_TRUE(rc::check([] {
    auto const nodes = any_nodes(4);
    auto fast = cluster_of(nodes), slow = cluster_of(nodes);
    Queue q;
    std::vector<QueuedJob> waiting;
    Placer fast_placer{fast, {}}, slow_placer{slow, {}};
    std::vector<std::string> held;
    for (std::uint64_t i = 1; i <= 25; ++i) {
      QueuedJob j{
          {"j" + std::to_string(i)}, default_pool, any_request(), 1, *rc::gen::inRange(1, 4), i, 0};
      j.tasks = static_cast<std::uint32_t>(*rc::gen::inRange(1, 3));
      must(q.push(j));
      waiting.push_back(j);
      std::stable_sort(waiting.begin(), waiting.end(),
                       [](auto const& a, auto const& b) { return a.priority > b.priority; });
      if (!held.empty() && *rc::gen::inRange(0, 2) == 0) {
        for (auto const* m : {"-0", "-1"})
          RC_ASSERT(fast.release({held.back() + m}) == slow.release({held.back() + m}));
        held.pop_back();
      }
      Names expected;
      auto const try_one = slow_placer.attempt();
      std::erase_if(waiting, [&](QueuedJob const& x) {
        auto const placed = !try_one(x);
        if (placed) expected.push_back(x.job.value);
        return placed;
      });
      auto const placed = names(q.pass(fast, 0, 1000, fast_placer.attempt()).placed);
      RC_ASSERT(placed == expected);
      held.insert(held.end(), placed.begin(), placed.end());
      RC_ASSERT(q.size() == waiting.size());
    }
  }));
}

TEST(Queue, ShutHeadsArePresentedInOrderUntilTheirLaneIsOpenedAgain) {
  auto c = cluster_of({node("a", capacity(4000, 100))});
  Placer placer{c, {}};
  Queue q;
  must(q.push(job("large", 1, 8000)));
  must(q.push(job("larger", 2, 9000)));
  must(q.push(job("larger-too", 3, 9000)));
  must(q.push(job("small", 4, 1000)));
  EXPECT_TRUE(q.shut_heads(c, default_pool).empty()) << "none was tried yet";
  EXPECT_EQ(q.place_in_line({"larger-too"}), 2u);
  q.pass(c, 0, 100, placer.attempt());
  auto const shut = q.shut_heads(c, default_pool);
  ASSERT_EQ(shut.size(), 2u);
  EXPECT_EQ(shut[0].job.value, "large");
  EXPECT_EQ(shut[1].job.value, "larger");
  EXPECT_TRUE(Queue::goes_before(shut[0], shut[1]));
  placer.tried.clear();
  q.pass(c, 0, 100, placer.attempt());
  EXPECT_TRUE(placer.tried.empty());
  q.reopen(default_pool);
  q.pass(c, 0, 100, placer.attempt());
  EXPECT_EQ(placer.tried, (std::vector<std::string>{"large", "larger"}));
  EXPECT_EQ(q.place_in_line({"small"}), std::nullopt) << "it was placed";
}

TEST(Queue, TimeLimitsWithinAFactorOfTwoShareALane) {
  EXPECT_EQ(limit_class_of(0), 0u);
  EXPECT_GT(limit_class_of(1), 0u);
  EXPECT_EQ(limit_class_of(40'000), limit_class_of(60'000));
  EXPECT_LT(limit_class_of(60'000), limit_class_of(600'000));
  Queue q;
  auto longer = job("long", 1, 1000), shorter = job("short", 2, 1000), none = job("none", 3, 1000);
  longer.limit_class = limit_class_of(3'600'000);
  shorter.limit_class = limit_class_of(60'000);
  must(q.push(longer));
  must(q.push(shorter));
  must(q.push(none));
  EXPECT_EQ(q.lane_count(), 3u);
}

TEST(Queue, WhatTakesOnlyWhatIsFreeHoldsNobodyUp) {
  auto cluster = cluster_of({node("a", capacity(1'000, 100))});
  Placer placer{cluster, {}};
  Queue q;
  auto spare = job("spare", 1, 2'000);
  spare.spare = true;
  ASSERT_TRUE(q.push(spare));
  ASSERT_TRUE(q.push(job("mine", 2, 2'000)));
  q.pass(cluster, 0, 100, placer.attempt());
  EXPECT_EQ(placer.tried, (Names{"spare", "mine"})) << "a lane of its own";
  auto const blocked = q.blocked_heads(10);
  ASSERT_EQ(blocked.size(), 1u);
  EXPECT_EQ(blocked[0].job.value, "mine") << "nobody gives way to it";
  EXPECT_EQ(q.shut_heads(cluster, default_pool).size(), 1u);
  EXPECT_EQ(q.waiting_since(default_pool, 1, 10, std::nullopt).size(), 1u);
  EXPECT_TRUE(q.erase(JobId{"spare"}));
  EXPECT_TRUE(q.erase(JobId{"mine"}));
}

}  // namespace
}  // namespace lepton::deployer
