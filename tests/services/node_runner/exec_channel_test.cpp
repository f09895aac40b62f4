// The socket between the node and a runner: a command with its streams, words, and who is refused.

#include "services/node/runner/exec_channel.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/services/node_runner/support.hpp"

namespace lepton::node {
namespace {

struct Sockets {
  Fd node, runner;
};

Sockets pair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

ExecCall call(std::vector<std::string> command) {
  ExecCall c;
  c.command = std::move(command);
  for (auto& stream : c.streams) stream = Fd(::dup(STDERR_FILENO));
  return c;
}

TEST(ExecChannel, ACommandArrivesWithItsStreams) {
  auto const sockets = pair();
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  Fd const reads(ends[0]);
  auto sent = call({"sh", "-c", "echo 'a b'\n\\", ""});
  sent.streams[1] = Fd(ends[1]);
  ASSERT_TRUE(send_call(sockets.node, sent));
  auto const got = receive_call(sockets.runner);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->command, sent.command);
  ASSERT_EQ(::write(got->streams[1].get(), "hi", 2), 2);
  char text[2];
  ASSERT_EQ(::read(reads.get(), text, 2), 2);
  EXPECT_EQ(std::string_view(text, 2), "hi");
}

TEST(ExecChannel, WordsAndHangUps) {
  auto sockets = pair();
  ASSERT_TRUE(send_word(sockets.runner, {ExecWord::Kind::ended, 137, "by a signal"}));
  auto const word = receive_word(sockets.node);
  ASSERT_TRUE(word);
  EXPECT_EQ(word->kind, ExecWord::Kind::ended);
  EXPECT_EQ(word->exit_code, 137);
  EXPECT_EQ(word->why, "by a signal");
  sockets.runner.reset();
  EXPECT_EQ(receive_word(sockets.node).error().code, Code::unavailable);
  EXPECT_FALSE(send_word(sockets.node, {})) << "and no signal ends the program";
}

TEST(ExecChannel, WhatIsNoCommandIsRefused) {
  auto const sockets = pair();
  ASSERT_TRUE(send_word(sockets.node, {}));
  EXPECT_EQ(receive_call(sockets.runner).error().code, Code::invalid) << "no streams";
  ASSERT_TRUE(send_call(sockets.node, call({})));
  EXPECT_FALSE(receive_call(sockets.runner)) << "no program";
  ASSERT_EQ(::send(sockets.node.get(), "\xff\xfe", 2, 0), 2);
  EXPECT_FALSE(receive_call(sockets.runner)) << "no record";
  EXPECT_EQ(receive_call(sockets.runner).error().code, Code::timeout) << "nothing";
}

TEST(ExecChannel, TheDoorIsTheOwnersAlone) {
  Folder const folder;
  EXPECT_EQ(reach_exec_door(folder.path()).error().code, Code::conflict) << "nobody listens";
  EXPECT_EQ(reach_exec_door(folder.path() + "/none").error().code, Code::not_found);
  auto const door = open_exec_door(folder.path());
  ASSERT_TRUE(door) << door.error().what;
  struct stat about {};
  ASSERT_EQ(::stat((folder.path() + "/exec").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  auto const node = reach_exec_door(folder.path());
  ASSERT_TRUE(node) << node.error().what;
  EXPECT_TRUE(accept_exec(*door));
  EXPECT_TRUE(open_exec_door(folder.path())) << "a later runner takes the place of a dead one";
}

TEST(ExecChannel, FramesOfInput) {
  EXPECT_EQ(input_frame("abc"), std::string("d\0\0\0\3abc", 8));
  EXPECT_EQ(input_frame(std::string(70'000, 'x')).substr(0, 5), std::string("d\0\x01\x11\x70", 5));
  EXPECT_EQ(input_end(), std::string("e\0\0\0\0", 5));
}

}  // namespace
}  // namespace lepton::node
