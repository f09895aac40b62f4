// Lives of actors: timers, exceptions, intensity, watchers, stopping; and the asks between actors.
#include "tests/common/harness/harness.hpp"

namespace lepton::test {
namespace {

class Life : public Harness {
 protected:
  // desk, and after it `other`, both of the same kind.
  void boot_two(actor::Strategy strategy) {
    forget();
    system_settings.strategy = strategy;
    system = std::make_unique<actor::System>(system_settings, ports());
    system->add(
        "desk", [this] { return std::make_unique<DeskActor>(seen); }, settings);
    actor::HostSettings light;
    light.durable = false;
    light.streams = {};
    system->add(
        "other", [this] { return std::make_unique<DeskActor>(other); }, light);
    system->start();
    settle();
  }
  Seen other;
};

TEST_F(Life, TimersRunAtTheirTime) {
  boot();
  post("1", Change{"timer", "t", 300});
  advance(299);
  EXPECT_TRUE(seen.lines.empty());
  advance(1);
  EXPECT_EQ(seen.lines, std::vector<std::string>{"timer t"});
  EXPECT_EQ(stored("t"), 1);
}

TEST_F(Life, TimersDieWithTheLife) {
  boot();
  post("1", Change{"timer", "t", 300});
  post("2", Change{"throw", "x", 1});
  EXPECT_EQ(seen.lives, 2);
  advance(1'000);
  EXPECT_TRUE(seen.lines.empty());
}

TEST_F(Life, WhatALifeWantedAfterItsCommitDiesWithIt) {
  boot();
  store.hold_commits = true;
  post("1", Change{"timer", "t", 100});
  post("2", Change{"throw", "x", 1});
  EXPECT_EQ(answer("1"), "none");
  store.hold_commits = false;
  settle();
  EXPECT_EQ(answer("1"), "= 100") << "decided and durable: answered, although its life is over";
  advance(500);
  EXPECT_TRUE(seen.lines.empty()) << "its timer would have touched an actor that is gone";
}

TEST_F(Life, AnExceptionRefusesTheRequestAndUndoesItsRows) {
  boot();
  post("0", Change{"put", "a", 1});
  post("1", Change{"throw", "a", 2});
  EXPECT_EQ(answer("1"), "internal");
  EXPECT_EQ(stored("a"), 1);
  EXPECT_EQ(desk().values().at("a"), 1);
  EXPECT_EQ(host().stats().dead_letters, 1);
  post("1", Change{"put", "a", 3});
  EXPECT_EQ(answers("1").size(), 2u) << "the id is free again";
  EXPECT_EQ(stored("a"), 3);
}

TEST_F(Life, OpenTicketsOfAnEndedLifeAreRefused) {
  boot();
  post("1", Change{"keep", "a", 0});
  post("2", Change{"throw", "a", 2});
  EXPECT_EQ(answer("1"), "unavailable");
}

TEST_F(Life, TooManyFailuresGiveUp) {
  boot();
  for (int i = 0; i < 5; ++i) post(std::to_string(i), Change{"throw", "a", 1});
  EXPECT_FALSE(system->gave_up());
  post("5", Change{"throw", "a", 1});
  ASSERT_TRUE(system->gave_up());
  EXPECT_NE(system->gave_up()->find("thrown by the test"), std::string::npos);
}

TEST_F(Life, FailuresFarApartAreForgiven) {
  boot();
  for (int i = 0; i < 20; ++i) {
    post(std::to_string(i), Change{"throw", "a", 1}, {.deadline_ms = 100'000});
    clock.now += 15'000;
  }
  EXPECT_FALSE(system->gave_up());
  EXPECT_EQ(seen.lives, 21);
}

TEST_F(Life, WatcherHearsOfEachFailure) {
  boot_two(actor::Strategy::one_for_one);
  system->watch("other", "desk");
  post("1", Change{"throw", "a", 1});
  EXPECT_EQ(other.lines, std::vector<std::string>{"down desk: thrown by the test"});
  EXPECT_EQ(other.lives, 1);
}

TEST_F(Life, RestForOneRestartsWhatFollows) {
  boot_two(actor::Strategy::rest_for_one);
  post("1", Change{"throw", "a", 1});
  EXPECT_EQ(seen.lives, 2);
  EXPECT_EQ(other.lives, 2);
}

TEST_F(Life, StopDrainsAndRefusesWhatIsNew) {
  boot();
  store.hold_commits = true;
  post("1", Change{"put", "a", 1});
  send("2", Change{"put", "b", 2});
  post("kept", Change{"keep", "c", 3});
  system->stop();
  send("3", Change{"put", "c", 3});
  settle();
  EXPECT_EQ(answer("3"), "unavailable");
  EXPECT_FALSE(system->is_stopped());
  store.hold_commits = false;
  settle();
  EXPECT_TRUE(system->is_stopped());
  EXPECT_EQ(answer("1"), "= 1");
  EXPECT_EQ(answer("2"), "= 2");
  EXPECT_EQ(answer("kept"), "unavailable");
  EXPECT_EQ(stored("c"), -1);
}

TEST_F(Life, StopWhileTheStoreIsAwayEnds) {
  boot();
  store.reads_fail = true;
  store.script = {store::FaultKind::unavailable};
  post("1", Change{"put", "a", 1});
  system->stop();
  advance(1'000);
  EXPECT_TRUE(system->is_stopped());
}

TEST_F(Life, ControlLaneGoesFirst) {
  boot();
  post("1", Change{"work", "a", 2});
  for (int i = 0; i < 50; ++i) send("m" + std::to_string(i), Look{"a"});
  pop(worker.done);
  system->step();
  EXPECT_EQ(desk().values().at("a"), 4) << "the continuation overtook the requests";
  settle();
  EXPECT_EQ(answer("m0"), "= 4");
}

TEST_F(Life, LocalAskReachesTheOtherActor) {
  boot_two(actor::Strategy::one_for_one);
  post("0", Change{"put", "x", 8});
  system->deliver_hint({"ask desk", "", 1, 0});
  settle();
  EXPECT_EQ(other.lines, std::vector<std::string>{"answer 8"});
  EXPECT_TRUE(wire.requests.empty());
}

TEST_F(Life, LocalAskIsRefusedWhileTheOtherIsDown) {
  boot_two(actor::Strategy::one_for_one);
  store.reads_fail = true;
  post("0", Change{"throw", "x", 8});
  system->deliver_hint({"ask desk", "", 1, 0});
  settle();
  EXPECT_EQ(other.lines, std::vector<std::string>{"unavailable"});
}

class Ask : public Harness {
 protected:
  Header reply_to(RecordingWire::Message const& m, Kind kind = Kind::reply) {
    return {.kind = kind, .topic = m.header.topic, .id = m.header.id};
  }
};

TEST_F(Ask, ExactlyOneAnswer) {
  boot();
  post("1", Change{"ask", "peer", 5'000});
  ASSERT_EQ(wire.requests.size(), 1u);
  auto const& sent = wire.requests[0];
  system->deliver_reply("stranger", reply_to(sent), codec::encode(Value{666}));
  settle();
  EXPECT_TRUE(seen.lines.empty()) << "only the one who was asked may answer";
  system->deliver_reply("peer", reply_to(sent), codec::encode(Value{4}));
  system->deliver_reply("peer", reply_to(sent), codec::encode(Value{5}));
  advance(20'000);
  EXPECT_EQ(seen.lines, std::vector<std::string>{"answer 4"});
  EXPECT_EQ(system->late_replies(), 2);
}

TEST_F(Ask, RefusalAndUnreadableReply) {
  boot();
  post("1", Change{"ask", "peer", 5'000});
  post("2", Change{"ask", "peer", 5'000});
  system->deliver_reply("peer", reply_to(wire.requests[0], Kind::refusal),
                        codec::encode(Refusal{Code::denied, "no", 0}));
  system->deliver_reply("peer", reply_to(wire.requests[1]), "\xc1");
  settle();
  EXPECT_EQ(seen.lines, (std::vector<std::string>{"denied", "invalid"}));
}

TEST_F(Ask, ARefusalOfAnEarlierSendingIsNoAnswer) {
  boot();
  post("1", Change{"ask", "peer", 60'000});
  while (wire.requests.size() < 2) advance(100);
  auto const refuse = [&](std::uint32_t attempt) {
    Refusal const refusal{Code::conflict, "rejected", 0, false, attempt};
    system->deliver_reply("peer", reply_to(wire.requests[0], Kind::refusal),
                          codec::encode(refusal));
    settle();
  };
  refuse(1);
  EXPECT_TRUE(seen.lines.empty());
  refuse(static_cast<std::uint32_t>(wire.requests.size()));
  EXPECT_EQ(seen.lines, std::vector<std::string>{"conflict"});
}

TEST_F(Ask, ResendsKeepTheIdAndEndInATimeout) {
  boot();
  post("1", Change{"ask", "peer", 5'000});
  advance(4'999);
  EXPECT_TRUE(seen.lines.empty());
  ASSERT_GT(wire.requests.size(), 2u);
  for (std::size_t i = 0; i < wire.requests.size(); ++i) {
    EXPECT_EQ(wire.requests[i].header.id, wire.requests[0].header.id);
    EXPECT_EQ(wire.requests[i].header.attempt, i + 1);
    EXPECT_GT(wire.requests[i].header.deadline_ms, 0);
  }
  advance(1);
  EXPECT_EQ(seen.lines, std::vector<std::string>{"timeout"});
  auto const count = wire.requests.size();
  advance(20'000);
  EXPECT_EQ(wire.requests.size(), count);
}

TEST_F(Ask, WhatMayBeHeldBackIsNotSentAgainMeanwhile) {
  boot();
  post("1", Change{"await", "peer", 3'000});
  advance(3'100);
  EXPECT_EQ(wire.requests.size(), 1u);
  advance(500);
  EXPECT_EQ(wire.requests.size(), 2u);
  advance(3'000);
  EXPECT_EQ(wire.requests.size(), 2u);
}

TEST_F(Ask, BudgetBoundsResends) {
  system_settings.asks.budget_floor_per_s = 0;
  boot();
  for (int i = 0; i < 300; ++i) post(std::to_string(i), Change{"ask", "peer", 60'000});
  advance(59'000);
  EXPECT_EQ(wire.requests.size(), 300u + 10u + 30u)
      << "10 to begin with, and one for each ten asks";
}

TEST_F(Ask, WindowBoundsWhatIsOut) {
  system_settings.asks.window = 2;
  boot();
  for (int i = 0; i < 3; ++i) post(std::to_string(i), Change{"ask", "peer", 5'000});
  EXPECT_EQ(seen.lines, std::vector<std::string>{"exhausted"});
  EXPECT_EQ(wire.requests.size(), 2u);
  system->deliver_reply("peer", reply_to(wire.requests[0]), codec::encode(Value{4}));
  settle();
  post("4", Change{"ask", "peer", 5'000});
  EXPECT_EQ(wire.requests.size(), 3u);
}

TEST_F(Ask, AnswerForAnEndedLifeIsDropped) {
  boot();
  post("1", Change{"ask", "peer", 5'000});
  post("2", Change{"throw", "x", 0});
  system->deliver_reply("peer", reply_to(wire.requests[0]), codec::encode(Value{4}));
  settle();
  EXPECT_TRUE(seen.lines.empty());
}

// Refusals of the first ones fill its own control lane, which ends its life while its questions are
// still being sent: those of the old life must not be answered into the new one.
TEST_F(Life, WhatALifeAskedThatEndedOverItIsNotHeardByTheNext) {
  settings.mailbox.messages_max = 2;
  boot();
  post("1", Change{"ask often", "desk", 8});
  EXPECT_EQ(answer("1"), "= 0");
  EXPECT_EQ(seen.lives, 2);
  EXPECT_EQ(seen.lines, std::vector<std::string>{});
  post("2", Change{"work", "a", 3});
  ASSERT_EQ(worker.done.size(), 1u);
  pop(worker.done);
  settle();
  EXPECT_EQ(answer("2"), "= 9") << "the new life serves";
}

}  // namespace
}  // namespace lepton::test
