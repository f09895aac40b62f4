// The thread that renews the lease, and the loop that asks it before each turn.

#include "common/service/lease_keeper.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <vector>

#include "common/bus/bus.hpp"
#include "common/crypto/entropy.hpp"
#include "common/service/loop.hpp"
#include "common/service/thread_worker.hpp"

namespace lepton::service {
namespace {

using store::Hold;

class HandClock final : public Clock {
 public:
  TimeMs now_ms() const override { return now; }
  WallMs wall_ms() const override { return now; }
  std::atomic<TimeMs> now = 1'000'000;
};

// Each renewal waits for what the test says of it.
class Script {
 public:
  Status renew() {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !outcomes_.empty() || is_over_; });
    if (outcomes_.empty()) return ok();
    auto outcome = outcomes_.front();
    outcomes_.erase(outcomes_.begin());
    ++ended_;
    return outcome;
  }
  void wait_begun(int times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= times; });
  }
  void answer(Status outcome) {
    std::lock_guard const lock(mutex_);
    outcomes_.push_back(std::move(outcome));
    changed_.notify_all();
  }
  void finish() {
    std::lock_guard const lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  int ended() {
    std::lock_guard const lock(mutex_);
    return ended_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Status> outcomes_;
  int begun_ = 0, ended_ = 0;
  bool is_over_ = false;
};

class ScriptedLease final : public store::Lease {
 public:
  ScriptedLease(Script& script, Clock const& clock) : Lease({}, clock), script_(script) {}
  Status renew() override { return script_.renew(); }
  std::int64_t standbys() const override { return 2; }

 private:
  Script& script_;
};

Status away() {
  return Error{Code::unavailable, "no answer"};
}
Status replaced() {
  return Error{Code::conflict, "another one"};
}

// The lease was taken at time 0 of a hand clock that stands at `now`.
class KeeperTest : public ::testing::Test {
 protected:
  ~KeeperTest() override { script.finish(); }
  void start() {
    clock.now = 0;
    keeper = std::make_unique<LeaseKeeper>(std::make_unique<ScriptedLease>(script, clock), clock,
                                           [this](actor::Level, std::string const& line) {
                                             std::lock_guard const lock(mutex);
                                             lines.push_back(line);
                                           });
    script.wait_begun(1);
  }
  // The beat at hand ends so, and the next one has begun: everything about the first is done.
  void beat(Status outcome) {
    script.answer(std::move(outcome));
    script.wait_begun(++beats + 1);
  }
  Hold hold() const { return keeper->term().at(clock.now); }
  std::size_t said() {
    std::lock_guard const lock(mutex);
    return lines.size();
  }
  HandClock clock;
  Script script;
  std::mutex mutex;
  std::vector<std::string> lines;
  int beats = 0;
  std::unique_ptr<LeaseKeeper> keeper;
  // Before the keeper ends, its beat must.
  void TearDown() override {
    script.finish();
    keeper.reset();
  }
};

TEST_F(KeeperTest, TheTermCountsFromWhenTheConfirmedBeatWasSent) {
  start();
  clock.now = 2'000;  // the first beat was sent at 0 and is still under way
  EXPECT_EQ(hold(), Hold::held);
  beat(ok());
  clock.now = store::lease_valid_ms - 1;
  EXPECT_EQ(hold(), Hold::held);
  clock.now = store::lease_valid_ms;
  EXPECT_EQ(hold(), Hold::unconfirmed) << "the second was sent at 2000, but nobody confirmed it";
  EXPECT_EQ(keeper->standbys(), 2);
}

TEST_F(KeeperTest, WhatCannotBeConfirmedIsSaidOnceAndGoesOnWhenNobodyHasTakenOver) {
  start();
  clock.now = store::lease_valid_ms + 1;
  beat(away());
  EXPECT_EQ(hold(), Hold::unconfirmed);
  EXPECT_EQ(keeper->term().why(), "no answer");
  beat(away());
  auto const before = said();
  EXPECT_LE(before, 1u);
  beat(ok());
  EXPECT_EQ(hold(), Hold::held);
  EXPECT_EQ(said(), before + 1);
}

TEST_F(KeeperTest, OnceLostIsLostForGood) {
  start();
  beat(replaced());
  EXPECT_EQ(hold(), Hold::lost);
  beat(ok());
  EXPECT_EQ(hold(), Hold::lost);
}

TEST_F(KeeperTest, AskingAgainWaitsForABeatThatWasSentAfterwards) {
  start();
  auto asked = std::async(std::launch::async, [this] { return keeper->ask_again(60'000); });
  beat(ok());  // sent before the question, perhaps before the takeover
  script.answer(replaced());
  EXPECT_EQ(asked.get(), Hold::lost);
  EXPECT_EQ(script.ended(), 2);
}

TEST_F(KeeperTest, AskingAgainHasALimit) {
  start();
  EXPECT_EQ(keeper->ask_again(1), Hold::held);
  EXPECT_EQ(script.ended(), 0);
}

class NoStore final : public store::Store {
 public:
  void commit(store::Batch, Committed) override {}
  void load(std::vector<store::Table const*>, Loaded) override {}
  void find(store::Query, Found) override {}
};
class OpenGate final : public actor::Gate {
 public:
  Status allow(actor::Caller const&, Verb, std::string_view) override { return ok(); }
};
class Idle final : public actor::Actor {};
class NoSink final : public bus::Sink {
 public:
  void on_request(actor::Door, std::string, actor::Route, Header, std::string) override {}
  void on_answer(std::string const&, Header, std::string) override {}
  void on_hint(std::string const&, Hint) override {}
};

// A loop of its own thread, as a service has it.
class LoopTest : public ::testing::Test {
 protected:
  LoopTest() {
    bus::BusSettings settings;
    settings.name = "test";
    settings.keys = bus::create_keys(entropy);
    bus = std::move(*bus::Bus::open(std::move(settings)));
    inbox = std::make_unique<Inbox>([this] { bus->wake(); });
    worker = std::make_unique<ThreadWorker>(1, *inbox);
    actor::Ports const ports{clock,   store,   *bus,   gate,
                             *worker, entropy, chance, [](actor::Level, std::string const&) {}};
    system = std::make_unique<actor::System>(actor::SystemSettings{.service = "test"}, ports);
    actor::HostSettings host;
    host.durable = false;
    host.streams.clear();
    system->add(
        "idle", [] { return std::make_unique<Idle>(); }, host);
    system->start();
  }
  // Each of `turns` begins when the loop has looked at a clock that is a second further.
  void turn(int turns) {
    std::unique_lock lock(mutex);
    for (auto const until = seconds + turns; seconds < until;) {
      clock.now += 1'000;
      auto const before = seconds;
      changed.wait(lock, [&] { return seconds > before; });
    }
  }
  std::thread run(store::LeaseTerm const& term) {
    return std::thread([this, &term] {
      serve(*system, *bus, *inbox, sink, clock, &term, [this] {
        std::lock_guard const lock(mutex);
        ++seconds;
        changed.notify_all();
      });
    });
  }
  HandClock clock;
  NoStore store;
  OpenGate gate;
  NoSink sink;
  crypto::SystemEntropy entropy;
  Chance chance{1};
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<Inbox> inbox;
  std::unique_ptr<ThreadWorker> worker;
  std::unique_ptr<actor::System> system;
  std::mutex mutex;
  std::condition_variable changed;
  int seconds = 0;
};

TEST_F(LoopTest, WithoutAConfirmedLeaseNothingIsDoneAndOnceItIsLostTheLoopEnds) {
  store::LeaseTerm term(clock.now - store::lease_valid_ms);
  std::promise<void> done;
  std::atomic<bool> ran = false, ran_when_lost = false;
  auto loop = run(term);
  inbox->push([&] {
    ran = true;
    done.set_value();
  });
  turn(3);
  EXPECT_FALSE(ran) << "it acted without a lease";
  term.note(clock.now, ok());
  done.get_future().wait();
  term.note(clock.now, replaced());
  inbox->push([&] { ran_when_lost = true; });
  loop.join();
  EXPECT_FALSE(ran_when_lost) << "it acted for a lease that another has";
}

}  // namespace
}  // namespace lepton::service
