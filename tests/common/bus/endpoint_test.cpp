#include "common/bus/endpoint.hpp"

#include <gtest/gtest.h>

#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

TEST(Endpoint, OnlyExplicitAddressesAreListenedAt) {
  for (auto const* const good : {"tcp://127.0.0.1:7101", "tcp://0.0.0.0:1", "ipc:///run/lepton/x"})
    EXPECT_TRUE(check_listen(good)) << good;
  for (auto const* const bad :
       {"tcp://*:7101", "tcp://eth0:7101", "tcp://localhost:7101", "tcp://127.0.0.1:*",
        "tcp://127.0.0.1:0", "tcp://127.0.0.1:!", "tcp://127.0.0.1:65536", "tcp://127.0.0.1",
        "tcp://:7101", "tcp://", "", "ipc://relative", "ipc://*", "ipc://@abstract", "inproc://x",
        "udp://127.0.0.1:1", "tcp://::1:7", "tcp://[::1]:7"})
    EXPECT_EQ(check_listen(bad).error().code, Code::invalid) << bad;
  EXPECT_FALSE(check_listen("ipc:///" + std::string(107, 'a')));
  EXPECT_TRUE(check_listen("ipc:///" + std::string(106, 'a')));
}

TEST(Endpoint, NamesAreFineToConnectTo) {
  EXPECT_TRUE(check_connect("tcp://deployer:7101"));
  EXPECT_TRUE(check_connect("tcp://gpu-7.example.org:7101"));
  EXPECT_FALSE(check_connect("tcp://a b:7101"));
  EXPECT_FALSE(check_connect("tcp://[::1]:7101")) << "libzmq leaves IPv6 off";
  EXPECT_FALSE(check_connect("tcp://a;tcp://b:1:7101"));
}

TEST(Endpoint, UsedPortIsSaidInOneSentence) {
  auto const endpoint = rig::free_tcp();
  auto first = rig::settings("a", rig::keys());
  first.peer_endpoint = endpoint;
  auto const held = rig::open(first);
  auto second = rig::settings("b", rig::keys());
  second.peer_endpoint = endpoint;
  auto const refused = Bus::open(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().what.find("port " + endpoint.substr(6) + " is in use"),
            std::string::npos)
      << refused.error().what;
}

TEST(Endpoint, UsedSocketFileIsNotTakenOver) {
  rig::Folder const folder;
  auto first = rig::settings("a", rig::keys());
  first.peer_endpoint = folder.ipc("door");
  {
    auto const held = rig::open(first);
    auto const refused = Bus::open(first);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
  }
  EXPECT_TRUE(Bus::open(first));  // what a dead process leaves is no obstacle
}

TEST(Endpoint, OpenRefusesWildcardsAndKeysThatAreNone) {
  auto wide = rig::settings("a", rig::keys());
  wide.client_endpoint = "tcp://*:7101";
  EXPECT_EQ(Bus::open(wide).error().code, Code::invalid);
  auto keyless = rig::settings("a", {});
  EXPECT_EQ(Bus::open(keyless).error().code, Code::invalid);
  auto peerless = rig::settings("a", rig::keys());
  peerless.peers.push_back({"b", "", "", "no key"});
  EXPECT_EQ(Bus::open(peerless).error().code, Code::invalid);
  auto twins = rig::settings("a", rig::keys());
  auto const key = rig::keys().public_key;
  twins.peers = {{"b", "", "", key}, {"c", "", "", key}};
  EXPECT_EQ(Bus::open(twins).error().code, Code::conflict);
}

}  // namespace
}  // namespace lepton::bus
