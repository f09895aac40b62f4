// Another size for queued and running work.

#include "schemas/resize.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TaskSize before{1'000, 512}, wider{3'000, 512}, narrower{500, 256};

class ResizeTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  Result<JobResized> resize(std::string const& job, TaskSize size) {
    return ask(JobResize{JobId{job}, size}, ann);
  }
  AttemptId running(std::string const& job = "job-1", JobSpec const& s = spec()) {
    EXPECT_TRUE(submit(job, s));
    return run_on(n1);
  }
  // What the node is told, but for the tickets.
  std::map<AttemptId, TaskSize> sizes_told(FakeNode& node) { return sizes(orders(node)); }
  static std::map<AttemptId, TaskSize> sizes(NodeOrders const& orders) {
    std::map<AttemptId, TaskSize> sizes;
    for (auto const& order : orders.sizes) sizes.emplace(order.attempt, order.size);
    return sizes;
  }
  // Hears of the order, and answers it with the next sync.
  void agrees(FakeNode& node, AttemptId const& attempt, TaskSize size) {
    node.reports.at(attempt).size = {size, {}, "", ticket(node, attempt)};
  }
  void refuses(FakeNode& node, AttemptId const& attempt, TaskSize size) {
    node.reports.at(attempt).size = {{}, size, "400 MiB are in use", ticket(node, attempt)};
  }
  std::uint64_t ticket(FakeNode& node, AttemptId const& attempt) {
    for (auto const& order : orders(node).sizes)
      if (order.attempt == attempt) return order.ticket;
    ADD_FAILURE() << node.name << " was told no size for " << attempt.value;
    return 0;
  }
  TaskSize held(AttemptId const& attempt) {
    auto const* a = actor().cluster().held(attempt);
    return a == nullptr ? TaskSize{} : size_of(*a);
  }
  TaskSize shown(std::string const& job) { return size_of(view(job).spec.resources); }
};

TEST_F(ResizeTest, TheLargerSizeIsHeldUntilTheNodeAgrees) {
  auto const attempt = running();
  auto const waiting = park(n1);
  auto const asked = resize("job-1", {3'000, 256});
  ASSERT_TRUE(asked) << asked.error().what;
  EXPECT_TRUE(asked->on_its_way);
  EXPECT_EQ(asked->from, before);
  auto const told = codec::decode<NodeOrders>(answers(waiting).at(0).body);
  EXPECT_EQ(sizes(*told), (std::map<AttemptId, TaskSize>{{attempt, {3'000, 256}}}));
  EXPECT_EQ(held(attempt), (TaskSize{3'000, 512}));
  EXPECT_EQ(orders(n1).sizes.size(), 1u) << "told again until it is reported";
  EXPECT_EQ(shown("job-1"), before);
  EXPECT_NE(view("job-1").resizing.find("to 3 CPU, 256 MiB"), std::string::npos);
  agrees(n1, attempt, {3'000, 256});
  EXPECT_TRUE(orders(n1).sizes.empty());
  EXPECT_EQ(held(attempt), (TaskSize{3'000, 256}));
  EXPECT_EQ(shown("job-1"), (TaskSize{3'000, 256}));
  EXPECT_EQ(view("job-1").resizing, "");
  EXPECT_EQ(actor().ledger().used(PoolId{"default"}, "ann").cpu_milli, 3'000);
  EXPECT_EQ(audited("deployer.job.resized").at(0).outcome, AuditOutcome::done);
  EXPECT_EQ(audited("deployer.job.resize").size(), 1u);
}

TEST_F(ResizeTest, WhatIsGivenBackIsOthersOnlyWhenItIsFree) {
  auto wide = spec("wide", 0);
  wide.resources.cpu_milli = 8'000;
  auto const attempt = running("job-1", wide);
  ASSERT_TRUE(submit("job-2", spec("next", 0)));
  ASSERT_TRUE(resize("job-1", {4'000, 0}));
  EXPECT_TRUE(orders(n1).starts.empty()) << "its task may still use all of it";
  agrees(n1, attempt, {4'000, 512});
  EXPECT_EQ(orders(n1).starts.size(), 1u);
}

TEST_F(ResizeTest, ARefusalKeepsWhatWas) {
  auto const attempt = running();
  ASSERT_TRUE(resize("job-1", narrower));
  orders(n1);
  refuses(n1, attempt, narrower);
  EXPECT_EQ(sizes_told(n1), (std::map<AttemptId, TaskSize>{{attempt, before}}));
  EXPECT_EQ(state("job-1"), "running");
  refuses(n1, attempt, before);
  orders(n1);
  EXPECT_NE(view("job-1").resizing.find("taken back: node n1"), std::string::npos);
  EXPECT_NE(view("job-1").resizing.find("tried again: node n1"), std::string::npos);
  agrees(n1, attempt, before);
  orders(n1);
  EXPECT_EQ(held(attempt), before);
  EXPECT_EQ(shown("job-1"), before);
  EXPECT_NE(view("job-1").why.find("400 MiB are in use"), std::string::npos);
  EXPECT_EQ(audited("deployer.job.resized").at(0).outcome, AuditOutcome::failed);
  ASSERT_TRUE(resize("job-1", narrower)) << "it may be tried again";
  agrees(n1, attempt, narrower);
  orders(n1);
  EXPECT_EQ(shown("job-1"), narrower);
  EXPECT_EQ(view("job-1").why, "");
}

TEST_F(ResizeTest, WithoutRoomNothingChanges) {
  auto const attempt = running();
  auto other = spec("other", 0);
  other.resources.cpu_milli = 6'000;
  ASSERT_TRUE(submit("job-2", other));
  auto const asked = resize("job-1", wider);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, Code::exhausted);
  EXPECT_NE(asked.error().what.find("node n1"), std::string::npos);
  EXPECT_EQ(held(attempt), before);
  EXPECT_EQ(view("job-1").resizing, "");
}

TEST_F(ResizeTest, AGangGrowsWholeOrNotAtAll) {
  orders(n2);
  auto gang = spec("gang", 2);
  gang.nodes = 2;
  ASSERT_TRUE(submit("job-1", gang));
  std::map<AttemptId, FakeNode*> on;
  for (auto* node : {&n1, &n2}) on[run_on(*node)] = node;
  auto beside = spec("beside", 0);
  beside.resources.cpu_milli = 6'000;
  ASSERT_TRUE(submit("job-2", beside));
  EXPECT_EQ(outcome(resize("job-1", wider)), "exhausted");
  for (auto const& [attempt, node] : on) EXPECT_EQ(held(attempt), before);
  ASSERT_TRUE(resize("job-1", {1'500, 0}));
  auto const first = on.begin()->first;
  agrees(*on.at(first), first, {1'500, 512});
  orders(*on.at(first));
  EXPECT_NE(view("job-1").resizing, "") << "the other has not agreed";
  auto const second = on.rbegin()->first;
  agrees(*on.at(second), second, {1'500, 512});
  orders(*on.at(second));
  EXPECT_EQ(view("job-1").resizing, "");
}

// The order to grow is still on its way to n2, and what n2 says was before it.
TEST_F(ResizeTest, WhatWasSaidBeforeItWasTakenBackIsNoAgreement) {
  orders(n2);
  auto gang = spec("gang", 2);
  gang.nodes = 2;
  ASSERT_TRUE(submit("job-1", gang));
  auto const on_1 = run_on(n1), on_2 = run_on(n2);
  for (auto const size : {narrower, before}) {
    ASSERT_TRUE(resize("job-1", size));
    agrees(n1, on_1, size);
    orders(n1);
    agrees(n2, on_2, size);
    orders(n2);
    ASSERT_EQ(shown("job-1"), size);
  }
  ASSERT_TRUE(resize("job-1", wider));
  refuses(n1, on_1, wider);
  orders(n1);
  EXPECT_EQ(held(on_2), wider);
  agrees(n1, on_1, before);
  orders(n1);
  orders(n2);
  EXPECT_EQ(held(on_2), wider) << "it may still take up the larger one";
  agrees(n2, on_2, before);
  orders(n2);
  EXPECT_EQ(held(on_2), before);
  EXPECT_EQ(view("job-1").resizing, "");
}

TEST_F(ResizeTest, ARefusalOfAnEarlierChangeIsNoAnswerToThisOne) {
  auto const attempt = running();
  ASSERT_TRUE(resize("job-1", narrower));
  refuses(n1, attempt, narrower);
  auto const refused = n1.reports.at(attempt).size;
  orders(n1);
  agrees(n1, attempt, before);
  orders(n1);
  ASSERT_TRUE(resize("job-1", narrower));
  n1.reports.at(attempt).size = refused;
  EXPECT_EQ(sizes_told(n1), (std::map<AttemptId, TaskSize>{{attempt, narrower}}));
}

TEST_F(ResizeTest, ARestartGoesOnWithIt) {
  auto const attempt = running();
  ASSERT_TRUE(resize("job-1", wider));
  auto const told = orders(n1).sizes;
  boot();
  EXPECT_EQ(held(attempt), wider);
  EXPECT_EQ(orders(n1).sizes, told) << "what was answered meanwhile counts";
  agrees(n1, attempt, wider);
  orders(n1);
  boot();
  EXPECT_EQ(shown("job-1"), wider);
  EXPECT_EQ(view("job-1").resizing, "");
}

TEST_F(ResizeTest, ARestartGoesOnWithTakingItBack) {
  auto const attempt = running();
  ASSERT_TRUE(resize("job-1", narrower));
  refuses(n1, attempt, narrower);
  auto const told = orders(n1).sizes;
  boot();
  n1.reports.at(attempt).size = {before, {}, "", told.at(0).ticket - 1};
  EXPECT_EQ(orders(n1).sizes, told) << "it may have heard of the first order only";
  agrees(n1, attempt, before);
  orders(n1);
  EXPECT_EQ(held(attempt), before);
  EXPECT_EQ(view("job-1").resizing, "");
}

TEST_F(ResizeTest, TheNextRoundHasTheSizeThatWasWanted) {
  auto s = spec();
  s.retry = {3, true, true, {}, 0};
  auto const attempt = running("job-1", s);
  ASSERT_TRUE(resize("job-1", wider));
  orders(n1);
  end_on(n1, attempt, 1);
  keep({&n1}, 3'000);
  auto const again = orders(n1).starts.at(0);
  EXPECT_EQ(again.allocation.cpu_milli, wider.cpu_milli);
  EXPECT_EQ(audited("deployer.job.resized").size(), 1u);
  EXPECT_EQ(submit("job-1", s)->job.value, "job-1") << "the same submit is still the same job";
}

TEST_F(ResizeTest, AQueuedJobWaitsForItsNewSize) {
  ASSERT_TRUE(submit("job-1", spec("a", 2)));
  auto wide = spec("wide", 0);
  wide.resources.cpu_milli = 8'000;
  ASSERT_TRUE(submit("job-2", wide));
  EXPECT_EQ(state("job-2"), "queued");
  EXPECT_EQ(outcome(resize("job-2", {9'000, 0})), "invalid") << "no node has that";
  auto const asked = resize("job-2", {7'000, 0});
  ASSERT_TRUE(asked) << asked.error().what;
  EXPECT_FALSE(asked->on_its_way);
  EXPECT_EQ(state("job-2"), "starting");
  EXPECT_EQ(shown("job-2").cpu_milli, 7'000);
}

TEST_F(ResizeTest, OnlyOneAtATimeAndOnlyWhatLives) {
  EXPECT_EQ(outcome(resize("job-9", wider)), "not_found");
  auto const attempt = running();
  EXPECT_EQ(outcome(resize("job-1", {})), "conflict");
  EXPECT_EQ(outcome(resize("job-1", {-1, 0})), "invalid");
  EXPECT_EQ(outcome(ask(JobResize{JobId{"job-1"}, wider}, bob)), "denied");
  ASSERT_TRUE(resize("job-1", wider));
  EXPECT_EQ(outcome(resize("job-1", narrower)), "conflict");
  end_on(n1, attempt);
  EXPECT_EQ(outcome(resize("job-1", narrower)), "conflict");
  EXPECT_EQ(view("job-1").resizing, "");
}

TEST_F(ResizeTest, ASimulatedNodeAgreesAtOnce) {
  ASSERT_TRUE(ask(NodeDeclare{PoolId{"sim"}, {{NodeId{"s1"}, capacity()}}}, root));
  auto s = spec();
  s.pool = PoolId{"sim"};
  ASSERT_TRUE(submit("job-1", s));
  advance(10);
  ASSERT_EQ(state("job-1"), "running");
  EXPECT_FALSE(resize("job-1", wider)->on_its_way);
  EXPECT_EQ(shown("job-1"), wider);
}

}  // namespace
}  // namespace lepton::deployer::testing
