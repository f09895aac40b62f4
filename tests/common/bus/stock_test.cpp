// Traps of the stock libzmq 4.3.4, one by one, on bare sockets, without the rules of this project:
// if one of these tests fails, the library has changed, and its rule may go.

#include <csignal>
#include <fstream>
#include <future>

#include "common/bus/gatekeeper.hpp"
#include "tests/common/bus/bare.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

using rig::Bare;

std::string const large_text(64 << 10, 'x');

TEST(StockTrap, UserIdIsMissingOnTheFrameOfTheRoutingId) {
  rig::Visited door;
  ASSERT_TRUE(door.is_bound);
  ASSERT_TRUE(door.client.send({"body"}));
  ASSERT_TRUE(door.server.wait(5'000));
  Frame routing, body;
  ASSERT_TRUE(door.server.receive(routing) && routing.more() && door.server.receive(body));
  EXPECT_EQ(routing.user_id(), "");
  EXPECT_EQ(body.user_id(), door.keys.public_key);
}

TEST(StockTrap, HandoverGivesTheAnswerOfAVictimToAThief) {
  Context context;
  Bare server(context, ZMQ_ROUTER), victim(context, ZMQ_DEALER), thief(context, ZMQ_DEALER);
  server.set(ZMQ_ROUTER_HANDOVER, 1);
  auto const endpoint = server.bind();
  victim.set(ZMQ_ROUTING_ID, "chosen");
  victim.connect(endpoint);
  ASSERT_TRUE(victim.send("question"));
  ASSERT_EQ(server.receive(), "chosen");
  ASSERT_EQ(server.receive(), "question");
  thief.set(ZMQ_ROUTING_ID, "chosen");
  thief.connect(endpoint);
  ASSERT_TRUE(thief.send("hello"));
  ASSERT_EQ(server.receive(), "chosen");
  ASSERT_EQ(server.receive(), "hello");
  ASSERT_TRUE(server.send("chosen", ZMQ_SNDMORE) && server.send("secret of the victim"));
  EXPECT_EQ(thief.receive(), "secret of the victim");
}

TEST(StockTrap, AnswerToNobodyAndRequestToNobodySucceed) {
  Context context;
  Bare router(context, ZMQ_ROUTER), dealer(context, ZMQ_DEALER);
  router.bind();
  EXPECT_TRUE(router.send("nobody", ZMQ_SNDMORE) && router.send("lost without a word"));
  dealer.connect(rig::free_tcp());
  for (int i = 0; i < 900; ++i) EXPECT_TRUE(dealer.send("nobody listens", ZMQ_DONTWAIT));
}

TEST(StockTrap, PublisherDropsAtItsHighWaterMarkWithoutAWord) {
  Context context;
  Bare publisher(context, ZMQ_XPUB), subscriber(context, ZMQ_SUB);
  auto const endpoint = publisher.bind();
  subscriber.set(ZMQ_SUBSCRIBE, "");
  subscriber.connect(endpoint);
  ASSERT_EQ(publisher.receive(), std::string("\1", 1)) << "the subscription has arrived";
  std::string const text(1'000, 'x');
  constexpr int sent = 50'000;
  for (int i = 0; i < sent; ++i) ASSERT_TRUE(publisher.send(text));
  int received = 0;
  subscriber.set(ZMQ_RCVTIMEO, 300);
  while (subscriber.receive() != "(nothing)") ++received;
  EXPECT_LT(received, sent) << "the reader was idle, so most of it must have been dropped";
}

// The default is to wait for ever until all is sent: LINGER -1.
TEST(StockTrap, EndingWithUnsentMessagesHangs) {
  Context context;
  Bare server(context, ZMQ_ROUTER);
  server.set(ZMQ_RCVHWM, 10);
  auto const endpoint = server.bind();
  auto* const ending = zmq_ctx_new();
  auto* const socket = zmq_socket(ending, ZMQ_DEALER);
  int const queue = 100, patience_ms = 300;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof(queue));
  zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof(patience_ms));
  ASSERT_EQ(zmq_connect(socket, endpoint.c_str()), 0);
  int sent = 0;
  while (sent < 10'000 && zmq_send(socket, large_text.data(), large_text.size(), 0) > 0) ++sent;
  ASSERT_LT(sent, 10'000) << "the queue is full, and nothing has moved for a while";
  auto end = std::async(std::launch::async, [&] {
    zmq_close(socket);
    zmq_ctx_term(ending);
  });
  EXPECT_EQ(end.wait_for(std::chrono::seconds(2)), std::future_status::timeout);
  for (int i = 0; i < 2 * sent; ++i) server.receive();  // the routing id, the text
  EXPECT_EQ(end.wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

// A bare ROUTER in a process of its own, which reads `count` messages and then no more.
struct Server {
  rig::Folder folder;
  std::string endpoint = rig::free_tcp();

  std::unique_ptr<rig::Child> begin(std::string const& ledger, int count) {
    auto child = std::make_unique<rig::Child>(
        std::vector<std::string>{endpoint, folder.file(ledger), std::to_string(count)}, BARE_CHILD);
    EXPECT_TRUE(child->serves);
    return child;
  }
  std::vector<std::string> noted(std::string const& ledger) const {
    std::ifstream file(folder.file(ledger));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
};

// What the kernel and the library of the server had taken in goes with it. The one who sent it is
// told nothing, and its library connects again as if nothing had happened.
TEST(StockTrap, KilledServerLosesQueuedRequestsWithoutAWord) {
  constexpr std::size_t total = 1'000, served = 500;
  Server server;
  auto child = server.begin("first", served);
  Context context;
  Bare client(context, ZMQ_DEALER);
  client.connect(server.endpoint);
  auto const text = [](std::size_t i) { return std::to_string(i) + std::string(100, '.'); };
  for (std::size_t i = 0; i < total; ++i) ASSERT_TRUE(client.send(text(i)));
  ASSERT_TRUE(rig::until({}, [&] { return server.noted("first").size() == served; }));
  child->kill_now();
  child = server.begin("second", -1);
  ASSERT_TRUE(client.send("last")) << "no word of what was lost";
  ASSERT_TRUE(rig::until({}, [&] {
    auto const noted = server.noted("second");
    return !noted.empty() && noted.back() == "last";
  }));
  auto const survived = served + server.noted("second").size() - 1;
  EXPECT_LT(survived, total);
  RecordProperty("lost", int(total - survived));
}

// Any stranger can do it: the handshake without keys is the default.
TEST(StockTrap, UnfinishedFrameGrowsTheMemoryOfTheServer) {
  Server server;
  auto const child = server.begin("ledger", 0);
  auto const before = child->memory_kib("VmRSS:");
  rig::Wire stranger(server.endpoint);
  ASSERT_TRUE(stranger.is_open);
  std::string const ready("\5READY\x0bSocket-Type\0\0\0\6DEALER", 28);
  std::string const one_gigabyte("\2\0\0\0\0\x40\0\0\0", 9), megabyte(1u << 20, 'x');
  ASSERT_TRUE(stranger.send(rig::greeting("NULL") + "\4" + char(ready.size()) + ready));
  ASSERT_TRUE(stranger.send(one_gigabyte));
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(stranger.send(megabyte));
  EXPECT_TRUE(rig::until({}, [&] { return child->memory_kib("VmRSS:") - before > 48 * 1024; }));
}

// SNDTIMEO is -1 by default: for ever. The thread serves nobody else meanwhile.
TEST(StockTrap, AnswerThatMustArriveWaitsForAFullPeer) {
  Context context;
  Bare router(context, ZMQ_ROUTER), idle(context, ZMQ_DEALER);
  router.set(ZMQ_ROUTER_MANDATORY, 1);
  router.set(ZMQ_SNDHWM, 10);
  idle.set(ZMQ_RCVHWM, 10);
  idle.set(ZMQ_ROUTING_ID, "idle");
  idle.connect(router.bind());
  ASSERT_TRUE(idle.send("hello"));
  ASSERT_EQ(router.receive(), "idle");
  ASSERT_EQ(router.receive(), "hello");
  constexpr int patience_ms = 500;
  router.set(ZMQ_SNDTIMEO, patience_ms);
  auto start = rig::Clock::now();
  int sent = 0;
  while (sent < 100'000 && router.send("idle", ZMQ_SNDMORE)) {
    ASSERT_TRUE(router.send(large_text));
    ++sent;
    start = rig::Clock::now();
  }
  EXPECT_EQ(zmq_errno(), EAGAIN);
  EXPECT_LT(sent, 100'000) << "a queue without a limit";
  EXPECT_GE(rig::milliseconds_since(start), patience_ms - 50);
}

TEST(StockTrap, SendingWaitsForEverByDefault) {
  Context context;
  auto* const socket = zmq_socket(context.raw(), ZMQ_ROUTER);
  int patience_ms = 0;
  std::size_t size = sizeof(patience_ms);
  EXPECT_EQ(zmq_getsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, &size), 0);
  EXPECT_EQ(patience_ms, -1);
  zmq_close(socket);
}

// What libzmq tells of a socket. The event that is waited for stays known once it has come.
class Watcher {
 public:
  Watcher(Context& context, Bare& watched, std::string const& name)
      : watched_(watched), events_(context, ZMQ_PAIR) {
    auto const endpoint = "inproc://" + name;
    EXPECT_EQ(zmq_socket_monitor(watched.raw(), endpoint.c_str(), ZMQ_EVENT_ALL), 0);
    events_.connect(endpoint);
    events_.set(ZMQ_RCVTIMEO, 10);
  }
  ~Watcher() { zmq_socket_monitor(watched_.raw(), nullptr, 0); }
  Watcher(Watcher const&) = delete;
  Watcher& operator=(Watcher const&) = delete;

  bool has_heard(int wanted) {
    for (std::string event; (event = events_.receive()).size() == 6; events_.receive()) {
      auto const low = static_cast<unsigned char>(event[0]);
      heard_.insert(low | static_cast<unsigned char>(event[1]) << 8);
    }
    return heard_.contains(wanted);
  }

 private:
  Bare& watched_;
  Bare events_;
  std::set<int> heard_;
};

// Frozen, and its kernel acknowledges what arrives. The same with heartbeats beside it shows that
// there was something to notice.
TEST(StockTrap, SilentPartitionIsNotNoticed) {
  constexpr long looked_ms = 5'000;
  Server server;
  auto const child = server.begin("ledger", -1);
  Context context;
  Bare plain(context, ZMQ_DEALER), asking(context, ZMQ_DEALER);
  asking.set(ZMQ_HEARTBEAT_IVL, heartbeat_every_ms);
  asking.set(ZMQ_HEARTBEAT_TIMEOUT, silence_max_ms);
  Watcher of_plain(context, plain, "plain"), of_asking(context, asking, "asking");
  for (auto* const socket : {&plain, &asking}) socket->connect(server.endpoint);
  ASSERT_TRUE(rig::until({}, [&] {
    return of_plain.has_heard(ZMQ_EVENT_HANDSHAKE_SUCCEEDED) &&
           of_asking.has_heard(ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
  }));
  child->signal(SIGSTOP);
  auto const start = rig::Clock::now();
  int sent = 0;
  EXPECT_TRUE(rig::until(
      {},
      [&] {
        for (; sent < 500 && plain.send("in flight", ZMQ_DONTWAIT); ++sent) continue;
        return of_asking.has_heard(ZMQ_EVENT_DISCONNECTED) &&
               rig::milliseconds_since(start) > looked_ms;
      },
      20'000));
  EXPECT_FALSE(of_plain.has_heard(ZMQ_EVENT_DISCONNECTED));
  EXPECT_EQ(sent, 500) << "what nobody reads counts as sent";
}

}  // namespace
}  // namespace lepton::bus
