// Who has waited for longer than the patience is first in line, and its places are kept.

#include "tests/services/deployer/services_rig.hpp"
#include "tests/services/deployer/transcript.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TimeMs minute = 60'000, hour = 60 * minute;

class PatienceTest : public DeployerTest {
 protected:
  As const cid{.name = "cid", .policies = {"user"}};

  void SetUp() override {
    deployer_settings.tick_ms = 1'000;
    deployer_settings.patience_ms = 2 * hour;
    start_with(1);
  }
  void start_with(int nodes) {
    boot();
    ASSERT_TRUE(ask(simulated_nodes(nodes), root));
  }
  JobSpec lasting(std::string name, std::uint32_t gpus, TimeMs ms, TimeMs limit_ms = 0) {
    auto s = simulated(ms, gpus);
    s.name = std::move(name);
    s.max_duration_ms = limit_ms;
    return s;
  }
  std::string why(std::string const& id) { return view(id).why; }
  // One GPU job of 40 minutes each 20 minutes: two are always there.
  void stream(
      int& next, TimeMs until, std::function<void()> const& each_minute = [] {}) {
    for (; now_ < until; now_ += minute) {
      if (now_ % (20 * minute) == 0) {
        auto const name = "small-" + std::to_string(next++);
        ASSERT_TRUE(submit(name, lasting(name, 1, 40 * minute), ann));
      }
      each_minute();
      advance(minute);
    }
  }
  // A wide job is first in line, and half of its places are in use.
  void keep_places_on_n1() {
    orders(n1);
    ASSERT_TRUE(submit("run-1", spec("run", 1)));
    run_on(n1);
    ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
    keep({&n1}, 2 * hour + 30'000);
    EXPECT_NE(why("wide-1").find("first in line"), std::string::npos);
  }
  TimeMs now_ = 0;
};

// Why anybody starves: whatever becomes free goes at once to whoever it fits.
TEST_F(PatienceTest, WithoutPatienceAWideJobNeverFindsAWholeNode) {
  deployer_settings.patience_ms = 1'000 * hour;
  boot();
  int next = 0;
  stream(next, 20 * minute);
  stream(next, 21 * minute);
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  stream(next, 100 * hour);
  EXPECT_EQ(state("wide"), "queued");
  EXPECT_NE(why("wide").find("gpus short on 1 node"), std::string::npos) << why("wide");
}

TEST_F(PatienceTest, TheTranscriptOfAWideJobAmongSmallOnes) {
  int next = 0;
  Transcript transcript;
  auto const look = [&] { transcript.look_at(now_, actor()); };
  stream(next, 21 * minute);
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  stream(next, 242 * minute, look);
  auto const& text = transcript.text();
  EXPECT_EQ(text.substr(text.find("2:00")),
            "2:00 small-4 succeeded\n"
            "2:00 small-6 running\n"
            "2:20 small-5 succeeded\n"
            "2:20 small-7 running\n"
            "2:22 wide waits: has waited for 2.0 h and is first in line: its places are kept as "
            "they become free\n"
            "2:40 small-6 succeeded\n"
            "2:40 small-8 waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 GPUs "
            "of one model\n"
            "3:00 small-7 succeeded\n"
            "3:00 small-9 waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 GPUs "
            "of one model\n"
            "3:00 wide running\n"
            "3:20 small-10 waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 "
            "GPUs of one model\n"
            "3:40 small-11 waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 "
            "GPUs of one model\n"
            "4:00 small-12 waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 "
            "GPUs of one model\n"
            "4:00 small-8 running\n"
            "4:00 small-9 running\n"
            "4:00 wide succeeded\n")
      << text;
  auto const kept = audited("deployer.job.places_kept");
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].detail.at("job"), "wide");
}

TEST_F(PatienceTest, WhatIsKeptIsLentToWorkThatEndsInTime) {
  ASSERT_TRUE(submit("first", lasting("first", 1, 5 * hour, 6 * hour), ann));
  advance(hour);
  ASSERT_TRUE(submit("fills", lasting("fills", 1, 3 * hour, 4 * hour), ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  advance(3 * hour + minute);
  EXPECT_NE(why("wide").find("first in line"), std::string::npos) << why("wide");
  auto const e = *ask(JobExplain{JobId{"wide"}}, cid);
  EXPECT_TRUE(e.reserved);
  EXPECT_GT(e.starts_by_ms, clock.wall_ms());
  ASSERT_TRUE(submit("endless", lasting("endless", 1, hour), ann));
  ASSERT_TRUE(submit("long", lasting("long", 1, hour, 3 * hour), ann));
  EXPECT_EQ(state("endless"), "queued");
  EXPECT_EQ(state("long"), "queued");
  ASSERT_TRUE(submit("short", lasting("short", 1, hour / 2, hour), ann));
  advance(1'000);
  EXPECT_EQ(state("short"), "running");
  advance(hour);
  EXPECT_EQ(state("wide"), "running");
}

// Work of high priority stops others as ever, but gets nothing of what is kept.
TEST_F(PatienceTest, APreemptorTakesNothingThatIsKept) {
  auto const steady = [&](std::string const& id, std::int32_t priority) {
    auto s = lasting(id, 1, 10 * hour);
    s.priority = priority;
    return s;
  };
  ASSERT_TRUE(submit("low", steady("low", 40), ann));
  auto brief = lasting("brief", 1, 2 * hour + 30 * minute);
  ASSERT_TRUE(submit("brief", brief, ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  advance(2 * hour + 31 * minute);
  EXPECT_NE(why("wide").find("first in line"), std::string::npos);
  ASSERT_TRUE(submit("urgent", steady("urgent", 90), ann));
  advance(minute);
  EXPECT_EQ(state("urgent"), "queued") << "the free GPU is kept, the other one awaited";
  EXPECT_EQ(state("low"), "running");
  ASSERT_TRUE(ask(JobCancel{JobId{"urgent"}, ""}, ann));  // it could stop the wide one
  advance(8 * hour);
  EXPECT_EQ(state("wide"), "running");
  EXPECT_EQ(audited("deployer.job.preempted").size(), 0u);
}

TEST_F(PatienceTest, ItStartsElsewhereWhereThatIsSooner) {
  start_with(2);
  ASSERT_TRUE(submit("a-1", lasting("a", 1, 4 * hour), ann));
  ASSERT_TRUE(submit("a-2", lasting("a", 1, 4 * hour), ann));
  ASSERT_TRUE(submit("b-1", lasting("b", 1, 5 * hour), ann));
  ASSERT_TRUE(submit("b-2", lasting("b", 1, 5 * hour), ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  advance(2 * hour + minute);
  EXPECT_NE(why("wide").find("first in line"), std::string::npos);
  for (auto const* id : {"b-1", "b-2"}) ASSERT_TRUE(ask(JobCancel{JobId{id}, ""}, ann));
  advance(2'000);
  EXPECT_EQ(state("wide"), "running");
}

TEST_F(PatienceTest, ItIsKeptOverARestartAndGivenBackByACancel) {
  ASSERT_TRUE(submit("first", lasting("first", 1, 10 * hour), ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  advance(hour);
  boot();
  advance(hour + minute);
  EXPECT_NE(why("wide").find("first in line"), std::string::npos) << "its wait went on";
  boot();
  advance(minute);
  EXPECT_EQ(gpu_milli_free(), 0) << "kept again";
  ASSERT_TRUE(submit("small", lasting("small", 1, hour), ann));
  EXPECT_EQ(state("small"), "queued");
  ASSERT_TRUE(ask(JobCancel{JobId{"wide"}, ""}, cid));
  advance(2'000);
  EXPECT_EQ(state("small"), "running");
}

TEST_F(PatienceTest, ItCountsFromWhenAJobCouldStart) {
  ASSERT_TRUE(submit("first", lasting("first", 2, 3 * hour), ann));
  auto after = lasting("after", 2, hour);
  after.after = {{"first", AfterEnd::ok}};
  ASSERT_TRUE(submit("after", after, ann));
  ASSERT_TRUE(submit("second", lasting("second", 2, 3 * hour), cid));
  advance(3 * hour + minute);
  EXPECT_EQ(state("second"), "running");
  EXPECT_EQ(actor().jobs().at(JobId{"after"}).waits_since_ms(),
            actor().jobs().at(JobId{"second"}).started_at_ms);
  advance(hour);
  EXPECT_EQ(audited("deployer.job.places_kept").size(), 1u) << "of the second alone, at two hours";
}

// The limit of its owner counts; who is at it keeps no other waiting.
TEST_F(PatienceTest, WhoIsAtItsOwnersLimitKeepsNobodyWaiting) {
  ASSERT_TRUE(ask(QuotaPut{PoolId{"sim"}, "ann", 1'000, 0, 1'000, 1}, root));
  ASSERT_TRUE(submit("first", lasting("first", 1, 10 * hour), ann));
  ASSERT_TRUE(submit("beyond", lasting("beyond", 1, hour), ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  advance(2 * hour + minute);
  EXPECT_NE(why("wide").find("first in line"), std::string::npos) << why("wide");
  EXPECT_EQ(why("beyond").find("ann uses 1 of at most 1 GPUs"), 0u);
}

// It may run for ever, and what is kept is nobody's until it ends.
TEST_F(PatienceTest, WorkWithoutALimitIsAwaitedForAWhileAndNotAgain) {
  deployer_settings.trust_ms = 3 * hour;
  boot();
  ASSERT_TRUE(submit("endless", lasting("endless", 1, 100 * hour), ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  advance(2 * hour + minute);
  ASSERT_TRUE(submit("small", lasting("small", 1, 4 * hour), bob));
  advance(hour - 2 * minute);
  EXPECT_EQ(state("small"), "queued");
  advance(2 * minute);
  EXPECT_EQ(state("small"), "running");
  EXPECT_EQ(audited("deployer.job.places_lost").size(), 1u);
  advance(2 * hour + minute);
  EXPECT_EQ(audited("deployer.job.places_kept").size(), 1u);
  ASSERT_TRUE(ask(JobCancel{JobId{"endless"}, ""}, ann));
  advance(minute);
  EXPECT_EQ(audited("deployer.job.places_kept").size(), 2u) << "its turn comes again";
}

TEST_F(PatienceTest, WhoLetsGoComesAgainAfterTheNext) {
  deployer_settings.trust_ms = 4 * hour;
  start_with(2);
  ASSERT_TRUE(submit("endless", lasting("endless", 1, 100 * hour), ann));
  ASSERT_TRUE(submit("beside", lasting("beside", 1, 100 * hour), ann));
  advance(hour);
  ASSERT_TRUE(submit("later", lasting("later", 1, 9 * hour), ann));
  ASSERT_TRUE(submit("last", lasting("last", 1, 9 * hour), ann));
  ASSERT_TRUE(submit("wide", lasting("wide", 2, hour), cid));
  ASSERT_TRUE(submit("next", lasting("next", 2, hour), bob));
  advance(2 * hour + minute);
  EXPECT_NE(why("wide").find("first in line"), std::string::npos) << why("wide");
  advance(hour);
  EXPECT_NE(why("next").find("first in line"), std::string::npos) << why("next");
}

// A node does not end its work in time; a new life of the deployer waits no longer for it.
TEST_F(PatienceTest, WorkBeyondItsLimitIsAwaitedForAWhile) {
  deployer_settings.trust_ms = hour;
  boot();
  orders(n1);
  auto run = spec("run", 1);
  run.max_duration_ms = 3 * hour;
  ASSERT_TRUE(submit("run-1", run));
  run_on(n1);
  ASSERT_TRUE(submit("wide-1", spec("wide", 2)));
  keep({&n1}, 4 * hour - minute);
  EXPECT_NE(why("wide-1").find("first in line"), std::string::npos) << why("wide-1");
  boot();
  keep({&n1}, 20'000);
  ASSERT_TRUE(submit("late-1", spec("late", 1)));
  keep({&n1}, 10'000);
  EXPECT_EQ(state("late-1"), "queued");
  keep({&n1}, 2 * minute);
  EXPECT_EQ(state("late-1"), "starting");
}

// As with a GPU that has failed while the first in line held it: nobody else can free it.
TEST_F(PatienceTest, ANodeThatStaysDoubtedSendsItBackToo) {
  keep_places_on_n1();
  n1.offer = capacity(1);
  keep({&n1}, 30'000);
  EXPECT_EQ(node_state("n1"), "suspect");
  EXPECT_TRUE(audited("deployer.job.places_lost").empty()) << "it may come back";
  keep({&n1}, 2 * minute);
  EXPECT_FALSE(audited("deployer.job.places_lost").empty());
  n1.offer = capacity(2);
  keep({&n1}, minute);
  EXPECT_NE(why("wide-1").find("first in line"), std::string::npos) << "as soon as it is well";
}

TEST_F(PatienceTest, ALostNodeOfItsPlacesSendsItBackToTheQueue) {
  keep_places_on_n1();
  advance(60'000);  // silent
  EXPECT_EQ(audited("deployer.job.places_lost").size(), 1u);
  orders(n1);
  keep({&n1}, minute);
  EXPECT_NE(why("wide-1").find("first in line"), std::string::npos) << "as soon as it is back";
}

// One replica of 500 thousandths and one job of 4,000 run on a machine of 8,000.
class PatienceBesideServices : public ServicesTest {
 protected:
  void SetUp() override {
    deployer_settings.patience_ms = minute;
    ServicesTest::SetUp();
    ASSERT_TRUE(apply(web(1)));
    live(3);
    ASSERT_EQ(ready(), 1u);
    submit_wide("run-1", 4'000);
    live(1);
  }
  void submit_wide(std::string const& id, std::int64_t cpu_milli) {
    auto s = spec("wide", 0);
    s.resources.cpu_milli = cpu_milli;
    ASSERT_TRUE(submit(id, s, root));
  }
};

// It would keep all that becomes free, from everybody, and wait for ever.
TEST_F(PatienceBesideServices, WhoWaitsForRoomOfAServiceKeepsNothing) {
  submit_wide("wide-1", 7'501);
  live(80);
  EXPECT_TRUE(audited("deployer.job.places_kept").empty()) << view("wide-1").why;
  submit_wide("late-1", 3'500);
  live(2);
  EXPECT_EQ(state("late-1"), "running");
  ASSERT_TRUE(ask(ServiceRemove{"web"}, ops));
  live(15);
  EXPECT_NE(view("wide-1").why.find("first in line"), std::string::npos) << view("wide-1").why;
}

TEST_F(PatienceBesideServices, BesideAServiceItsPlacesAreKept) {
  submit_wide("wide-1", 7'500);
  live(80);
  EXPECT_EQ(audited("deployer.job.places_kept").size(), 1u);
  submit_wide("late-1", 3'500);
  live(2);
  EXPECT_EQ(state("late-1"), "queued");
  ASSERT_TRUE(ask(JobCancel{JobId{"run-1"}, ""}, root));
  live(3);
  EXPECT_EQ(state("wide-1"), "running");
}

}  // namespace
}  // namespace lepton::deployer::testing
