#include <gtest/gtest.h>

#include "common/sim/agenda.hpp"
#include "common/sim/journal.hpp"
#include "common/sim/network.hpp"

namespace lepton::sim {
namespace {

TEST(Agenda, ByTimeThenByOrder) {
  Agenda agenda;
  std::string order;
  agenda.at(5, [&] { order += 'c'; });
  agenda.at(1, [&] { order += 'a'; });
  agenda.at(1, [&] { order += 'b'; });
  while (!agenda.empty()) agenda.take()();
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(agenda.now(), 5);
  agenda.at(2, [] {});
  EXPECT_EQ(agenda.next_at(), 5) << "nothing happens in the past";
}

TEST(Faults, SwarmSwitchesEachKindOnForSomeSeedsOnly) {
  int cuts = 0, crashes = 0, lossy = 0, doubts = 0, all_calm = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    auto const f = Faults::draw(seed);
    EXPECT_EQ(f.text(), Faults::draw(seed).text());
    cuts += f.cut_every_ms > 0;
    crashes += f.crash_every_ms > 0;
    lossy += f.loss > 0;
    doubts += f.in_doubt > 0;
    all_calm += f.text() == f.healed().text();
    EXPECT_EQ(f.healed().loss + f.healed().in_doubt + double(f.healed().crash_every_ms), 0);
  }
  for (int n : {cuts, crashes, lossy, doubts}) {
    EXPECT_GT(n, 120);
    EXPECT_LT(n, 280);
  }
  EXPECT_LT(all_calm, 40);
}

TEST(Network, LosesAndDoublesAsOftenAsAsked) {
  Faults faults;
  faults.loss = 0.2, faults.duplicate = 0.5;
  faults.delay_min_ms = 2, faults.delay_max_ms = 9;
  Network network(1, faults);
  int lost = 0, twice = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto const fate = network.draw();
    lost += fate.copies == 0;
    twice += fate.copies == 2;
    for (std::size_t k = 0; k < fate.copies; ++k) {
      EXPECT_GE(fate.delays[k], 2);
      EXPECT_LE(fate.delays[k], 9);
    }
  }
  EXPECT_NEAR(lost, 2'000, 150);
  EXPECT_NEAR(twice, 4'000, 200);
}

TEST(Network, CutsHaveADirectionAndAnEnd) {
  Network network(1, {});
  network.cut(0, 1, 100);
  network.cut(0, 1, 50);
  EXPECT_TRUE(network.is_cut(0, 1, 99)) << "a shorter cut does not heal a longer one";
  EXPECT_FALSE(network.is_cut(1, 0, 50));
  EXPECT_FALSE(network.is_cut(0, 1, 100));
  network.cut(1, 0, 1'000);
  network.heal({});
  EXPECT_FALSE(network.is_cut(1, 0, 200));
}

TEST(Journal, KeepsTheLastLinesAndHashesAll) {
  Journal a, b;
  for (int i = 0; i < 100; ++i) a.note(i, "line " + std::to_string(i));
  EXPECT_EQ(a.text().find("line 59\n"), std::string::npos);
  EXPECT_NE(a.text().find("line 60\n"), std::string::npos);
  EXPECT_NE(a.text().find("line 99\n"), std::string::npos);
  a.trace(1, "x", "y", "head", "body");
  b.trace(1, "x", "y", "head", "body");
  EXPECT_EQ(a.hash(), b.hash());
  a.trace(2, "x", "y", "head", "body");
  b.trace(2, "x", "y", "headb", "ody");
  EXPECT_NE(a.hash(), b.hash()) << "where one part ends and the next begins counts";
}

}  // namespace
}  // namespace lepton::sim
