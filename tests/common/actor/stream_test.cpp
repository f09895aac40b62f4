// Streams: numbers without gaps, pages, acknowledgement, heads, the backlog limit.
#include "tests/common/harness/harness.hpp"

namespace lepton::test {
namespace {

class Streams : public Harness {
 protected:
  EventsPage pull(std::int64_t after, std::int64_t epoch = 1, std::uint32_t limit = 100,
                  std::string const& stream = "audit") {
    auto const id = "pull " + std::to_string(++pulls_);
    post(id, EventsPull{"desk", stream, "auditor", epoch, after, limit},
         {.caller = "auditor", .door = actor::Door::peer});
    auto const all = answers(id);
    if (all.size() != 1 || all[0].header.kind != Kind::reply) {
      ADD_FAILURE() << "no page: " << answer(id);
      return {};
    }
    return *codec::decode<EventsPage>(all[0].body);
  }
  void put(int count) {
    for (int i = 0; i < count; ++i) post("put " + std::to_string(++puts_), Change{"put", "a", i});
  }
  std::size_t rows(std::string const& stream) const {
    std::size_t n = 0;
    for (auto const& [key, row] : store.disk->rows("event"))
      n += std::get<std::string>(key[0]) == stream ? 1 : 0;
    return n;
  }

 private:
  int pulls_ = 0, puts_ = 0;
};

TEST_F(Streams, NumbersHaveNoGapsAcrossCrashesAndRejections) {
  boot();
  put(3);
  post("x", Change{"insert", "a", 1});
  post("y", Change{"throw", "a", 1});
  store.script = {store::FaultKind::unavailable};
  post("z", Change{"put", "a", 1});
  boot();
  put(2);
  auto const page = pull(0, 0);
  ASSERT_EQ(page.events.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(page.events[i].seq, std::int64_t(i) + 1);
  EXPECT_EQ(page.head, 5);
}

TEST_F(Streams, PagesFromMemoryAndFromRows) {
  settings.outlet.kept_max = 4;
  boot();
  put(10);
  auto const finds = store.finds;
  EXPECT_EQ(pull(7).events.size(), 3u);
  EXPECT_EQ(store.finds, finds) << "the newest are in memory";
  auto const old = pull(1, 1, 3);
  EXPECT_EQ(store.finds, finds + 1);
  ASSERT_EQ(old.events.size(), 3u);
  EXPECT_EQ(old.events[0].seq, 2);
  EXPECT_EQ(old.head, 10);
}

TEST_F(Streams, UncommittedEventsAreNotShown) {
  boot();
  put(1);
  store.hold_commits = true;
  post("x", Change{"put", "a", 9});
  send("p", EventsPull{"desk", "audit", "auditor", 1, 0, 100},
       {.caller = "auditor", .door = actor::Door::peer});
  settle();
  EXPECT_EQ(answer("p"), "none") << "a page waits for the commits before it as well";
  store.hold_commits = false;
  settle();
  auto const page = codec::decode<EventsPage>(answers("p")[0].body);
  EXPECT_EQ(page->events.size(), 1u);
}

TEST_F(Streams, AcknowledgementErasesRows) {
  boot();
  put(10);
  EXPECT_EQ(rows("audit"), 10u);
  EXPECT_EQ(pull(10).events.size(), 0u);
  EXPECT_EQ(rows("audit"), 0u);
  boot();
  EXPECT_EQ(host().outlet("audit")->head(), 10) << "the number goes on although the rows are gone";
  put(1);
  EXPECT_EQ(pull(10).events.at(0).seq, 11);
}

TEST_F(Streams, OnlyARegisteredConsumerErases) {
  boot();
  put(10);
  post("p", EventsPull{"desk", "audit", "spy", 1, 10, 100},
       {.caller = "spy", .door = actor::Door::peer});
  EXPECT_EQ(rows("audit"), 10u);
  post("q", EventsPull{"desk", "audit", "auditor", 1, 10, 100},
       {.caller = "spy", .door = actor::Door::peer});
  EXPECT_EQ(answer("q"), "denied") << "nobody moves the cursor of another";
  EXPECT_EQ(host().outlet("audit")->acknowledged(), 0);
}

TEST_F(Streams, ForeignEpochAndImpossibleCursorsReset) {
  boot();
  put(3);
  EXPECT_TRUE(pull(3, 9).reset);
  EXPECT_TRUE(pull(4).reset) << "a cursor ahead of the head";
  EXPECT_TRUE(pull(-1).reset);
  EXPECT_FALSE(pull(0, 0).reset);
  EXPECT_EQ(host().outlet("audit")->acknowledged(), 0);
}

TEST_F(Streams, ACursorBehindTheErasedRowsResets) {
  settings.outlet.kept_max = 2;
  boot();
  put(10);
  pull(10);
  put(1);
  EXPECT_TRUE(pull(3).reset);
}

TEST_F(Streams, HintAfterEachCommitAndHeadsEveryHalfSecond) {
  boot();
  wire.hints.clear();
  put(1);
  ASSERT_EQ(wire.hints.size(), 1u);
  EXPECT_EQ(wire.hints[0].stream, "audit");
  EXPECT_EQ(wire.hints[0].head, 1);
  wire.hints.clear();
  advance(5'000);
  EXPECT_EQ(wire.hints.size(), 20u) << "two streams, ten times";
  EXPECT_EQ(wire.hints.back().sender, "desk");
}

TEST_F(Streams, HintsReachTheActor) {
  boot();
  system->deliver_hint({"vault", "audit", 1, 12});
  settle();
  EXPECT_EQ(seen.lines, std::vector<std::string>{"hint vault 12"});
}

TEST_F(Streams, BacklogLimitRefusesWhatMustBeAudited) {
  settings.outlet.backlog_max = 3;
  boot();
  put(3);
  post("x", Change{"put", "a", 1});
  post("y", Reveal{"hf"});
  post("z", Look{"a"});
  EXPECT_EQ(answer("x"), "exhausted");
  EXPECT_EQ(answer("y"), "exhausted");
  EXPECT_EQ(answer("z"), "= 2") << "a plain read goes on";
  pull(3);
  post("x", Change{"put", "a", 1}, {.attempt = 2});
  EXPECT_EQ(stored("a"), 1);
}

TEST_F(Streams, SnapshotCarriesTheLastNumberOfItsState) {
  boot();
  post("1", Change{"emit", "a", 4});
  store.hold_commits = true;
  post("2", Change{"emit", "a", 2});
  post("s", SnapshotGet{"desk", "news"}, {.caller = "scaler", .door = actor::Door::peer});
  store.hold_commits = false;
  settle();
  auto const snapshot = codec::decode<Snapshot>(answers("s")[0].body);
  EXPECT_EQ(snapshot->head, 6)
      << "the state holds what was decided before it, and waits for its commit";
  EXPECT_EQ(snapshot->body.data, "state");
}

TEST_F(Streams, RowsThatNobodyIsRegisteredForGo) {
  settings.outlet.kept_max = 4;
  boot();
  post("1", Change{"emit", "a", 10});
  EXPECT_EQ(rows("news"), 10u);
  advance(61'000);
  EXPECT_EQ(rows("news"), 4u);
  boot();
  EXPECT_EQ(pull(6, 1, 100, "news").events.size(), 4u);
  EXPECT_EQ(pull(0, 0, 100, "news").head, 10) << "numbers go on";
  EXPECT_TRUE(pull(2, 1, 100, "news").reset) << "too late: begins with a snapshot";
}

}  // namespace
}  // namespace lepton::test
