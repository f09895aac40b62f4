// Rules of access are asked for at the start, at each hint of news, and every second.

#include "common/service/access_watch.hpp"

#include "tests/common/harness/harness.hpp"
#include "tests/common/service/rules.hpp"

namespace lepton::service::testing {
namespace {

class AccessWatchTest : public test::Harness {
 protected:
  std::vector<AccessSnapshot> taken;
  Status answer_of_update = ok();

  void SetUp() override {
    settings.durable = false;
    settings.streams.clear();
    system = std::make_unique<actor::System>(system_settings, ports());
    system->add(
        "access",
        [this] {
          return std::make_unique<AccessWatch>([this](AccessSnapshot snapshot) {
            taken.push_back(std::move(snapshot));
            return answer_of_update;
          });
        },
        settings);
    system->start();
    settle();
  }
  std::size_t asked() const { return wire.requests.size(); }
  void reply(std::string body, std::int64_t head) {
    auto const& request = wire.requests.back();
    Header back{.kind = Kind::reply, .topic = request.header.topic, .id = request.header.id};
    system->deliver_reply("vault", back, codec::encode(Snapshot{1, head, Bytes{body}}));
    settle();
  }
};

TEST_F(AccessWatchTest, TakesTheRulesAtItsStart) {
  ASSERT_EQ(asked(), 1u);
  EXPECT_EQ(wire.requests[0].to, "vault");
  EXPECT_EQ(wire.requests[0].header.topic, SnapshotGet::topic);
  reply(codec::encode(rules(3)), 5);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0], rules(3));
}

TEST_F(AccessWatchTest, AsksAtOnceWhenAHintTellsOfNews) {
  reply(codec::encode(rules(3)), 5);
  system->deliver_hint({"vault", "access", 1, 5});
  settle();
  EXPECT_EQ(asked(), 1u) << "no news";
  system->deliver_hint({"vault", "audit", 1, 9});
  settle();
  EXPECT_EQ(asked(), 1u) << "another stream";
  system->deliver_hint({"vault", "access", 1, 6});
  settle();
  EXPECT_EQ(asked(), 2u);
  system->deliver_hint({"vault", "access", 1, 7});
  settle();
  EXPECT_EQ(asked(), 2u) << "one question at a time";
}

TEST_F(AccessWatchTest, AsksEverySecondWhetherHintsComeOrNot) {
  reply(codec::encode(rules(3)), 5);
  advance(1'000);
  EXPECT_EQ(asked(), 2u);
}

TEST_F(AccessWatchTest, WhatCannotBeReadIsLoggedAndChangesNothing) {
  reply("no rules", 5);
  EXPECT_TRUE(taken.empty());
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_NE(logs[0].find("access rules cannot be read"), std::string::npos);
  answer_of_update = Error{Code::conflict, "older than those in force"};
  advance(1'000);
  reply(codec::encode(rules(1)), 6);
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_NE(logs[1].find("older than those in force"), std::string::npos);
}

}  // namespace
}  // namespace lepton::service::testing
