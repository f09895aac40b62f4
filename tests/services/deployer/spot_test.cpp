// Prices and spot nodes through the actor: what a node says of itself decides, an array or a
// service keeps so many off spot nodes, and what keeps work away is named.

#include "tests/services/deployer/services_rig.hpp"

namespace lepton::deployer::testing {
namespace {

class SpotTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.offer.price_per_hour_micro = 4'000'000;
    n2.offer.price_per_hour_micro = 1'500'000;
    n2.offer.spot = true;
    boot();
    orders(n1);
    orders(n2);
  }
  JobSpec cpu(std::string name, SpotUse spot = SpotUse::allowed) {
    auto s = spec(std::move(name), 0);
    s.resources.where.spot = spot;
    return s;
  }
  JobSpec array(std::uint32_t size, std::uint32_t base) {
    auto s = cpu("many", SpotUse::preferred);
    s.array = size;
    s.on_demand_base = base;
    return s;
  }
  std::string where(std::string const& id, JobSpec const& s) {
    auto const got = submit(id, s, ann);
    if (!got) return got.error().what;
    return got->nodes.empty() ? got->why : got->nodes[0].value;
  }
  std::string node_of(std::string const& id) {
    auto const tasks = view(id).tasks;
    return tasks.empty() ? "" : tasks[0].allocation.node.value;
  }
  // Of the array `many` how many stand there.
  int on(FakeNode const& node, std::uint32_t size) {
    int found = 0;
    for (std::uint32_t i = 0; i < size; ++i)
      found += node_of("many-" + std::to_string(i)) == node.name ? 1 : 0;
    return found;
  }
  void end(FakeNode& node, std::string const& job) {
    AttemptId const attempt{job + "-0-1"};
    node.says(attempt, AttemptState::running);
    orders(node);
    end_on(node, attempt);
  }
};

TEST_F(SpotTest, APriceAndTheKindOfANodeDecide) {
  auto cheap = cpu("cheap");
  cheap.resources.where.cheapest = true;
  EXPECT_EQ(where("job-1", cheap), "n2");
  EXPECT_EQ(where("job-2", cpu("safe", SpotUse::never)), "n1");
  EXPECT_EQ(where("job-3", cpu("rough", SpotUse::only)), "n2");
  auto poor = cpu("poor");
  poor.resources.where.max_price_per_hour_micro = 1'000'000;
  EXPECT_EQ(where("job-4", poor),
            "the job can never start here: no node of pool 'default' costs at most 1 an hour");
  boot();
  orders(n1);
  orders(n2);
  EXPECT_EQ(where("job-5", cpu("safe", SpotUse::never)), "n1") << "what a node says is in its row";
  EXPECT_EQ(ask(NodeList{}, root)->nodes[1].capacity.price_per_hour_micro, 1'500'000);
}

TEST_F(SpotTest, AnExplanationCountsTheRuleAndShowsThePrice) {
  ASSERT_TRUE(submit("job-1", spec("wide", 2)));
  ASSERT_TRUE(submit("job-2", spec("wide", 2)));
  auto s = spec("waits", 1);
  s.resources.where.spot = SpotUse::never;
  ASSERT_TRUE(submit("job-3", s));
  auto const e = *ask(JobExplain{JobId{"job-3"}}, ann);
  ASSERT_EQ(e.rejected.size(), 2u);
  EXPECT_EQ(e.rejected[0].rule, "spot");
  EXPECT_EQ(e.rejected[0].phrase, "spot not as asked");
  EXPECT_EQ(e.rejected[1].rule, "gpus");
  auto cheap = cpu("cheap");
  cheap.resources.where.cheapest = true;
  ASSERT_TRUE(submit("job-4", cheap));
  auto const places = *ask(JobExplain{JobId{"job-4"}}, ann);
  ASSERT_EQ(places.choices.size(), 2u);
  EXPECT_EQ(places.choices[0].node.value, "n2");
  EXPECT_EQ(places.choices[0].terms[0].name, "price");
  EXPECT_EQ(places.choices[0].terms[0].value, 1.5);
}

TEST_F(SpotTest, ABaseOfAnArrayStandsBeforeAnyGoesToSpot) {
  ASSERT_TRUE(submit("many", array(5, 2)));
  EXPECT_EQ(on(n1, 5), 2);
  EXPECT_EQ(on(n2, 5), 3);
  EXPECT_EQ(node_of("many-0"), "n1") << "the first ones";
  EXPECT_EQ(node_of("many-1"), "n1");
}

TEST_F(SpotTest, WhatEndsIsMadeUpForByTheNext) {
  ASSERT_TRUE(submit("fill", [&] {
    auto s = cpu("fill", SpotUse::never);
    s.resources.cpu_milli = 7'000;
    return s;
  }()));
  ASSERT_TRUE(submit("many", array(3, 2)));
  EXPECT_EQ(on(n1, 3), 1) << "a node of eight cores";
  EXPECT_EQ(on(n2, 3), 0) << "the base does not stand yet";
  auto const e = *ask(JobExplain{JobId{"many-1"}}, ann);
  ASSERT_EQ(e.rejected.size(), 2u);
  EXPECT_EQ(e.rejected[0].rule, "spot");
  EXPECT_EQ(e.rejected[1].rule, "cpu");
  EXPECT_EQ(where("other", cpu("other")), "n2") << "others of the same request do not wait behind";
  end(n1, "many-0");
  EXPECT_EQ(node_of("many-1"), "n1");
  EXPECT_EQ(on(n2, 3), 0);
  end(n1, "fill");
  EXPECT_EQ(node_of("many-2"), "n1");
}

TEST_F(SpotTest, TheBaseIsCountedAnewAfterARestart) {
  auto s = array(6, 2);
  s.array_parallel = 3;
  ASSERT_TRUE(submit("many", s));
  EXPECT_EQ(on(n1, 6), 2);
  EXPECT_EQ(on(n2, 6), 1);
  boot();
  orders(n1);
  orders(n2);
  end(n2, "many-2");
  EXPECT_EQ(node_of("many-3"), "n2") << "the base stands";
  end(n1, "many-0");
  EXPECT_EQ(node_of("many-4"), "n1") << "one of it has ended";
}

TEST_F(SpotTest, ABaseIsOfArraysAndServices) {
  auto s = cpu("one");
  s.on_demand_base = 1;
  EXPECT_EQ(where("job-1", s),
            "on_demand_base: is of arrays and services; for one job write spot: never");
  s = array(2, 1);
  s.resources.where.spot = SpotUse::only;
  EXPECT_EQ(where("job-2", s).find("on_demand_base: keeps some off spot nodes"), 0u);
}

class SpotServiceTest : public ServicesTest {
 protected:
  void SetUp() override {
    n1.offer.spot = true;
    boot_services();
    beat();
    orders(n2);
  }
  ServiceSpec based(ServiceSpec s, std::uint32_t base) {
    s.task.on_demand_base = base;
    s.task.resources.where.spot = SpotUse::preferred;
    return s;
  }
  // Both nodes run what they are told.
  void both(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      auto const got = orders(n2);
      for (auto const& start : got.starts) n2.says(start.attempt, AttemptState::running);
      for (auto const& stop : got.stops) n2.says(stop.attempt, AttemptState::exited, 143);
      for (auto const& done : got.acknowledged) n2.reports.erase(done);
      for (auto const& probe : got.probes) n2.reports[probe.attempt].readiness = readiness;
      orders(n2);
      live(1);
    }
  }
  int on_demand() {
    int found = 0;
    for (auto const& replica : show().replicas) found += replica.node.value == "n2" ? 1 : 0;
    return found;
  }
};

TEST_F(SpotServiceTest, ReplicasKeepTheirBaseThroughARollout) {
  ASSERT_TRUE(apply(based(web(3), 2)));
  both(3);
  EXPECT_EQ(ready(), 3u);
  EXPECT_EQ(on_demand(), 2);
  ASSERT_TRUE(apply(based(other(3), 2)));
  both(20);
  EXPECT_EQ(ready(), 3u);
  EXPECT_EQ(templates().size(), 1u);
  EXPECT_EQ(on_demand(), 2) << "those of the old template did not count for the new one";
}

}  // namespace
}  // namespace lepton::deployer::testing
