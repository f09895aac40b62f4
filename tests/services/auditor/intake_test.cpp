// Taking in: each event once, in order, and never what does not continue the cursor.

#include "services/auditor/translate.hpp"
#include "tests/services/auditor/rig.hpp"

namespace lepton::auditor::testing {
namespace {

using store::FaultKind;

struct IntakeTest : AuditorTest {
  void add(std::string const& source, int count) {
    for (int i = 0; i < count; ++i)
      feeds[source].add(event("ann", source + ".thing.put", "job/ann/t"));
  }
  void expect_log(std::size_t size) {
    EXPECT_EQ(entries().size(), size);
    EXPECT_EQ(problem(), "");
  }
};

TEST_F(IntakeTest, TakesInEverySourceUnderASignedCheckpoint) {
  add("deployer", 5);
  add("vault", 3);
  boot();
  expect_log(8);
  auto const first = entries().front();
  EXPECT_EQ(first.source, "deployer");
  EXPECT_EQ(first.stream, "audit");
  EXPECT_EQ(first.epoch, 1u);
  EXPECT_EQ(first.source_seq, 1u);
  EXPECT_EQ(first.at_ms, 1'790'000'000'000);
  EXPECT_EQ(first.actor, "ann");
  EXPECT_EQ(first.action, "deployer.thing.put");
  EXPECT_EQ(first.resource, "job/ann/t");
  EXPECT_EQ(first.outcome, "done");
  EXPECT_EQ(first.request_id, "r-1");
  EXPECT_EQ(first.detail, R"({"job":"j1","zone":"b"})");
}

TEST_F(IntakeTest, AnEmptyLogHasASignedCheckpointAndNoRows) {
  boot();
  auto const text = query(AuditCheckpoint{});
  ASSERT_TRUE(text);
  auto const opened = open_checkpoint(text->text, *NoteKey::parse(text->public_key));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->size, 0u);
  EXPECT_EQ(opened->root, empty_root());
  expect_log(0);
}

TEST_F(IntakeTest, AsksForTheNextPageAtOnceAndForOneAtATime) {
  auditor_settings.page_max = 3;
  add("vault", 10);
  boot();
  expect_log(10);
  EXPECT_EQ(clock.now, 1'000) << "no timer was needed";
  auto const asked = pulls("vault");
  ASSERT_EQ(asked.size(), 4u);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    EXPECT_EQ(asked[i].after, static_cast<std::int64_t>(i) * 3);
    EXPECT_EQ(asked[i].limit, 3u);
    EXPECT_EQ(asked[i].consumer, "auditor");
  }
  EXPECT_EQ(test::rows_of<CheckpointRow>(*store.disk).size(), 4u) << "one for each page";
}

TEST_F(IntakeTest, AHintPullsAtOnceAndALostHintIsMadeGoodByTheTimer) {
  boot();
  add("vault", 1);
  system->deliver_hint({"vault", "audit", 1, 1});
  serve();
  expect_log(1);
  auto const asked = pulls("vault").size();
  system->deliver_hint({"vault", "audit", 1, 1});
  system->deliver_hint({"vault", "access", 1, 9});
  serve();
  EXPECT_EQ(pulls("vault").size(), asked) << "nothing new was hinted";
  add("vault", 1);
  next_tick();
  expect_log(2);
}

TEST_F(IntakeTest, AHintDuringAPullPullsAgain) {
  boot();
  add("vault", 1);
  system->deliver_hint({"vault", "audit", 1, 1});
  settle();
  auto const request = wire.requests.back();
  auto const page = feeds["vault"].page(*codec::decode<EventsPull>(request.body));
  add("vault", 1);
  system->deliver_hint({"vault", "audit", 1, 2});
  settle();
  feeds.skip(wire);
  Feeds::reply(*system, request, page);
  serve();
  expect_log(2);
}

TEST_F(IntakeTest, ARepeatedAnswerHasNoSecondEffect) {
  add("deployer", 4);
  boot();
  for (auto const& request : wire.requests)
    if (request.to == "deployer")
      Feeds::reply(*system, request, feeds["deployer"].page({.after = 0}));
  serve();
  expect_log(4);
  feeds.change_next([](EventsPage& page) { page.events = {}, page.head = 4; });
  next_tick();
  expect_log(4);
}

TEST_F(IntakeTest, ACrashBeforeOrAfterTheCommitTakesInOnce) {
  add("deployer", 4);
  store.hold_commits = true;
  boot();  // the rows are on disk, the answer is lost with the process
  EXPECT_EQ(entries().size(), 4u);
  store.hold_commits = false;
  boot();
  expect_log(4);
  add("deployer", 2);
  store.script = {FaultKind::unavailable};
  next_tick();
  advance(2'000);
  serve();
  expect_log(6);
}

TEST_F(IntakeTest, ACommitInDoubtTakesInOnce) {
  for (auto const kind : {FaultKind::in_doubt_applied, FaultKind::in_doubt_lost}) {
    add("vault", 3);
    store.script = {kind};
    if (system)
      next_tick();
    else
      boot();
    advance(2'000);
    serve();
    expect_log(static_cast<std::size_t>(feeds["vault"].head()));
  }
}

TEST_F(IntakeTest, AcknowledgesOnlyWhatIsDurable) {
  add("vault", 3);
  store.hold_commits = true;
  boot();
  advance(2'000);
  for (auto const& pull : pulls("vault")) EXPECT_EQ(pull.after, 0);
  store.hold_commits = false;
  next_tick();
  EXPECT_EQ(pulls("vault").back().after, 3);
  expect_log(3);
}

TEST_F(IntakeTest, AGapIsNeverTakenIn) {
  add("deployer", 4);
  feeds.change_next([](EventsPage& page) { page.events.erase(page.events.begin()); });
  boot();
  expect_log(0);
  EXPECT_EQ(counter("gaps"), 1);
  EXPECT_EQ(counter("trouble_deployer"), 1);
  ASSERT_FALSE(logs.empty());
  EXPECT_NE(logs.back().find("event 2 came where 1 was expected"), std::string::npos)
      << logs.back();
  feeds.change_next([](EventsPage& page) { page.events.erase(page.events.begin() + 2); });
  next_tick();
  expect_log(0);
  EXPECT_EQ(counter("gaps"), 2);
  next_tick();
  expect_log(4);
  EXPECT_EQ(counter("trouble_deployer"), 0);
}

TEST_F(IntakeTest, RepeatedEventsOfAPageAreAGap) {
  add("deployer", 2);
  boot();
  add("deployer", 1);
  auto const old = feeds["deployer"].events.front();
  feeds.change_next([&](EventsPage& page) { page.events.insert(page.events.begin(), old); });
  next_tick();
  expect_log(2);
  EXPECT_EQ(counter("gaps"), 1);
}

TEST_F(IntakeTest, AHigherEpochBeginsAtZero) {
  add("deployer", 3);
  boot();
  feeds["deployer"] = Feed{2, {}};
  add("deployer", 2);
  next_tick();
  expect_log(5);
  EXPECT_EQ(entries().back().epoch, 2u);
  EXPECT_EQ(entries().back().source_seq, 2u);
  boot();
  add("deployer", 1);
  next_tick();
  expect_log(6);
}

TEST_F(IntakeTest, TheSameOrALowerEpochIsNotBegunAgain) {
  add("deployer", 3);
  feeds["deployer"].epoch = 2;
  boot();
  feeds["deployer"].events.pop_back();  // the source has forgotten an event
  next_tick();
  expect_log(3);
  EXPECT_EQ(counter("gaps"), 1);
  feeds["deployer"].epoch = 1;
  next_tick();
  expect_log(3);
  EXPECT_EQ(counter("gaps"), 2);
  feeds["deployer"].epoch = 3;
  next_tick();
  expect_log(5);
  EXPECT_EQ(counter("trouble_deployer"), 0);
}

TEST_F(IntakeTest, AFailingSourceIsAskedForLessAndHoldsUpNobody) {
  auditor_settings.sources = {"vault", "deployer"};
  boot();
  add("deployer", 1);
  add("vault", 1);
  advance(500);
  auto const request = *std::find_if(wire.requests.rbegin(), wire.requests.rend(),
                                     [](auto const& r) { return r.to == "vault"; });
  system->deliver_reply(
      "vault", {.kind = Kind::refusal, .topic = request.header.topic, .id = request.header.id},
      codec::encode(Refusal{Code::unavailable, "sealed for a test", 0}));
  serve();
  EXPECT_EQ(counter("failed_pulls"), 1);
  expect_log(1);
  next_tick();
  expect_log(2);
  EXPECT_EQ(pulls("vault").back().limit, auditor_settings.page_max / 2);
  next_tick();
  EXPECT_EQ(pulls("vault").back().limit, auditor_settings.page_max);
}

TEST_F(IntakeTest, ADeniedReaderOfTheLogIsEnteredItself) {
  boot();
  EXPECT_EQ(query(AuditTail{}, "eve").error().code, Code::denied);
  next_tick();
  expect_log(1);
  auto const entry = entries().front();
  EXPECT_EQ(entry.source, "auditor");
  EXPECT_EQ(entry.actor, "eve");
  EXPECT_EQ(entry.action, AuditTail::topic);
  EXPECT_EQ(entry.resource, "audit");
  EXPECT_EQ(entry.outcome, "denied");
  next_tick();
  EXPECT_EQ(test::rows_of<actor::CursorRow>(*store.disk).at(0).acked, 1)
      << "and its event row may go";
  EXPECT_TRUE(store.disk->rows("event").empty());
}

TEST_F(IntakeTest, WhatCannotBeReadOrStoredIsEnteredByItsHash) {
  auto& feed = feeds["vault"];
  feed.add_raw("other.topic", "\xff\x00garbage");
  feed.add_raw(std::string(AuditEvent::topic), "garbage");
  auto nul = event("ann", "vault.secret.get", std::string("secret/a\0b", 10));
  nul.detail["x"] = std::string("y\0", 2);
  feed.add(nul);
  auto late = event("ann", "vault.secret.get", "secret/a");
  late.detail["why"] = std::string("nul \0 here", 10);
  feed.add(late);
  feed.add(event("\xc3(", "vault.secret.get", "secret/a"));
  auto huge = event("ann", "vault.secret.get", "secret/a");
  huge.detail["why"] = std::string(max_leaf_bytes, 'x');
  feed.add(huge);
  feed.add(event("bob", "vault.secret.get", "secret/\xc3\xa4"));
  boot();
  expect_log(7);
  auto const all = entries();
  EXPECT_EQ(all[0].action, unreadable_action);
  EXPECT_EQ(all[1].action, unreadable_action);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NE(all[i].detail.find(text::hex(crypto::view(crypto::sha256(feed.events[i].body.data)))),
              std::string::npos)
        << i;
  EXPECT_EQ(all[2].resource, "secret/a?b");
  EXPECT_EQ(all[3].actor, "ann");
  EXPECT_EQ(all[4].actor, "?(");
  EXPECT_EQ(all[5].action, "vault.secret.get");
  EXPECT_EQ(all[6].resource, "secret/\xc3\xa4") << "plain UTF-8 stays as it is";
  EXPECT_EQ(counter("entries_inexact"), 6);
}

TEST_F(IntakeTest, AHeadThatContradictsItsSignatureIsNotBuiltOn) {
  add("vault", 5);
  boot();
  auto head = test::rows_of<HeadRow>(*store.disk).at(0);
  auto const good = head;
  head.edge.data[3] ^= 1;
  tamper(head);
  boot();
  ASSERT_TRUE(system->gave_up());
  EXPECT_NE(system->gave_up()->find("contradicts its checkpoint"), std::string::npos)
      << *system->gave_up();
  head = good;
  head.edge.data.pop_back();
  tamper(head);
  boot();
  EXPECT_TRUE(system->gave_up());
  tamper(good);
  add("vault", 1);
  boot();
  EXPECT_FALSE(system->gave_up());
  expect_log(6);
}

TEST_F(IntakeTest, AnotherKeyGoesOnWithAWarningThatNamesIt) {
  add("vault", 2);
  boot();
  auditor_settings.key = log_key(6);
  boot();
  auto const text = query(AuditCheckpoint{});
  ASSERT_TRUE(text);
  EXPECT_TRUE(open_checkpoint(text->text, *NoteKey::parse(text->public_key)));
  auto const warned = [&](std::string const& line) {
    return line.find(text->public_key) != line.npos;
  };
  EXPECT_TRUE(std::any_of(logs.begin(), logs.end(), warned));
  add("vault", 1);
  next_tick();
  expect_log(3);
}

}  // namespace
}  // namespace lepton::auditor::testing
