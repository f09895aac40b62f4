// Slices that begin later, end, or are for some only.

#include "schemas/slice.hpp"
#include "tests/services/deployer/rig.hpp"

namespace lepton::deployer::testing {
namespace {

constexpr TimeMs minute = 60'000;

class ReservationsTest : public DeployerTest {
 protected:
  void SetUp() override {
    n1.offer = capacity(4);
    boot();
    orders(n1);
  }
  SliceCreate exam(std::uint32_t gpus, TimeMs in_ms, TimeMs for_ms = 0) {
    SliceCreate m;
    m.name = "exam";
    m.size = {1'000, 1'024, 0, 0, gpus};
    m.window.begins_at_ms = in_ms == 0 ? 0 : clock.wall_ms() + in_ms;
    if (for_ms > 0) m.window.ends_at_ms = clock.wall_ms() + in_ms + for_ms;
    return m;
  }
  JobSpec limited(std::string name, std::uint32_t gpus, TimeMs limit_ms) {
    auto s = spec(std::move(name), gpus);
    s.max_duration_ms = limit_ms;
    return s;
  }
  JobSpec inside(JobSpec s) {
    s.pool = PoolId{"exam"};
    return s;
  }
  NodeState slice_state() {
    auto const page = ask(SliceList{"exam"}, root);
    return page ? page->slices.at(0).parts.at(0).state : NodeState::down;
  }
  std::string why(std::string const& id) { return view(id).why; }
};

TEST_F(ReservationsTest, ItsPlacesAreKeptAsTheyBecomeFreeAndLentUntilItBegins) {
  ASSERT_TRUE(submit("run-1", limited("run", 4, 5 * minute)));
  auto const running = run_on(n1);
  auto const made = ask(exam(3, 20 * minute), root);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(slice_state(), NodeState::unknown);
  end_on(n1, running);
  EXPECT_EQ(gpu_milli_free(), 1'000) << "three are kept from now on";
  ASSERT_TRUE(submit("endless-1", spec("endless", 2)));
  EXPECT_EQ(state("endless-1"), "queued");
  auto const told = ask(JobExplain{JobId{"endless-1"}}, ann);
  ASSERT_TRUE(told);
  EXPECT_NE(told->what.find("room is kept for slice 'exam' in 20.0 min"), std::string::npos)
      << told->what;
  ASSERT_TRUE(submit("late-1", limited("late", 2, 30 * minute)));
  EXPECT_EQ(state("late-1"), "queued");
  ASSERT_TRUE(submit("short-1", limited("short", 3, 10 * minute)));
  EXPECT_EQ(state("short-1"), "starting") << "it ends before";
  auto const lent = run_on(n1);
  end_on(n1, lent);
  EXPECT_EQ(gpu_milli_free(), 1'000) << "and is kept again";
  keep({&n1}, 21 * minute);
  EXPECT_EQ(slice_state(), NodeState::ready);
  EXPECT_EQ(audited("deployer.slice.begun").size(), 1u);
  ASSERT_TRUE(submit("in-1", inside(spec("in", 3))));
  EXPECT_EQ(state("in-1"), "starting");
}

TEST_F(ReservationsTest, WhatIsKeptForSeveralIsToldByTimeUpToThreeOfThem) {
  for (auto const& [name, in_ms] : {std::pair("b", 30 * minute), std::pair("a", 10 * minute),
                                    std::pair("c", 20 * minute), std::pair("d", 40 * minute)}) {
    auto slice = exam(1, in_ms);
    slice.name = name;
    ASSERT_TRUE(ask(slice, root)) << name;
  }
  ASSERT_TRUE(submit("endless-1", spec("endless", 1)));
  auto const told = ask(JobExplain{JobId{"endless-1"}}, ann);
  ASSERT_TRUE(told);
  EXPECT_NE(told->what.find("; room is kept for slice 'a' in 10.0 min, slice 'c' in 20.0 min, "
                            "slice 'b' in 30.0 min and 1 more"),
            std::string::npos)
      << told->what;
}

TEST_F(ReservationsTest, WhatCannotBeKeptIsRefused) {
  ASSERT_TRUE(submit("run-1", limited("run", 2, 30 * minute)));
  run_on(n1);
  ASSERT_TRUE(submit("endless-1", spec("endless", 1)));
  run_on(n1);
  auto const late = ask(exam(2, 20 * minute), root);
  EXPECT_EQ(outcome(late), "exhausted");
  EXPECT_NE(late.error().what.find("when job run-1 ends"), std::string::npos) << late.error().what;
  EXPECT_EQ(outcome(ask(exam(4, 60 * minute), root)), "exhausted") << "one never ends";
  EXPECT_TRUE(ask(exam(3, 60 * minute), root));
  EXPECT_EQ(outcome(ask(exam(1, 60 * minute), root)), "conflict") << "it is there already";
  auto other = exam(1, 60 * minute);
  other.name = "other";
  EXPECT_EQ(outcome(ask(other, root)), "exhausted") << "what is kept for one is no other's";
  other.machine = NodeId{"n1"};
  EXPECT_EQ(outcome(ask(other, root)), "invalid");
  auto backwards = exam(1, 60 * minute);
  backwards.window.ends_at_ms = backwards.window.begins_at_ms - 1;
  EXPECT_EQ(outcome(ask(backwards, root)), "invalid");
}

TEST_F(ReservationsTest, IsForThoseItNamesAndForWorkThatEndsBeforeIt) {
  auto m = exam(2, 0, 30 * minute);
  m.window.users = {"ann"};
  ASSERT_TRUE(ask(m, root));
  ASSERT_TRUE(submit("bob-1", inside(limited("of-bob", 1, 5 * minute)), bob));
  EXPECT_EQ(state("bob-1"), "queued");
  EXPECT_EQ(ask(JobShow{JobId{"bob-1"}}, bob)->why, "slice 'exam' is for ann");
  ASSERT_TRUE(submit("endless-1", inside(spec("endless", 1))));
  EXPECT_EQ(state("endless-1"), "queued");
  EXPECT_NE(why("endless-1").find("ends in 30.0 min"), std::string::npos) << why("endless-1");
  ASSERT_TRUE(submit("ann-1", inside(limited("of-ann", 1, 20 * minute))));
  EXPECT_EQ(state("ann-1"), "starting");
  auto const attempt = run_on(n1);
  keep({&n1}, 15 * minute);
  ASSERT_TRUE(submit("ann-2", inside(limited("more", 1, 20 * minute))));
  EXPECT_EQ(state("ann-2"), "queued") << "it would end too late by now";
  end_on(n1, attempt);
  keep({&n1}, 16 * minute);
  EXPECT_EQ(outcome(ask(SliceList{"exam"}, root)), "not_found");
  EXPECT_EQ(audited("deployer.slice.ended").size(), 1u);
  EXPECT_EQ(gpu_milli_free(), 4'000);
}

TEST_F(ReservationsTest, OutlivesTheDeployerBeforeAndAfterItBegins) {
  ASSERT_TRUE(submit("run-1", limited("run", 2, 5 * minute)));
  auto const running = run_on(n1);
  ASSERT_TRUE(ask(exam(4, 10 * minute, 10 * minute), root));
  EXPECT_EQ(gpu_milli_free(), 0);
  boot();
  orders(n1);
  EXPECT_EQ(gpu_milli_free(), 0) << "what is free is kept";
  end_on(n1, running);
  EXPECT_EQ(gpu_milli_free(), 0);
  keep({&n1}, 11 * minute);
  EXPECT_EQ(slice_state(), NodeState::ready);
  boot();
  orders(n1);
  EXPECT_EQ(slice_state(), NodeState::ready);
  keep({&n1}, 10 * minute);
  EXPECT_EQ(gpu_milli_free(), 4'000);
}

TEST_F(ReservationsTest, OneThatHasNotBegunIsReleasedAtOnce) {
  ASSERT_TRUE(ask(exam(4, 10 * minute), root));
  ASSERT_TRUE(submit("job-1", spec("waits", 2)));
  EXPECT_EQ(state("job-1"), "queued");
  SliceResize change;
  change.name = "exam";
  change.gpus = 1;
  EXPECT_EQ(outcome(ask(change, root)), "conflict");
  EXPECT_EQ(ask(SliceRelease{"exam"}, root)->parts, 1u);
  EXPECT_EQ(state("job-1"), "starting");
  boot();
  orders(n1);
  EXPECT_EQ(outcome(ask(SliceList{"exam"}, root)), "not_found");
}

TEST_F(ReservationsTest, NamesOfPartsAreNobodyElses) {
  auto two = exam(1, 10 * minute);
  two.parts = 2;
  ASSERT_TRUE(ask(two, root));
  auto other = exam(1, 0);
  other.name = "exam-0";
  EXPECT_EQ(outcome(ask(other, root)), "conflict");
  FakeNode late{"exam-1"};
  EXPECT_EQ(outcome(sync(late)), "conflict") << "it is to be a slice";
  auto mixed = exam(1, 0);
  mixed.name = "mixed";
  mixed.pool = PoolId{"exam"};
  mixed.window.users = {"ann"};
  EXPECT_EQ(outcome(ask(mixed, root)), "invalid") << "it would share a pool with others";
  mixed.pool = PoolId{"default"};
  EXPECT_EQ(outcome(ask(mixed, root)), "invalid");
}

TEST_F(ReservationsTest, MachinesKeepOutOfAPoolThatIsToBeForSome) {
  auto m = exam(1, 10 * minute);
  m.window.users = {"ann"};
  ASSERT_TRUE(ask(m, root));
  n2.pool = PoolId{"exam"};
  EXPECT_EQ(outcome(sync(n2)), "conflict");
  ASSERT_TRUE(submit("job-1", spec("runs", 1)));
  auto const attempt = run_on(n1);
  n1.pool = PoolId{"exam"};
  EXPECT_TRUE(orders(n1).stops.empty()) << "a known machine is heard all the same";
  EXPECT_EQ(actor().cluster().find(NodeId{"n1"})->spec.pool, PoolId{"default"});
  end_on(n1, attempt);
  EXPECT_EQ(state("job-1"), "succeeded");
}

TEST_F(ReservationsTest, OneWhoseEndComesBeforeItsRoomIsGivenUp) {
  auto run = limited("run", 4, 5 * minute);
  run.autonomous = true;
  ASSERT_TRUE(submit("run-1", run));
  run_on(n1);
  ASSERT_TRUE(ask(exam(2, 10 * minute, 5 * minute), root));
  advance(16 * minute);  // the machine is silent, and nobody knows what has ended there
  EXPECT_EQ(outcome(ask(SliceList{"exam"}, root)), "not_found");
  EXPECT_EQ(audited("deployer.slice.ended").at(0).outcome, AuditOutcome::failed);
}

TEST_F(ReservationsTest, NobodyStopsWorkWhoseRoomIsToBeASlices) {
  auto low = limited("low", 4, 5 * minute);
  low.priority = 10;
  ASSERT_TRUE(submit("low-1", low));
  run_on(n1);
  ASSERT_TRUE(ask(exam(4, 10 * minute), root));
  auto high = spec("high", 2);
  high.priority = 90;
  ASSERT_TRUE(submit("high-1", high));
  keep({&n1}, 5'000);
  EXPECT_EQ(state("low-1"), "running") << "what it gives back would not start the other";
}

}  // namespace
}  // namespace lepton::deployer::testing
