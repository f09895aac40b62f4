#include <gtest/gtest.h>

#include "services/deployer/balancer/haproxy_balancer.hpp"

namespace lepton::deployer {
namespace {

constexpr char const* page =
    "# pxname,svname,qcur,scur,stot,status,addr,\n"
    "b7120,r1,0,2,40,UP 1/2,127.0.0.1:20000,\n"
    "b7120,r2,0,0,1,DRAIN,127.0.0.1:20001,\n"
    "b7120,r3,0,0,0,MAINT,127.0.0.1:20002,\n"
    "b7120,BACKEND,0,2,41,UP,,\n"
    "b7121,BACKEND,0,0,0,DOWN,,\n"
    "stats,BACKEND,0,0,9,UP,,\n"
    "bogus,BACKEND,0,0,9,UP,,\n\n";

using Words = std::vector<std::string>;

TEST(HaproxyPage, IsRead) {
  auto const all = parse_haproxy_page(page);
  ASSERT_TRUE(all) << all.error().what;
  ASSERT_EQ(all->size(), 2u);
  auto const& b = all->at(0);
  EXPECT_EQ(b.port, 7120u);
  EXPECT_EQ(b.requests, 41u);
  EXPECT_EQ(b.in_flight, 2u);
  ASSERT_EQ(b.servers.size(), 3u);
  EXPECT_EQ(b.servers[0].state, HaproxyState::active);
  EXPECT_EQ(b.servers[1].state, HaproxyState::draining);
  EXPECT_EQ(b.servers[2].state, HaproxyState::maintenance);
  EXPECT_EQ(b.servers[0].address, "127.0.0.1:20000");
}

TEST(HaproxyPage, NonsenseIsRefused) {
  for (auto const* text : {"", "\n\n", "hello", "# a,b\n", "Permission denied\n"})
    EXPECT_FALSE(parse_haproxy_page(text)) << text;
  EXPECT_TRUE(parse_haproxy_page("# pxname,svname,scur,stot,status,addr\nb7120\n,,,\n"));
}

TEST(HaproxyHolds, AreReadAndSet) {
  auto const none = parse_haproxy_holds("\n\n");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  auto const some = parse_haproxy_holds("0x7f40b803a920 7120 30000\n0x7f40b803a9a0 7121 0\n\n");
  ASSERT_TRUE(some);
  EXPECT_EQ(*some, (std::map<std::uint32_t, std::int64_t>{{7120, 30'000}, {7121, 0}}));
  for (auto const* text : {"Unknown map identifier. Please use #<id> or <file>.\n", "0x1 b 1\n",
                           "0x1 0 1\n", "0x1 70000 1\n", "0x1 7120\n"})
    EXPECT_EQ(parse_haproxy_holds(text).error().code, Code::not_found) << text;
  HaproxyBackend is{7120, 0, 0, {}, std::nullopt};
  EXPECT_EQ(haproxy_hold_command(is, 0, "/m"), "add map /m 7120 0");
  is.hold_ms = 0;
  EXPECT_EQ(haproxy_hold_command(is, 30'000, "/m"), "set map /m 7120 30000");
  is.hold_ms = 30'000;
  EXPECT_EQ(haproxy_hold_command(is, 30'000, "/m"), std::nullopt);
}

TEST(HaproxyCommands, AddInTheOrderThatItNeeds) {
  EXPECT_EQ(haproxy_commands({7120}, {{"r1", "127.0.0.1", 20000}}),
            (Words{"add server b7120/r1 127.0.0.1:20000 check inter 500ms fastinter 100ms fall 2 "
                   "rise 1 weight 100",
                   "enable health b7120/r1", "enable server b7120/r1"}));
}

TEST(HaproxyCommands, ChangeWhatIsThere) {
  HaproxyBackend const is{7120, 0, 0, {{"r1", "127.0.0.1:20000", HaproxyState::active, 3}}};
  EXPECT_EQ(haproxy_commands(is, {{"r1", "127.0.0.1", 20000}}), Words{});
  EXPECT_EQ(haproxy_commands(is, {{"r1", "127.0.0.1", 20000, true}}),
            Words{"set server b7120/r1 state drain"});
  EXPECT_EQ(haproxy_commands(is, {{"r1", "127.0.0.1", 20001}}),
            Words{"set server b7120/r1 addr 127.0.0.1 port 20001"});
  EXPECT_EQ(haproxy_commands(is, {}), Words{"set server b7120/r1 state drain"})
      << "open requests end first";
}

TEST(HaproxyCommands, WhatIsIdleGoesInMaintenance) {
  HaproxyBackend const is{7120, 0, 0, {{"r1", "127.0.0.1:20000", HaproxyState::draining, 0}}};
  EXPECT_EQ(haproxy_commands(is, {}),
            (Words{"set server b7120/r1 state maint", "del server b7120/r1"}));
  EXPECT_EQ(haproxy_commands(is, {{"r1", "127.0.0.1", 20000}}),
            Words{"set server b7120/r1 state ready"});
}

TEST(HaproxyCommands, NothingBreaksOutOfACommand) {
  EXPECT_TRUE(check_server({"0190-a", "10.0.0.1", 20000}));
  EXPECT_FALSE(check_server({"r1; quit", "10.0.0.1", 20000}));
  EXPECT_FALSE(check_server({"", "10.0.0.1", 20000}));
  EXPECT_FALSE(check_server({"r1", "10.0.0.1;", 20000}));
  EXPECT_FALSE(check_server({"r1", "", 20000}));
  EXPECT_FALSE(check_server({"r1", "10.0.0.1", 0}));
}

}  // namespace
}  // namespace lepton::deployer
