// What once aborted the process from inside libzmq (docs/decisions/0005).

#include <poll.h>

#include <thread>

#include "common/bus/gatekeeper.hpp"
#include "common/bus/sockets.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

// Sends until the queues at both ends and the kernel between them take no more.
void fill(Socket& socket, std::string const& identity) {
  constexpr int messages_max = 100'000, full_looks = 20;
  std::string const body(64 << 10, 'x');
  for (int sent = 0, full = 0; full < full_looks; ++sent) {
    ASSERT_LT(sent, messages_max) << "a queue without a limit";
    if ((identity.empty() || socket.send({identity}, true) == Sent::done) &&
        socket.send({body}) == Sent::done) {
      full = 0;
    } else {
      ++full;
      ::poll(nullptr, 0, 10);  // libzmq's thread moves messages to the kernel meanwhile
    }
  }
}

// The peer dies with answers unread, which resets the connection, while our receive queue is full.
TEST(Abort, APeerThatDiesWhileOurQueueIsFullHarmsNobody) {
  Limits limits;
  limits.receive_queue_max = limits.send_queue_max = 10;
  Context context;
  auto const keys = rig::keys();
  auto gatekeeper = Gatekeeper::start(context, {});
  ASSERT_TRUE(gatekeeper);
  auto server = Socket::server(context, Pattern::router, client_domain, keys, limits);
  ASSERT_TRUE(server && server->bind("tcp://127.0.0.1:0"));
  std::string identity;
  {
    Context of_peer;
    auto peer = Socket::client(of_peer, Pattern::dealer, keys.public_key, rig::keys(), limits);
    ASSERT_TRUE(peer && peer->connect(server->last_endpoint()));
    while (peer->send({"hello"}) != Sent::done) std::this_thread::yield();
    Frame first, hello;
    ASSERT_TRUE(server->wait(5'000) && server->receive(first) && server->receive(hello));
    identity = first.bytes();
    fill(*server, identity);
    fill(*peer, "");
  }
  // What aborted was libzmq's timer with a period of a second: nothing tells that it did nothing.
  ::poll(nullptr, 0, heartbeat_every_ms + 500);
  Frame frame;
  ASSERT_TRUE(server->receive(frame)) << "what the peer had sent is still there";
  EXPECT_EQ(frame.bytes(), identity);
}

}  // namespace
}  // namespace lepton::bus
