// New keys while a service runs: both are good for a while, then the old one opens nothing.

#include <gtest/gtest.h>

#include "common/bus/probe.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

std::string both(KeyPair const& one, KeyPair const& other) {
  return one.public_key + " " + other.public_key;
}

TEST(Rotation, AKeyTextHasOneKeyOrTwo) {
  auto const a = rig::keys(), b = rig::keys();
  EXPECT_EQ(keys_in(a.public_key), std::vector{a.public_key});
  EXPECT_EQ(keys_in(both(a, b)), (std::vector{a.public_key, b.public_key}));
  for (auto const& text : {std::string(), a.public_key + " ", " " + a.public_key,
                           both(a, b) + " " + a.public_key, a.public_key + b.public_key})
    EXPECT_TRUE(keys_in(text).empty()) << text;
}

struct Server {
  KeyPair keys = rig::keys(), old = rig::keys(), next = rig::keys();
  std::string endpoint = rig::free_tcp();
  std::unique_ptr<rig::Node> node;

  Server() {
    auto s = rig::settings("server", keys);
    s.peer_endpoint = endpoint;
    s.peers.push_back({"friend", "", "", both(old, next)});
    node = rig::open(s);
    node->seen.echo = node->bus.get();
  }
  Shake knocks(KeyPair const& pair) {
    Context context;
    return *knock_with(context, endpoint, keys.public_key, pair);
  }
};

TEST(Rotation, BothKeysOfAPeerOpenTheDoorThenTheNewOneAlone) {
  Server server;
  EXPECT_EQ(server.knocks(server.old), Shake::accepted);
  EXPECT_EQ(server.knocks(server.next), Shake::accepted);
  EXPECT_EQ(server.node->bus->peer_of(server.old.public_key), "friend");
  ASSERT_TRUE(server.node->bus->set_peer_keys({{"friend", "", "", server.next.public_key}}));
  EXPECT_EQ(server.knocks(server.old), Shake::refused);
  EXPECT_EQ(server.knocks(server.next), Shake::accepted);
  EXPECT_EQ(server.node->bus->peer_of(server.old.public_key), "");
}

TEST(Rotation, AConnectionThatStandsIsWorthNothingOnceItsKeyIsOffTheList) {
  Server server;
  rig::Raw raw(server.endpoint, server.keys.public_key, &server.old);
  auto const packed = [](std::string const& id) {
    return rig::packed(codec::encode(rig::request_header(id)), "body");
  };
  ASSERT_TRUE(raw.send({packed("1")}));
  ASSERT_TRUE(rig::until({server.node.get()}, [&] { return !server.node->seen.requests.empty(); }));
  ASSERT_TRUE(server.node->bus->set_peer_keys({{"friend", "", "", server.next.public_key}}));
  ASSERT_TRUE(raw.send({packed("2")}));
  ASSERT_TRUE(
      rig::until({server.node.get()}, [&] { return server.node->count("refused_unlisted") == 1; }));
  EXPECT_EQ(server.node->seen.requests.size(), 1u);
}

TEST(Rotation, KeysThatCannotBeChangeNothing) {
  Server server;
  auto const& bus = server.node->bus;
  EXPECT_EQ(bus->set_peer_keys({{"friend", "", "", "short"}}).error().code, Code::invalid);
  EXPECT_EQ(bus->peer_of(server.old.public_key), "friend");
  EXPECT_EQ(server.knocks(server.old), Shake::accepted);
}

TEST(Rotation, AServerThatBeginsAnewWithItsNextKeyIsFoundByPeersAndClients) {
  auto const old = rig::keys(), next = rig::keys(), caller = rig::keys();
  auto const peer_door = rig::free_tcp(), client_door = rig::free_tcp();
  auto const serve_with = [&](KeyPair const& keys) {
    auto s = rig::settings("server", keys);
    s.peer_endpoint = peer_door;
    s.client_endpoint = client_door;
    s.peers.push_back({"caller", "", "", caller.public_key});
    auto node = rig::open(s);
    node->seen.echo = node->bus.get();
    return node;
  };
  auto s = rig::settings("caller", caller);
  s.peers.push_back({"server", peer_door, "", old.public_key});
  auto const a = rig::open(s);
  auto server = serve_with(old);
  auto const reached = [&] { return a->bus->reachable("server"); };
  ASSERT_TRUE(rig::until({a.get(), server.get()}, reached));
  ASSERT_TRUE(a->bus->set_peer_keys({{"server", peer_door, "", both(old, next)}}));
  EXPECT_TRUE(reached());  // what stands goes on
  server.reset();
  ASSERT_TRUE(rig::until({a.get()}, [&] { return !reached(); }));
  server = serve_with(next);
  ASSERT_TRUE(rig::until({a.get(), server.get()}, reached));
  ASSERT_TRUE(a->bus->set_peer_keys({{"server", peer_door, "", next.public_key}}));
  EXPECT_TRUE(reached());

  ClientSettings settings;
  settings.endpoint = client_door;
  settings.server_public_key = both(old, next);
  settings.keys = rig::keys();
  auto client = Client::connect(std::move(settings));
  ASSERT_TRUE(client);
  std::string answer;
  ASSERT_TRUE(client->submit_body("test.echo", "hello", 15'000, {}, [&](Result<std::string> body) {
    answer = body ? *body : body.error().what;
  }));
  ASSERT_TRUE(rig::until({server.get()}, [&] {
    client->pump(1);
    return !answer.empty();
  }));
  EXPECT_EQ(answer, "hello");
}

}  // namespace
}  // namespace lepton::bus
