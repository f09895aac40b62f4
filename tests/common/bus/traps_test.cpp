// Traps of the stock libzmq 4.3.4: the bus does not fall into them. That they are there, on bare
// sockets, is what stock_test.cpp shows; docs/reliability.md has the whole list.

#include <algorithm>
#include <csignal>
#include <optional>

#include "common/bus/frames.hpp"
#include "common/bus/gatekeeper.hpp"
#include "common/bus/probe.hpp"
#include "tests/common/bus/bare.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

// The frame in front, with the routing id, has no User-Id once the library has looked ahead.
TEST(Trap, CallerIsReadFromTheBodyAlsoAfterAPoll) {
  rig::Visited door;
  ASSERT_TRUE(door.is_bound);
  ASSERT_TRUE(door.client.send({rig::packed(codec::encode(rig::request_header("polled")), "")}));
  ASSERT_TRUE(door.server.wait(5'000));
  Received message;
  ASSERT_TRUE(receive(door.server, Side::server, {}, message));
  EXPECT_EQ(message.header.id, "polled");
  EXPECT_EQ(message.key, door.keys.public_key);
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

TEST(Trap, UnfinishedFrameOfAStrangerCostsNoMemory) {
  rig::Served served;
  auto const before = served.child->peak_memory_kib();
  std::string const megabyte(1u << 20, 'x');
  for (char const flags : {'\2', '\6'}) {  // a long message, a long command
    rig::Wire stranger(served.endpoint);
    ASSERT_TRUE(stranger.is_open);
    ASSERT_TRUE(stranger.send(rig::greeting()));
    std::string const one_gigabyte("\0\0\0\0\x40\0\0\0", 8);
    stranger.send(flags + one_gigabyte);
    for (int i = 0; i < 64 && stranger.send(megabyte); ++i) continue;
    EXPECT_TRUE(served.answers());
  }
  EXPECT_LT(served.child->peak_memory_kib() - before, 16 * 1024);
}

TEST(Trap, HalfGreetingsAndNoiseHoldNobodyUp) {
  rig::Served served;
  std::vector<std::unique_ptr<rig::Wire>> strangers;
  Chance chance(3);
  for (int i = 0; i < 60; ++i) {
    auto& stranger = *strangers.emplace_back(std::make_unique<rig::Wire>(served.endpoint));
    ASSERT_TRUE(stranger.is_open);
    auto bytes = rig::greeting().substr(0, chance.below(65));
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
  // On an idle machine 4 s at most, which process/silence.py judges; TCP by itself needs minutes.
  EXPECT_LT(rig::milliseconds_since(start), 8'000);
  linked.child->signal(SIGCONT);
  EXPECT_TRUE(rig::until(
      {node.get()}, [&] { return node->bus->reachable("b"); }, 30'000));
}

}  // namespace
}  // namespace lepton::bus
