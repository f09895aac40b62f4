// Group commit: rows of many handlers in one transaction, and what becomes of them when the store
// says no.
#include "tests/common/harness/harness.hpp"

namespace lepton::test {
namespace {

using store::FaultKind;

class Commit : public Harness {};

TEST_F(Commit, ReplyLeavesOnlyAfterTheCommit) {
  boot();
  store.hold_commits = true;
  post("1", Change{"put", "a", 5});
  EXPECT_EQ(stored("a"), 5) << "the row is written";
  EXPECT_EQ(answer("1"), "none") << "but the store has not said so";
  answer_commit();
  EXPECT_EQ(answer("1"), "= 5");
}

TEST_F(Commit, ReadsWaitForTheCommitsBeforeThem) {
  boot();
  store.hold_commits = true;
  post("1", Change{"put", "a", 5});
  post("2", Look{"a"});
  EXPECT_EQ(answer("2"), "none");
  answer_commit();
  EXPECT_EQ(answer("2"), "= 5");
  EXPECT_EQ(store.commits.size(), 1u) << "a read commits nothing";
}

TEST_F(Commit, OneTransactionForAllThatWaited) {
  boot();
  store.hold_commits = true;
  post("first", Change{"put", "a", 0});
  for (int i = 0; i < 50; ++i) post(std::to_string(i), Change{"put", "k" + std::to_string(i), i});
  EXPECT_EQ(store.commits.size(), 1u);
  answer_commit();
  EXPECT_EQ(store.commits.size(), 2u);
  EXPECT_EQ(store.commits[1].changes.size(), 150u) << "row, record and audit event of each";
  EXPECT_EQ(answer("0"), "none");
  answer_commit();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answer(std::to_string(i)), "= " + std::to_string(i));
}

TEST_F(Commit, GroupIsBounded) {
  settings.group_items_max = 4;
  boot();
  store.hold_commits = true;
  post("first", Change{"put", "a", 0});
  for (int i = 0; i < 10; ++i) send(std::to_string(i), Change{"put", "a", i});
  settle();
  EXPECT_EQ(host().depth(), 6u) << "the rest waits in the mailbox";
  answer_commit();
  EXPECT_EQ(store.commits[1].changes.size(), 12u);
  store.hold_commits = false;
  settle();
  EXPECT_EQ(answer("9"), "= 9");
}

TEST_F(Commit, OffenderIsRefusedTheOthersTakeEffectOnce) {
  boot();
  post("0", Change{"insert", "taken", 1});
  store.hold_commits = true;
  post("gate", Change{"put", "a", 0});
  send("1", Change{"add", "sum", 1});
  send("2", Change{"insert", "taken", 2});
  send("3", Change{"add", "sum", 10});
  send("4", Look{"sum"});
  settle();
  store.hold_commits = false;
  settle();
  EXPECT_EQ(answer("1"), "= 1");
  EXPECT_EQ(answer("2"), "conflict");
  EXPECT_EQ(answer("3"), "= 11");
  EXPECT_EQ(answer("4"), "= 11");
  EXPECT_EQ(stored("sum"), 11);
  EXPECT_EQ(stored("taken"), 1);
  EXPECT_EQ(seen.lives, 2) << "what came after the offender was decided again by a new life";
  EXPECT_EQ(host().stats().dead_letters, 1);
}

TEST_F(Commit, RejectedRequestsNeverEndTheProcess) {
  boot();
  post("0", Change{"insert", "taken", 1});
  for (int i = 1; i < 30; ++i) {
    post(std::to_string(i), Change{"insert", "taken", i});
    EXPECT_EQ(answer(std::to_string(i)), "conflict");
  }
  EXPECT_FALSE(system->gave_up());
  EXPECT_EQ(desk().values().at("taken"), 1);
}

TEST_F(Commit, RejectedRowsThatNobodyAskedForCountAsFailures) {
  settings.restarts_max = 2;
  boot();
  for (int i = 0; i < 3; ++i) {
    post("t" + std::to_string(i), Change{"timer", "k", 10});
    store.script = {FaultKind::rejected};
    advance(20);
    store.script.clear();
  }
  ASSERT_TRUE(system->gave_up());
  EXPECT_NE(system->gave_up()->find("rows rejected"), std::string::npos);
}

TEST_F(Commit, UnavailableRefusesAndStateEqualsRows) {
  boot();
  post("1", Change{"put", "a", 1});
  store.hold_commits = true;
  store.script = {FaultKind::unavailable};
  post("2", Change{"put", "a", 2});
  post("3", Look{"a"});
  EXPECT_EQ(desk().values().at("a"), 2) << "decided, not durable";
  answer_commit();
  EXPECT_EQ(answer("2"), "unavailable");
  EXPECT_GT(refusal("2").retry_after_ms, 0);
  EXPECT_EQ(answer("3"), "unavailable") << "a read of state that vanished is no answer";
  EXPECT_EQ(desk().values().at("a"), 1);
  EXPECT_EQ(stored("a"), 1);
  EXPECT_EQ(host().stats().restarts, 0) << "an absent store is no failure of the actor";
  store.hold_commits = false;
  post("2", Change{"put", "a", 2}, {.attempt = 2});
  EXPECT_EQ(stored("a"), 2);
}

TEST_F(Commit, WhileTheStoreIsAwayAllIsRefusedAndThenServed) {
  boot();
  store.script = {FaultKind::unavailable};
  store.reads_fail = true;
  post("1", Change{"put", "a", 1});
  EXPECT_FALSE(host().is_ready());
  post("2", Look{"a"});
  EXPECT_EQ(answer("2"), "unavailable");
  post("h", HealthGet{"desk"});
  EXPECT_FALSE(codec::decode<Health>(answers("h")[0].body)->ready);
  store.reads_fail = false;
  advance(settings.store_retry_ms + 1);
  EXPECT_TRUE(host().is_ready());
  post("3", Change{"put", "a", 3});
  EXPECT_EQ(answer("3"), "= 3");
}

TEST_F(Commit, WhatWaitsWhenTheStoreGoesIsRefusedAtOnce) {
  store.reads_fail = true;
  forget();
  system = std::make_unique<actor::System>(system_settings, ports());
  system->add(
      "desk", [this] { return std::make_unique<DeskActor>(seen); }, settings);
  system->start();
  send("1", Look{"a"});
  EXPECT_EQ(answer("1"), "none") << "rows are being read";
  settle();
  EXPECT_EQ(answer("1"), "unavailable");
}

TEST_F(Commit, InDoubtIsSettledByTheRecordOfTheRequest) {
  for (auto const kind : {FaultKind::in_doubt_applied, FaultKind::in_doubt_lost}) {
    store.disk = std::make_shared<store::MemoryDisk>();
    wire.answers.clear();
    boot();
    store.script = {kind};
    post("1", Change{"add", "sum", 5});
    EXPECT_EQ(answer("1"), "= 5");
    EXPECT_EQ(stored("sum"), 5);
    EXPECT_EQ(audited().size(), 1u);
    EXPECT_EQ(host().stats().replays, kind == FaultKind::in_doubt_applied ? 1 : 0);
  }
}

TEST_F(Commit, FencedGivesUp) {
  boot();
  store.fenced = true;
  post("1", Change{"put", "a", 1});
  ASSERT_TRUE(system->gave_up());
  EXPECT_NE(system->gave_up()->find("taken over"), std::string::npos);
  EXPECT_EQ(answer("1"), "none");
  EXPECT_FALSE(system->step());
}

TEST_F(Commit, FaultsOfManyKindsKeepEveryPromise) {
  Chance faults(42);
  settings.restarts_max = 1'000;
  boot();
  for (int i = 0; i < 400; ++i) {
    if (faults.happens(0.2)) store.script.push_back(static_cast<FaultKind>(1 + faults.below(4)));
    send(std::to_string(i), Change{faults.happens(0.1) ? "throw" : "add", "sum", 1});
    if (faults.happens(0.5)) settle();
    if (faults.happens(0.2)) clock.now += 20'000, settle();
  }
  store.script.clear();
  advance(2'000);
  std::int64_t acked = 0, unsure = 0;
  for (int i = 0; i < 400; ++i) {
    auto const a = answer(std::to_string(i));
    EXPECT_TRUE(a != "none" && a != "twice") << i << " " << a;
    if (a.starts_with("=")) ++acked;
    if (a == "timeout" || a == "unavailable") ++unsure;  // after a commit in doubt
  }
  auto const sum = stored("sum");
  EXPECT_GT(acked, 100);
  EXPECT_GE(sum, acked);
  EXPECT_LE(sum, acked + unsure);
  EXPECT_EQ(static_cast<std::int64_t>(audited().size()), sum);
  EXPECT_EQ(static_cast<std::int64_t>(store.disk->rows("request").size()), sum);
  EXPECT_EQ(desk().values().at("sum"), sum);
}

}  // namespace
}  // namespace lepton::test
