// What was decided is kept, with its reasons, and can be made again by whoever may read it.

#include "services/deployer/decisions/replayer.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

class DecisionsTest : public DeployerTest {
 protected:
  void SetUp() override {
    boot();
    orders(n1);
  }
  void tick() {
    advance(600);
    orders(n1);
  }
  std::vector<DecisionLine> listed(std::string const& job, As const& who) {
    auto const page = ask(DecisionList{.job = {job}}, who);
    return page ? page->decisions : std::vector<DecisionLine>{};
  }
  void run_works() {
    while (!worker.done.empty()) {
      pop(worker.done);
      settle();
    }
  }
  DecisionsReplayed replayed(DecisionReplay const& m, As const& who) {
    auto const id = post_as(m, who);
    run_works();
    auto const answer = answer_to<DecisionReplay>(id);
    EXPECT_TRUE(answer && *answer) << (answer ? answer->error().what : "no answer");
    return answer && *answer ? **answer : DecisionsReplayed{};
  }
  // All that is kept, from snapshot to snapshot.
  DecisionsReplayed all_replayed() {
    DecisionsReplayed sum;
    DecisionReplay next;
    do {
      auto const part = replayed(next, root);
      sum.replayed += part.replayed;
      sum.given += part.given;
      for (auto number : part.different) sum.different.push_back(number);
      next.from = part.next;
    } while (next.from > 0);
    return sum;
  }
};

TEST_F(DecisionsTest, APlacementIsKeptWithItsCostAndComesOutTheSameAgain) {
  orders(n2);
  ASSERT_TRUE(submit("job-1", spec("train", 2), ann));
  auto const lines = listed("job-1", ann);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].kind, "place");
  EXPECT_EQ(lines[0].policy, "foresight");
  ASSERT_EQ(lines[0].nodes.size(), 1u);
  EXPECT_FALSE(lines[0].terms.empty());
  ASSERT_TRUE(submit("job-2", spec("other", 2), ann));
  auto const again = replayed(DecisionReplay{.job = {"job-1"}}, ann);
  EXPECT_EQ(again.replayed, 1u);
  EXPECT_TRUE(again.different.empty());
  EXPECT_EQ(again.nodes, lines[0].nodes);
  EXPECT_EQ(again.nodes_that_fit, 2u) << "as it stood then, before job-2 came";
  ASSERT_EQ(again.choices.size(), 2u);
  EXPECT_TRUE(again.choices[0].chosen);
  auto const placed = audited("deployer.job.placed");
  EXPECT_EQ(placed.at(0).detail.at("decision"), std::to_string(lines[0].number));
}

TEST_F(DecisionsTest, WhyAJobWaitsIsKeptOnceForTheSameRules) {
  ASSERT_TRUE(submit("job-1", spec("a", 2), ann));
  auto const attempt = run_on(n1);
  ASSERT_TRUE(submit("job-2", spec("b", 2), ann));
  for (int i = 0; i < 5; ++i) tick();
  auto lines = listed("job-2", ann);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].kind, "wait");
  EXPECT_EQ(lines[0].why, view("job-2").why);
  ASSERT_TRUE(lines[0].waits);
  auto const told_now = ask(JobExplain{JobId{"job-2"}}, ann);
  ASSERT_TRUE(told_now);
  EXPECT_EQ(lines[0].waits->rejected, told_now->rejected);
  EXPECT_EQ(lines[0].waits->nearest, NodeId{"n1"});
  EXPECT_EQ(lines[0].waits->lacks, told_now->lacks);
  EXPECT_EQ(replayed(DecisionReplay{.number = lines[0].number}, root).why, lines[0].why);
  auto const told = audited("deployer.job.waiting");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].detail.at("why"), lines[0].why);
  end_on(n1, attempt);
  EXPECT_EQ(listed("job-2", ann).front().kind, "place");
}

TEST_F(DecisionsTest, WhoGaveWayIsKept) {
  auto low = spec("low", 2);
  low.priority = 10;
  ASSERT_TRUE(submit("low-1", low, ann));
  run_on(n1);
  auto high = spec("high", 2);
  high.priority = 90;
  ASSERT_TRUE(submit("high-1", high, ann));
  tick();
  auto const lines = listed("high-1", ann);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].kind, "preempt");
  EXPECT_EQ(lines[0].victims, std::vector<JobId>{{"low-1"}});
  EXPECT_EQ(lines[1].kind, "wait");
  auto const all = all_replayed();
  EXPECT_EQ(all.replayed, 3u);
  EXPECT_TRUE(all.different.empty());
}

TEST_F(DecisionsTest, AfterARestartTheyAreThereAndGoOn) {
  ASSERT_TRUE(submit("job-1", spec("a", 1), ann));
  run_on(n1);
  boot();
  orders(n1);
  ASSERT_TRUE(submit("job-2", spec("b", 1), ann));
  auto const first = listed("job-1", ann), second = listed("job-2", ann);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_LT(first[0].number, second[0].number);
  auto const all = all_replayed();
  EXPECT_EQ(all.replayed, 2u);
  EXPECT_TRUE(all.different.empty());
}

TEST_F(DecisionsTest, WhatIsOldGoesAndTheRestCanStillBeMadeAgain) {
  deployer_settings.decisions = {.kept = 6, .snapshot_every = 4};
  boot();
  orders(n1);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(submit("job-" + std::to_string(i), spec("a", 1), ann));
    end_on(n1, run_on(n1));
    tick();
  }
  EXPECT_TRUE(listed("job-0", ann).empty());
  EXPECT_EQ(listed("job-29", ann).size(), 1u);
  EXPECT_LT(test::rows_of<DecisionRow>(*store.disk).size(), 30u);
  auto const all = all_replayed();
  EXPECT_GE(all.replayed, 6u);
  EXPECT_TRUE(all.different.empty());
}

TEST_F(DecisionsTest, ADecisionThatComesOutOtherwiseIsNamed) {
  ASSERT_TRUE(submit("job-1", spec("a", 1), ann));
  Replayer replayer;
  std::int64_t placed = 0;
  for (auto row : test::rows_of<DecisionRow>(*store.disk)) {
    auto steps = *codec::decode<Steps>(row.steps.data);
    for (auto& step : steps.steps) {
      if (!step.decision) continue;
      step.decision->outcome.places.at(0).node = NodeId{"elsewhere"};
      placed = row.number;
    }
    row.steps.data = codec::encode(steps);
    ASSERT_TRUE(replayer.feed(row));
  }
  EXPECT_EQ(replayer.result().different, std::vector<std::int64_t>{placed});
}

TEST_F(DecisionsTest, OneIsMadeAgainAtATimeAndTheNextIsToldToWait) {
  ASSERT_TRUE(submit("job-1", spec("a", 1), ann));
  auto const first = post_as(DecisionReplay{}, root);
  EXPECT_EQ(outcome(ask(DecisionReplay{}, root)), "exhausted");
  run_works();
  EXPECT_TRUE(answer_to<DecisionReplay>(first));
  EXPECT_EQ(all_replayed().replayed, 1u);
}

TEST_F(DecisionsTest, OnlyWhoMayReadAJobReadsWhatWasDecidedAboutIt) {
  ASSERT_TRUE(submit("job-1", spec("a", 1), ann));
  EXPECT_EQ(outcome(ask(DecisionList{.job = {"job-1"}}, bob)), "denied");
  EXPECT_EQ(outcome(ask(DecisionReplay{.job = {"job-1"}}, bob)), "denied");
  EXPECT_EQ(outcome(ask(DecisionList{}, bob)), "denied");
  EXPECT_EQ(outcome(ask(DecisionReplay{}, bob)), "denied");
  EXPECT_EQ(outcome(ask(DecisionReplay{.number = 999}, root)), "not_found");
  auto const all = ask(DecisionList{}, root);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->decisions.size(), 1u) << "rows without a decision are not shown";
}

}  // namespace
}  // namespace lepton::deployer::testing
