// Slices: what they offer, what may be taken from them, and that no share is ever two's.

#include "services/deployer/core/slice.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {
namespace {

NodeId const part{"team-a"}, machine{"big"};

Allocation held(std::int64_t cpu, std::int64_t memory, std::vector<GpuShare> gpus = {},
                std::vector<std::uint32_t> ports = {}) {
  return {machine, cpu, memory, 0, std::move(gpus), std::move(ports)};
}

Allocation in_slice(std::int64_t cpu, std::int64_t memory, std::vector<GpuShare> gpus = {}) {
  return {part, cpu, memory, 0, std::move(gpus), {}};
}

// As the deployer does it.
Status cut(Cluster& c, Allocation const& place) {
  if (auto kept = c.reserve(holder_of(part), place); !kept) return kept;
  auto spec = node("team-a", capacity_of(c.find(machine)->spec.capacity, place));
  spec.pool = PoolId{"team-a"};
  spec.machine = machine;
  return c.upsert_node(std::move(spec));
}

Status give(Cluster& c, SliceSize const& size) {
  auto next = resized(c, *c.find(part), size);
  if (!next) return next.error();
  if (auto changed = c.resize(holder_of(part), *next); !changed) return changed;
  auto spec = c.find(part)->spec;
  spec.capacity = capacity_of(c.find(machine)->spec.capacity, *next);
  return c.upsert_node(std::move(spec));
}

Cluster machine_of_four() {
  auto spec = node("big", capacity(8'000, 8'192, 4));
  for (std::size_t i = 0; i < 4; ++i) spec.capacity.gpus[i].uuid = "GPU-" + std::to_string(i);
  spec.capacity.price_per_hour_micro = 8'000'000;
  return cluster_of({spec});
}

TEST(Slice, OffersWhatItHoldsUnderTheNumbersOfItsMachine) {
  auto c = machine_of_four();
  must(cut(c, held(2'000, 4'096, {{1, 1000}, {3, 1000}}, {20'010, 20'011})));
  auto const& slice = *c.find(part);
  EXPECT_EQ(slice.full.cpu_milli(), 2'000);
  EXPECT_EQ(slice.full.gpu_milli(), 2'000u);
  EXPECT_EQ(slice.full.groups().at(0).count, 2u);
  EXPECT_EQ(slice.free.ports().lowest_free(4), (std::vector<std::uint32_t>{20'010, 20'011}));
  EXPECT_EQ(slice.spec.capacity.price_per_hour_micro, 4'000'000) << "half of its memory and GPUs";
  auto const found = place(c, ask_gpus(2), PoolId{"team-a"});
  ASSERT_TRUE(std::holds_alternative<Allocation>(found));
  EXPECT_EQ(std::get<Allocation>(found).gpus, (std::vector<GpuShare>{{1, 1000}, {3, 1000}}));
  auto const more = place(c, ask_gpus(3), PoolId{"team-a"});
  ASSERT_TRUE(std::holds_alternative<Misfit>(more));
  EXPECT_TRUE(std::get<Misfit>(more).never) << "an empty slice has two";
  auto const rest = place(c, ask_gpus(2), default_pool);
  EXPECT_EQ(std::get<Allocation>(rest).gpus, (std::vector<GpuShare>{{0, 1000}, {2, 1000}}));
  EXPECT_FALSE(c.reserve({"a"}, in_slice(100, 100, {{0, 1000}}))) << "not the slice's";
  c.check_invariants();
}

TEST(Slice, AShareOfAGpuIsNoMoreThanThat) {
  auto c = machine_of_four();
  must(cut(c, held(1'000, 1'024, {{2, 400}})));
  EXPECT_FALSE(c.reserve({"a"}, in_slice(100, 100, {{2, 500}})));
  must(c.reserve({"a"}, in_slice(100, 100, {{2, 400}})));
  must(c.reserve({"b"}, held(100, 100, {{2, 600}})));
  EXPECT_TRUE(std::holds_alternative<Misfit>(place(c, ask_gpus(1), PoolId{"team-a"})));
  c.release({"a"});
  c.check_invariants();
}

TEST(Slice, WhatAMachineHasIsCountedOnce) {
  auto c = machine_of_four();
  auto const before = c.totals();
  must(cut(c, held(2'000, 4'096, {{1, 1000}, {3, 500}})));
  auto const after = c.totals();
  EXPECT_EQ(after.cpu_milli, before.cpu_milli);
  EXPECT_EQ(after.gpu_milli, before.gpu_milli);
  EXPECT_EQ(after.gpu_milli_free, before.gpu_milli_free);
  EXPECT_EQ(c.totals({"team-a"}).gpu_milli, 1'500);
  EXPECT_EQ(c.totals(default_pool).gpu_milli, 2'500);
  EXPECT_EQ(c.machine_of(part), machine);
  EXPECT_EQ(c.machine_of(machine), machine);
}

struct Resize {
  char const* why;
  SliceSize size;
  Code code;  // unknown: it is done
};

TEST(Slice, GrowsIntoWhatIsFreeAndShrinksDownToWhatIsUsed) {
  Resize const table[] = {
      {"more than the machine has", {9'000, 4'096, 0, 0, 2}, Code::exhausted},
      {"less CPU than is used", {900, 4'096, 0, 0, 2}, Code::conflict},
      {"less memory than is used", {2'000, 1'000, 0, 0, 2}, Code::conflict},
      {"no GPU, and one is used", {2'000, 4'096}, Code::conflict},
      {"a smaller share than is used", {2'000, 4'096, 0, 0, 1, 500}, Code::conflict},
      {"more GPUs than are free", {2'000, 4'096, 0, 0, 4}, Code::exhausted},
      {"one more GPU", {2'000, 4'096, 0, 0, 3}, Code::unknown},
      {"down to what is used", {1'000, 1'024, 0, 0, 1}, Code::unknown},
      {"up again", {4'000, 8'000, 0, 0, 2}, Code::unknown},
  };
  auto c = machine_of_four();
  must(cut(c, held(2'000, 4'096, {{1, 1000}, {3, 1000}})));
  must(c.reserve({"a"}, in_slice(1'000, 1'024, {{3, 700}})));
  must(c.reserve({"b"}, held(100, 100, {{0, 1000}})));
  for (auto const& t : table) {
    auto const before = c.find(part)->spec.capacity;
    auto const done = give(c, t.size);
    EXPECT_EQ(done ? Code::unknown : done.error().code, t.code)
        << t.why << ": " << (done ? "" : done.error().what);
    if (!done) {
      EXPECT_EQ(c.find(part)->spec.capacity, before) << t.why;
    }
    EXPECT_EQ(c.find(part)->spec.capacity.gpus[3].milli, 1'000u) << t.why << ": it is used";
    c.check_invariants();
  }
}

TEST(Slice, GetsMoreGpusOfTheModelThatItHas) {
  auto spec = node("big", capacity(8'000, 8'192, 4));
  spec.capacity.gpus[2].model = spec.capacity.gpus[3].model = "H100";
  auto c = cluster_of({spec});
  must(cut(c, held(2'000, 4'096, {{3, 1000}})));
  EXPECT_FALSE(give(c, {2'000, 4'096, 0, 0, 3}));
  must(give(c, {2'000, 4'096, 0, 0, 2}));
  EXPECT_EQ(c.held(holder_of(part))->gpus, (std::vector<GpuShare>{{2, 1000}, {3, 1000}}));
}

TEST(Slice, SizesThatNothingCouldBeAreRefused) {
  for (auto const& size : {SliceSize{0, 1}, SliceSize{1, 0}, SliceSize{1, 1, 0, 0, 2, 500}})
    EXPECT_FALSE(check_size(size));
  SliceResize change;
  change.gpus = 0;
  auto const without = meant({1'000, 1'024, 0, 0, 1, 500}, change);
  ASSERT_TRUE(without);
  EXPECT_EQ(*without, (SliceSize{1'000, 1'024})) << "the share goes with its GPU";
}

// Work comes and goes in the slice and beside it while the slice changes its size.
RC_GTEST_PROP(Slice, NothingIsEverGivenTwice, ()) {
  auto c = machine_of_four();
  must(cut(c, held(2'000, 4'096, {{1, 1000}})));
  auto const sums = c.totals();
  auto const steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    auto const what = *rc::gen::inRange(0, 3);
    auto const gpus = *rc::gen::inRange<std::uint32_t>(0, 4);
    auto const milli = gpus == 1 ? *rc::gen::inRange<std::uint32_t>(1, 1001) : 1000u;
    auto const cpu = *rc::gen::inRange<std::int64_t>(1, 5'000);
    if (what == 0) {
      (void)give(c, {cpu, *rc::gen::inRange<std::int64_t>(1, 8'192), 0, 0, gpus, milli});
    } else if (what == 1) {
      auto const pool = *rc::gen::arbitrary<bool>() ? PoolId{"team-a"} : default_pool;
      auto request = ask_gpus(gpus, milli);
      request.cpu_milli = cpu;
      auto const found = place(c, request, pool);
      if (auto const* where = std::get_if<Allocation>(&found))
        must(c.reserve({"job-" + std::to_string(i)}, *where));
    } else {
      c.release({"job-" + std::to_string(*rc::gen::inRange(0, steps))});
    }
    c.check_invariants();
    RC_ASSERT(c.totals().gpu_milli == sums.gpu_milli && c.totals().cpu_milli == sums.cpu_milli);
  }
}

}  // namespace
}  // namespace lepton::deployer
