// What becomes of jobs that want the same GPUs, as stories of a few lines.

#include "schemas/quota.hpp"
#include "schemas/slice.hpp"
#include "tests/services/deployer/transcript.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TimeMs minute = 60'000;

class TranscriptTest : public DeployerTest {
 protected:
  Transcript transcript;
  TimeMs now_ = 0;

  void SetUp() override { deployer_settings.tick_ms = 1'000; }
  // Machines of two GPUs each.
  void start(int nodes) {
    boot();
    ASSERT_TRUE(ask(simulated_nodes(nodes), root));
  }
  JobSpec lasting(std::uint32_t gpus, int minutes, int limit_minutes = 0) {
    auto s = simulated(minutes * minute, gpus);
    s.max_duration_ms = limit_minutes * minute;
    return s;
  }
  void come(std::string const& id, JobSpec const& s, As const& who) {
    ASSERT_TRUE(submit(id, s, who)) << id;
  }
  void pass(int minutes) {
    for (auto const until = now_ + minutes * minute; now_ < until; now_ += minute) {
      transcript.look_at(now_, actor());
      advance(minute);
    }
  }
};

TEST_F(TranscriptTest, WhatIsMoreImportantGoesFirstAndTheOtherGoesOnAfterwards) {
  start(1);
  auto low = lasting(2, 30), high = lasting(2, 10);
  low.priority = 10;
  low.checkpoint_interval_ms = 4 * minute;
  high.priority = 90;
  come("low", low, ann);
  pass(5);
  come("high", high, bob);
  pass(45);
  EXPECT_EQ(transcript.text(),
            "0:00 low running\n"
            "0:05 high waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 2 GPUs of "
            "one model\n"
            "0:06 high running\n"
            "0:06 low waits: preempted by job high (priority 90, its own is 10), 1.0 min of work "
            "since its last checkpoint; it waits for its turn; now no node fits: gpus short on 1 "
            "node; nearest: node s1 lacks 2 GPUs of one model\n"
            "0:16 high succeeded\n"
            "0:16 low running\n"
            "0:46 low succeeded\n");
}

TEST_F(TranscriptTest, WhoIsOwedGpusTakesThemBackFromWhoHasBorrowedThem) {
  start(2);
  for (auto const* owner : {"ann", "bob"})
    ASSERT_TRUE(ask(QuotaPut{PoolId{"sim"}, owner, 2'000, 0, 0, 1}, root));
  for (auto const* id : {"bob-1", "bob-2", "bob-3", "bob-4"}) {
    come(id, lasting(1, 20), bob);
    pass(1);
  }
  come("ann-1", lasting(1, 5), ann);
  come("ann-2", lasting(1, 5), ann);
  pass(30);
  EXPECT_EQ(transcript.text(),
            "0:00 bob-1 running\n"
            "0:01 bob-2 running\n"
            "0:02 bob-3 running\n"
            "0:03 bob-4 running\n"
            "0:04 ann-1 waits: no node fits: gpus short on 2 nodes; nearest: node s1 lacks 1 GPUs "
            "of one model\n"
            "0:04 ann-2 waits: no node fits: gpus short on 2 nodes; nearest: node s1 lacks 1 GPUs "
            "of one model\n"
            "0:05 ann-1 running\n"
            "0:05 ann-2 running\n"
            "0:05 bob-3 waits: preempted by job ann-2 (ann takes back what bob had borrowed), 2.0 "
            "min of work lost; it waits for its turn; now no node fits: gpus short on 2 nodes; "
            "nearest: node s1 lacks 1 GPUs of one model\n"
            "0:05 bob-4 waits: preempted by job ann-1 (ann takes back what bob had borrowed), 1.0 "
            "min of work lost; it waits for its turn; now no node fits: gpus short on 2 nodes; "
            "nearest: node s1 lacks 1 GPUs of one model\n"
            "0:10 ann-1 succeeded\n"
            "0:10 ann-2 succeeded\n"
            "0:10 bob-3 running\n"
            "0:10 bob-4 running\n"
            "0:20 bob-1 succeeded\n"
            "0:21 bob-2 succeeded\n"
            "0:30 bob-3 succeeded\n"
            "0:30 bob-4 succeeded\n");
}

TEST_F(TranscriptTest, ShortWorkFillsTheTimeUntilTheFirstInLineCanStart) {
  start(1);
  come("runs", lasting(1, 20, 25), ann);
  come("wide", lasting(2, 5, 10), ann);
  come("long", lasting(1, 20, 30), bob);
  come("short", lasting(1, 4, 6), bob);
  pass(55);
  EXPECT_EQ(transcript.text(),
            "0:00 long waits: would delay job wide, whose room is reserved in 25.1 min at the "
            "latest\n"
            "0:00 runs running\n"
            "0:00 short running\n"
            "0:00 wide waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 GPUs of "
            "one model\n"
            "0:04 long waits: would delay job wide, whose room is reserved in 21.1 min at the "
            "latest\n"
            "0:04 short succeeded\n"
            "0:20 long waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 GPUs of "
            "one model\n"
            "0:20 runs succeeded\n"
            "0:20 wide running\n"
            "0:25 long running\n"
            "0:25 wide succeeded\n"
            "0:45 long succeeded\n");
}

// Each could take half of the machines and wait for the other's half for ever.
TEST_F(TranscriptTest, TwoGangsThatEachFindHalfOfTheirPlacesRunOneAfterTheOther) {
  deployer_settings.patience_ms = 5 * minute;
  start(2);
  come("first-half", lasting(2, 20), ann);
  auto gang = lasting(1, 10);
  gang.nodes = 4;
  come("gang-a", gang, ann);
  come("gang-b", gang, bob);
  pass(50);
  EXPECT_EQ(transcript.text(),
            "0:00 first-half running\n"
            "0:00 gang-a waits: 2 of 4 tasks fit, then no node: gpus short on 2 nodes; nearest: "
            "node s1 lacks 1 GPUs of one model\n"
            "0:00 gang-b waits: 2 of 4 tasks fit, then no node: gpus short on 2 nodes; nearest: "
            "node s1 lacks 1 GPUs of one model\n"
            "0:06 gang-a waits: has waited for 0.1 h and is first in line: its places are kept as "
            "they become free\n"
            "0:20 first-half succeeded\n"
            "0:20 gang-a running\n"
            "0:20 gang-b waits: 0 of 4 tasks fit, then no node: gpus short on 2 nodes; nearest: "
            "node s1 lacks 1 GPUs of one model\n"
            "0:21 gang-b waits: has waited for 0.3 h and is first in line: its places are kept as "
            "they become free\n"
            "0:30 gang-a succeeded\n"
            "0:30 gang-b running\n"
            "0:40 gang-b succeeded\n");
}

TEST_F(TranscriptTest, WorkersJoinWhereThereIsRoomAndGiveWay) {
  start(1);
  auto elastic = lasting(1, 20);
  elastic.nodes_max = 2;
  come("elastic", elastic, ann);
  pass(5);
  come("other", lasting(1, 5), bob);
  pass(25);
  EXPECT_EQ(transcript.text(),
            "0:00 elastic running\n"
            "0:01 elastic-w0-r1 running\n"
            "0:05 other waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 1 GPUs "
            "of one model\n"
            "0:06 elastic-w0-r1 waits: preempted by job other (priority 50, its own is 40), 5.0 "
            "min of work lost; it waits for its turn; now no node fits: gpus short on 1 node; "
            "nearest: node s1 lacks 1 GPUs of one model\n"
            "0:06 other running\n"
            "0:11 elastic-w0-r1 running\n"
            "0:11 other succeeded\n"
            "0:20 elastic succeeded\n"
            "0:20 elastic-w0-r1 stopping\n"
            "0:21 elastic-w0-r1 cancelled\n");
}

TEST_F(TranscriptTest, WhatIsReservedIsLentToWorkThatEndsInTime) {
  start(1);
  SliceCreate m;
  m.name = "review";
  m.from = PoolId{"sim"};
  m.size = {1'000, 1'024, 0, 0, 2, 1'000};
  m.window.begins_at_ms = clock.wall_ms() + 20 * minute;
  m.window.ends_at_ms = m.window.begins_at_ms + 15 * minute;
  ASSERT_TRUE(ask(m, root));
  come("short", lasting(2, 5, 10), ann);
  come("long", lasting(2, 10, 60), ann);
  pass(21);
  auto inside = lasting(2, 5, 10);
  inside.pool = PoolId{"review"};
  come("inside", inside, bob);
  pass(40);
  EXPECT_EQ(transcript.text(),
            "0:00 long waits: no node fits: gpus short on 1 node; nearest: node s1 lacks 2 GPUs of "
            "one model\n"
            "0:00 short running\n"
            "0:05 short succeeded\n"
            "0:21 inside running\n"
            "0:26 inside succeeded\n"
            "0:35 long running\n"
            "0:45 long succeeded\n");
}

}  // namespace
}  // namespace lepton::deployer::testing
