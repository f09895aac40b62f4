// Requests: recorded mutations, audit entries, admission, tickets.
#include "tests/common/harness/harness.hpp"

namespace lepton::test {
namespace {

class Requests : public Harness {};

TEST_F(Requests, SameIdSameAnswerOneEffect) {
  boot();
  post("1", Change{"add", "sum", 5});
  post("1", Change{"add", "sum", 5}, {.attempt = 2});
  auto const all = answers("1");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].body, all[1].body);
  EXPECT_EQ(stored("sum"), 5);
  EXPECT_EQ(audited().size(), 1u);
}

TEST_F(Requests, OtherBodyUnderTheSameIdIsAConflict) {
  boot();
  post("1", Change{"add", "sum", 5});
  wire.answers.clear();
  post("1", Change{"add", "sum", 6});
  EXPECT_EQ(answer("1"), "conflict");
  EXPECT_EQ(stored("sum"), 5);
}

TEST_F(Requests, IdsOfTwoCallersNeverMeet) {
  boot();
  post("1", Change{"add", "sum", 5}, {.caller = "ann"});
  wire.answers.clear();
  post("1", Change{"add", "sum", 6}, {.caller = "bob"});
  EXPECT_EQ(answer("1"), "= 11");
}

TEST_F(Requests, DuplicateOfAPendingMutationIsDropped) {
  boot();
  store.hold_commits = true;
  post("1", Change{"add", "sum", 5});
  post("1", Change{"add", "sum", 5}, {.attempt = 2});
  store.hold_commits = false;
  settle();
  EXPECT_EQ(answer("1"), "= 5");
  EXPECT_EQ(stored("sum"), 5);
}

TEST_F(Requests, ARefusedReadOfTheSameIdDoesNotForgetAPendingMutation) {
  boot();
  store.hold_commits = true;
  post("1", Change{"add", "sum", 5});
  post("1", Look{"absent"});
  post("1", Change{"add", "sum", 5}, {.attempt = 2});
  store.hold_commits = false;
  settle();
  EXPECT_EQ(stored("sum"), 5);
  EXPECT_EQ(seen.lives, 1);
}

TEST_F(Requests, RecordOutlivesTheProcess) {
  boot();
  post("1", Change{"add", "sum", 5});
  wire.answers.clear();
  boot();
  post("1", Change{"add", "sum", 5});
  EXPECT_EQ(answer("1"), "= 5");
  EXPECT_EQ(stored("sum"), 5);
}

TEST_F(Requests, RecordThatMemoryNoLongerHoldsIsFoundInRows) {
  settings.recorded_max = 2;
  boot();
  for (int i = 0; i < 6; ++i) post(std::to_string(i), Change{"add", "sum", 1});
  wire.answers.clear();
  post("0", Change{"add", "sum", 1}, {.attempt = 2});
  EXPECT_EQ(answer("0"), "= 1");
  EXPECT_EQ(stored("sum"), 6);
  post("0", Change{"add", "sum", 1});  // the first sending again: the rows' key guards it
  EXPECT_EQ(stored("sum"), 6);
}

TEST_F(Requests, RepeatedSendingOfAnUnknownMutationIsDecidedOnce) {
  boot();
  send("1", Change{"add", "sum", 1}, {.attempt = 3});
  send("1", Change{"add", "sum", 1}, {.attempt = 4});
  settle();
  EXPECT_EQ(answer("1"), "= 1");
  EXPECT_EQ(stored("sum"), 1);
}

TEST_F(Requests, ALookUpThatTheStoreRefusesRefusesTheRequest) {
  boot();
  store.reads_fail = true;
  post("1", Change{"add", "sum", 1}, {.attempt = 2});
  EXPECT_EQ(answer("1"), "unavailable");
  store.reads_fail = false;
  post("1", Change{"add", "sum", 1}, {.attempt = 3});
  EXPECT_EQ(stored("sum"), 1);
}

// A caller that has sent it again goes by the answer to the newest.
TEST_F(Requests, ARefusalSaysWhichSendingItRefuses) {
  boot();
  post("1", Change{"refuse", "a", 1});
  EXPECT_EQ(refusal("1").attempt, 1u);
  post("2", Change{"refuse", "a", 1}, {.attempt = 3});
  EXPECT_EQ(refusal("2").attempt, 3u);
  store.script = {store::FaultKind::rejected};
  post("3", Change{"put", "a", 1}, {.attempt = 2});
  EXPECT_EQ(refusal("3").attempt, 2u);
  store.script = {store::FaultKind::unavailable};
  post("4", Change{"put", "a", 1}, {.attempt = 2});
  EXPECT_EQ(refusal("4").attempt, 2u);
}

TEST_F(Requests, ALookUpThatOutlivesItsLifeIsRefused) {
  boot();
  send("1", Change{"add", "sum", 1}, {.attempt = 2});
  send("2", Change{"throw", "a", 1});
  settle();
  EXPECT_EQ(answer("1"), "unavailable");
  EXPECT_EQ(answer("2"), "internal");
}

TEST_F(Requests, SecretAnswersAreNeverStored) {
  boot();
  post("1", Mint{"hf"});
  EXPECT_EQ(answer("1"), "secret");
  for (auto const& table : {"request", "event"})
    for (auto const& [key, row] : store.disk->rows(table))
      for (auto const& cell : row) {
        auto const* bytes = std::get_if<Bytes>(&cell);
        EXPECT_TRUE(bytes == nullptr || bytes->data.find("token of") == std::string::npos);
      }
  wire.answers.clear();
  post("1", Mint{"hf"});
  EXPECT_EQ(answer("1"), "conflict");
  EXPECT_EQ(store.disk->rows("request").size(), 1u);
}

TEST_F(Requests, AMutationNeedsAnId) {
  boot();
  post("", Change{"add", "sum", 1});
  EXPECT_EQ(answer(""), "invalid");
  post(std::string(65, 'x'), Change{"add", "sum", 1});
  EXPECT_EQ(answer(std::string(65, 'x')), "invalid");
  EXPECT_EQ(stored("sum"), -1);
}

TEST_F(Requests, EachChangeAndDenialIsAuditedOnceARefusalNever) {
  boot();
  post("1", Change{"put", "a", 1});
  post("1", Change{"put", "a", 1});
  post("2", Change{"no such thing", "a", 1});
  post("3", Look{"a"});
  post("4", Change{"put", "b", 1}, {.caller = "eve"});
  post("5", Reveal{"hf"});
  post("7", Mint{"hf"}, {.caller = "eve"});
  post("6", Change{"insert", "a", 1});
  EXPECT_EQ(answer("2"), "invalid");
  EXPECT_EQ(answer("4"), "denied");
  EXPECT_EQ(answer("5"), "secret");
  EXPECT_EQ(answer("6"), "conflict");
  auto const events = audited();
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].actor + " " + events[0].action + " " + events[0].resource,
            "ann desk.change desk/a");
  EXPECT_EQ(events[0].outcome, AuditOutcome::done);
  EXPECT_EQ(events[0].request_id, "1");
  EXPECT_EQ(events[1].actor + " " + events[1].resource, "eve desk/b");
  EXPECT_EQ(events[1].outcome, AuditOutcome::denied);
  EXPECT_EQ(events[2].resource, "secret/hf");
  EXPECT_EQ(events[2].detail.at("reason"), "test");
  EXPECT_EQ(events[3].resource, "secret/hf");
  EXPECT_EQ(events[3].outcome, AuditOutcome::denied);
}

TEST_F(Requests, AuditedReadWaitsForItsEntry) {
  boot();
  store.hold_commits = true;
  post("1", Reveal{"hf"});
  EXPECT_EQ(answer("1"), "none");
  EXPECT_EQ(audited().size(), 1u);
  answer_commit();
  EXPECT_EQ(answer("1"), "secret");
}

TEST_F(Requests, PeerOnlyIsDeniedToClientsAndAudited) {
  boot();
  post("1", PeerOnly{"x"});
  post("2", PeerOnly{"x"}, {.caller = "auditor", .door = actor::Door::peer});
  post("3", EventsPull{"desk", "audit", "ann", 0, 0, 10});
  post("4", SnapshotGet{"desk", "audit"});
  EXPECT_EQ(answer("1"), "denied");
  EXPECT_EQ(answer("2"), "= 7");
  EXPECT_EQ(answer("3"), "denied");
  EXPECT_EQ(answer("4"), "denied");
  EXPECT_EQ(audited().size(), 3u);
}

TEST_F(Requests, UnknownTopicServiceAndBodyAreRefused) {
  boot();
  auto unknown = request("1", Look{"a"});
  unknown.header.topic = "desk.nothing";
  system->deliver_request(unknown);
  auto elsewhere = request("2", Look{"a"});
  elsewhere.header.topic = "vault.secret.get";
  system->deliver_request(elsewhere);
  auto garbage = request("3", Look{"a"});
  garbage.body = "\xc1";
  system->deliver_request(garbage);
  auto nothing = request("4", Change{"put", "a", 1});
  nothing.body.clear();
  system->deliver_request(nothing);
  settle();
  EXPECT_EQ(answer("1"), "not_found");
  EXPECT_EQ(answer("2"), "not_found");
  EXPECT_EQ(answer("3"), "invalid");
  EXPECT_EQ(answer("4"), "invalid");
  post("4", Change{"put", "a", 1});
  EXPECT_EQ(stored("a"), 1) << "an unreadable body does not use up the id";
}

TEST_F(Requests, PastItsDeadlineARequestIsRefusedUnhandled) {
  boot();
  send("1", Change{"put", "a", 1}, {.deadline_ms = 50});
  send("2", Change{"put", "a", 2}, {.deadline_ms = 0});
  send("3", Change{"put", "a", 3}, {.deadline_ms = -5});
  clock.now += 50;
  settle();
  for (auto const* id : {"1", "2", "3"}) EXPECT_EQ(answer(id), "timeout");
  EXPECT_EQ(stored("a"), -1);
}

TEST_F(Requests, TicketsAreAnsweredLaterAndOnce) {
  boot();
  post("1", Change{"keep", "a", 0});
  post("2", Change{"keep", "a", 0});
  EXPECT_EQ(answer("1"), "none");
  post("3", Change{"answer kept", "a", 9});
  EXPECT_EQ(answer("1"), "= 9");
  EXPECT_EQ(answer("2"), "= 9");
  EXPECT_EQ(answer("3"), "= 9");
  EXPECT_EQ(audited().size(), 3u);
  post("4", Change{"answer twice", "a", 1});
  EXPECT_EQ(answer("4"), "= 1");
}

TEST_F(Requests, AnOpenTicketEndsInATimeout) {
  boot();
  post("1", Change{"keep", "a", 0}, {.deadline_ms = 500});
  advance(700);
  EXPECT_EQ(answer("1"), "timeout");
  post("2", Change{"answer kept", "a", 9});
  EXPECT_EQ(answer("1"), "timeout") << "too late";
  EXPECT_EQ(audited().size(), 1u);
}

TEST_F(Requests, ATicketWhoseAnswerIsRolledBackIsRefused) {
  boot();
  post("1", Change{"keep", "a", 0});
  store.script = {store::FaultKind::unavailable};
  post("2", Change{"answer kept", "a", 9});
  EXPECT_EQ(answer("1"), "unavailable");
  EXPECT_EQ(answer("2"), "unavailable");
  EXPECT_EQ(stored("a"), -1);
}

TEST_F(Requests, OpenTicketsAreBounded) {
  settings.calls_max = 3;
  boot();
  for (int i = 0; i < 4; ++i) post(std::to_string(i), Change{"keep", "a", 0});
  EXPECT_EQ(answer("2"), "none");
  EXPECT_EQ(answer("3"), "exhausted");
}

TEST_F(Requests, MailboxOverflowIsRefusedWithRetryAfter) {
  settings.mailbox.messages_max = 2;
  boot();
  for (int i = 0; i < 3; ++i) send(std::to_string(i), Look{"a"});
  EXPECT_EQ(answer("2"), "exhausted");
  EXPECT_GT(refusal("2").retry_after_ms, 0);
  settle();
  EXPECT_EQ(answer("1"), "not_found");
}

TEST_F(Requests, WorkAndFindAnswerThroughTheirTicket) {
  boot();
  post("1", Change{"work", "a", 7});
  EXPECT_EQ(answer("1"), "none");
  pop(worker.done);
  settle();
  EXPECT_EQ(answer("1"), "= 49");
  post("2", Change{"find", "a", 0});
  EXPECT_EQ(answer("2"), "= 49");
}

TEST_F(Requests, ReadsAtOnceAreBoundedAndTheRestWaits) {
  settings.reads_max = 2;
  boot();
  for (int i = 0; i < 4; ++i) post(std::to_string(i), Change{"work", "a", i});
  EXPECT_EQ(worker.done.size(), 2u);
  EXPECT_EQ(host().depth(), 2u);
  pop(worker.done), pop(worker.done);
  settle();
  EXPECT_EQ(worker.done.size(), 2u);
  pop(worker.done), pop(worker.done);
  settle();
  EXPECT_EQ(answer("3"), "= 9");
}

TEST_F(Requests, RecordsOfYesterdayGo) {
  settings.recorded_for_ms = 3'600'000;
  boot();
  for (int i = 0; i < 1'200; ++i) post("old " + std::to_string(i), Change{"put", "a", i});
  advance(3'500'000);
  EXPECT_EQ(store.disk->rows("request").size(), 1'200u);
  post("new", Change{"put", "a", 1});
  advance(200'000);
  EXPECT_EQ(store.disk->rows("request").size(), 1u);
  boot();
  wire.answers.clear();
  post("new", Change{"put", "a", 1});
  EXPECT_EQ(answer("new"), "= 1");
  EXPECT_EQ(store.disk->rows("request").size(), 1u) << "known still, done once";
}

}  // namespace
}  // namespace lepton::test
