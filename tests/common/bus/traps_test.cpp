// Traps of the stock libzmq 4.3.4, one by one. The tests of the first kind show the trap itself on
// bare sockets, without the rules of this project: if one of them fails, the library has changed,
// and its rule may go. The others show that the bus does not fall into it. docs/reliability.md has
// the whole list.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <future>

#include "common/bus/gatekeeper.hpp"
#include "common/bus/probe.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

// A bare socket: no keys, no limits, nothing but a bounded wait and end.
class Bare {
 public:
  Bare(Context& context, int type) : raw_(zmq_socket(context.raw(), type)) {
    set(ZMQ_LINGER, 0);
    set(ZMQ_RCVTIMEO, 2'000);
    set(ZMQ_SNDTIMEO, 2'000);
  }
  ~Bare() { zmq_close(raw_); }
  Bare(Bare const&) = delete;
  Bare& operator=(Bare const&) = delete;

  void set(int option, int value) { zmq_setsockopt(raw_, option, &value, sizeof(value)); }
  void set(int option, std::string const& value) {
    zmq_setsockopt(raw_, option, value.data(), value.size());
  }
  std::string bind() {
    EXPECT_EQ(zmq_bind(raw_, "tcp://127.0.0.1:*"), 0);
    char endpoint[64];
    std::size_t size = sizeof(endpoint);
    EXPECT_EQ(zmq_getsockopt(raw_, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    return endpoint;
  }
  void connect(std::string const& endpoint) { EXPECT_EQ(zmq_connect(raw_, endpoint.c_str()), 0); }
  bool send(std::string const& text, int flags = 0) {
    return zmq_send(raw_, text.data(), text.size(), flags) >= 0;
  }
  std::string receive() {
    char buffer[4096];  // longer messages count as they are, and come truncated
    auto const size = zmq_recv(raw_, buffer, sizeof(buffer), 0);
    return size < 0 ? "(nothing)"
                    : std::string(buffer, std::min(sizeof(buffer), static_cast<std::size_t>(size)));
  }
  void* raw() const { return raw_; }

 private:
  void* raw_;
};

TEST(StockTrap, UserIdIsMissingOnTheFrameOfTheRoutingId) {
  Context context;
  auto const server_keys = rig::keys(), keys = rig::keys();
  auto const gatekeeper = Gatekeeper::start(context, {});
  ASSERT_TRUE(gatekeeper);
  auto server = Socket::server(context, Pattern::router, client_domain, server_keys, {});
  ASSERT_TRUE(server && server->bind("tcp://127.0.0.1:0"));
  rig::Raw client(server->last_endpoint(), server_keys.public_key, &keys);
  ASSERT_TRUE(client.send({"body"}));
  ASSERT_TRUE(server->wait(5'000));
  Frame routing, body;
  ASSERT_TRUE(server->receive(routing) && routing.more() && server->receive(body));
  EXPECT_EQ(routing.user_id(), "");
  EXPECT_EQ(body.user_id(), keys.public_key);
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

// What is believed of the doors is tried at each start; here with doors that are wrong.
TEST(Proof, StartIsRefusedWhenTheDoorsAreNotAsTheyMustBe) {
  Context context;
  auto const keys = rig::keys();
  EXPECT_TRUE(prove_closed_without_gatekeeper(context, keys));
  auto gatekeeper = Gatekeeper::start(context, {});
  ASSERT_TRUE(gatekeeper);
  auto open = Socket::server(context, Pattern::router, client_domain, keys, {});
  auto closed = Socket::server(context, Pattern::router, peer_domain, keys, {});
  ASSERT_TRUE(open && open->bind("tcp://127.0.0.1:0"));
  ASSERT_TRUE(closed && closed->bind("tcp://127.0.0.1:0"));
  EXPECT_TRUE(prove_client_door(context, open->last_endpoint(), keys));
  EXPECT_TRUE(prove_peer_door(context, closed->last_endpoint(), keys));
  auto const stranger = prove_peer_door(context, open->last_endpoint(), keys);
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().what.find("let a stranger in"), std::string::npos);
  EXPECT_FALSE(prove_client_door(context, closed->last_endpoint(), keys));
}

// Bytes to a door without libzmq, so without any handshake.
class Wire {
 public:
  explicit Wire(std::string const& endpoint) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto const port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    timeval const patience{2, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    is_open = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Wire() { ::close(fd_); }
  Wire(Wire const&) = delete;
  Wire& operator=(Wire const&) = delete;

  bool send(std::string const& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size());
  }
  bool is_open = false;

 private:
  int fd_;
};

// ZMTP 3.1: signature, version, mechanism, as-server, filler (rfc.zeromq.org/spec/37).
std::string greeting() {
  std::string bytes("\xff\0\0\0\0\0\0\0\1\x7f\3\1CURVE", 17);
  bytes.resize(64, '\0');
  return bytes;
}

struct Served {
  rig::Folder folder;
  KeyPair server = rig::keys(), keys = rig::keys();
  std::string endpoint = rig::free_tcp();
  std::unique_ptr<rig::Child> child;

  Served() {
    EXPECT_TRUE(write_keys(folder.file("key"), server));
    child = std::make_unique<rig::Child>(
        std::vector<std::string>{"keys=" + folder.file("key"), "client=" + endpoint});
    EXPECT_TRUE(child->serves);
  }
  bool answers() {
    rig::Raw good(endpoint, server.public_key, &keys);
    return good.send({rig::packed(codec::encode(rig::request_header("good")), "")}) &&
           good.receive(5'000).size() == 1;
  }
};

TEST(Trap, UnfinishedFrameOfAStrangerCostsNoMemory) {
  Served served;
  auto const before = served.child->peak_memory_kib();
  std::string const megabyte(1u << 20, 'x');
  for (char const flags : {'\2', '\6'}) {  // a long message, a long command
    Wire stranger(served.endpoint);
    ASSERT_TRUE(stranger.is_open);
    ASSERT_TRUE(stranger.send(greeting()));
    std::string const one_gigabyte("\0\0\0\0\x40\0\0\0", 8);
    stranger.send(flags + one_gigabyte);
    for (int i = 0; i < 64 && stranger.send(megabyte); ++i) continue;
    EXPECT_TRUE(served.answers());
  }
  EXPECT_LT(served.child->peak_memory_kib() - before, 16 * 1024);
}

TEST(Trap, HalfGreetingsAndNoiseHoldNobodyUp) {
  Served served;
  std::vector<std::unique_ptr<Wire>> strangers;
  Chance chance(3);
  for (int i = 0; i < 60; ++i) {
    auto& stranger = *strangers.emplace_back(std::make_unique<Wire>(served.endpoint));
    ASSERT_TRUE(stranger.is_open);
    auto bytes = greeting().substr(0, chance.below(65));
    if (i % 3 == 0)
      for (auto& byte : bytes) byte = char(chance.below(256));
    stranger.send(bytes);
  }
  EXPECT_TRUE(served.answers());
  strangers.clear();
  EXPECT_TRUE(served.answers());
}

// A peer in a process of its own, and a bus whose link to it stands.
struct Linked {
  rig::Folder folder;
  KeyPair child_keys = rig::keys(), own_keys = rig::keys();
  std::string endpoint = rig::free_tcp();
  std::unique_ptr<rig::Child> child;
  std::unique_ptr<rig::Node> node;

  explicit Linked(Limits const& limits = {}) {
    EXPECT_TRUE(write_keys(folder.file("peer"), child_keys));
    child = std::make_unique<rig::Child>(std::vector<std::string>{
        "keys=" + folder.file("peer"), "peer=" + endpoint, "allow=" + own_keys.public_key});
    EXPECT_TRUE(child->serves);
    auto a = rig::settings("a", own_keys);
    a.limits = limits;
    a.peers.push_back({"b", endpoint, "", child_keys.public_key});
    node = rig::open(a);
    EXPECT_TRUE(rig::until({node.get()}, [&] { return node->bus->reachable("b"); }));
  }
  // Whether it left.
  bool request(std::string const& id, std::string const& body) const {
    auto const before = node->count("requests_out");
    node->bus->request("b", rig::request_header(id), body);
    return node->count("requests_out") > before;
  }
};

std::string const large_text(64 << 10, 'x');

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

// How long it took to end with a full queue to a frozen peer. Nothing where the machine was so busy
// that silence may have ended the link before, and with it each wait for it.
std::optional<double> ending_with_a_full_queue_ms() {
  Limits limits;
  limits.send_queue_max = 100;
  Linked linked(limits);
  linked.child->signal(SIGSTOP);
  auto const frozen_at = rig::Clock::now();
  int refused = 0, sent = 0;
  EXPECT_TRUE(rig::until({linked.node.get()}, [&] {
    for (; linked.request(std::to_string(sent), large_text); refused = 0) ++sent;
    return ++refused > 100;  // with 2 ms between: nothing moves any more
  }));
  EXPECT_GE(sent, limits.send_queue_max);
  if (rig::milliseconds_since(frozen_at) > silence_max_ms / 2) return std::nullopt;
  auto const start = rig::Clock::now();
  linked.node.reset();
  return rig::milliseconds_since(start);
}

TEST(Trap, EndingWithUnsentMessagesDoesNotHang) {
  std::optional<double> least_ms;
  for (int tried = 0; tried < 5 && !(least_ms && *least_ms < silence_max_ms / 2); ++tried)
    if (auto const took = ending_with_a_full_queue_ms())
      least_ms = std::min(*took, least_ms.value_or(*took));
  ASSERT_TRUE(least_ms) << "this machine is too busy to tell";
  EXPECT_LT(*least_ms, silence_max_ms / 2) << "linger is " << linger_ms << " ms";
}

// A frozen process still has its kernel acknowledge what arrives, so that TCP sees nothing wrong,
// and data in flight keeps keepalive from asking.
TEST(Trap, SilentPartitionWithDataInFlightIsNoticedByHeartbeats) {
  Linked linked;
  auto const& node = linked.node;
  linked.child->signal(SIGSTOP);
  auto const start = rig::Clock::now();
  int sent = 0;
  ASSERT_TRUE(rig::until(
      {node.get()},
      [&] {
        linked.request(std::to_string(++sent), "in flight");
        return !node->bus->reachable("b");
      },
      20'000));
  static_assert(heartbeat_every_ms + silence_max_ms <= 4'000);
  EXPECT_LT(rig::milliseconds_since(start), 15'000) << "a busy machine needs longer, TCP minutes";
  linked.child->signal(SIGCONT);
  EXPECT_TRUE(rig::until(
      {node.get()}, [&] { return node->bus->reachable("b"); }, 30'000));
}

}  // namespace
}  // namespace lepton::bus
