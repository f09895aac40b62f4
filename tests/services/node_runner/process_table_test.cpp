#include "services/node/runner/process_table.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lepton::node {
namespace {

constexpr auto tail = " 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3";

TEST(ParseStat, ReadsNamesWithSpacesAndParentheses) {
  auto const process = parse_stat("42 (a) b (c) S 7 42 40 0 -1" + std::string(tail));
  ASSERT_TRUE(process);
  EXPECT_EQ(process->pid, 42);
  EXPECT_EQ(process->parent, 7);
  EXPECT_EQ(process->session, 40);
  EXPECT_EQ(process->state, 'S');
  EXPECT_EQ(process->start_ticks, 987654);
}

TEST(ParseStat, RefusesOtherText) {
  for (auto const* text : {"", "42", "42 (a", "42 (a) S 7", "x (a) S 7 42 40 0 -1"})
    EXPECT_FALSE(parse_stat(text)) << text;
}

TEST(Processes, FindThemselves) {
  auto const me = read_process(::getpid());
  ASSERT_TRUE(me);
  EXPECT_EQ(me->parent, ::getppid());
  EXPECT_FALSE(read_process(0));
}

ProcessEntry entry(std::int64_t pid, std::int64_t parent, char state = 'S') {
  return {pid, parent, 1, pid, state};
}

TEST(Descendants, AreFoundThroughTheDeadAndWithoutCircles) {
  std::vector<ProcessEntry> const all{entry(10, 1),  entry(11, 10, 'Z'), entry(12, 11),
                                      entry(13, 12), entry(20, 1),       entry(30, 31),
                                      entry(31, 30)};
  std::vector<std::int64_t> pids;
  for (auto const& process : descendants(all, 10)) pids.push_back(process.pid);
  EXPECT_EQ(pids, (std::vector<std::int64_t>{12, 13}));
  EXPECT_EQ(descendants(all, 30).size(), 1u);
}

TEST(Members, OfASessionWhoseNumberSomebodyElseLeadsNowAreNone) {
  std::vector<ProcessEntry> all{{500'000'000, 1, 500'000'000, 77, 'S'},
                                {500'000'001, 1, 500'000'000, 78, 'S'}};
  EXPECT_EQ(members(all, "/none", 500'000'000, 77).size(), 2u);
  EXPECT_TRUE(members(all, "/none", 500'000'000, 50).empty());
  all.erase(all.begin());  // the leader ended, its session lives on
  EXPECT_EQ(members(all, "/none", 500'000'000, 77).size(), 1u);
}

TEST(SignalExactly, SparesAProcessThatOnlyHasTheSamePid) {
  auto const child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  auto const real = *read_process(child);
  auto other = real;
  other.start_ticks += 1;
  EXPECT_FALSE(signal_exactly(other, SIGKILL));
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);
  EXPECT_TRUE(signal_exactly(real, SIGKILL));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(signal_exactly(real, SIGKILL));
  EXPECT_FALSE(signal_exactly({1, 0, 0, 0, 'S'}, 0));
}

}  // namespace
}  // namespace lepton::node
