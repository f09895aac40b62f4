#include "common/bus/client.hpp"

#include <gtest/gtest.h>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "common/bus/access/token_name.hpp"
#include "schemas/refusal.hpp"
#include "tests/common/bus/rig.hpp"

namespace lepton::bus {
namespace {

// A server on a thread of its own whose behaviour a test chooses.
class Server : public Sink {
 public:
  using Behaviour = std::function<void(Server&, actor::Route, Header, std::string)>;
  explicit Server(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
    auto s = rig::settings("server", keys);
    s.client_endpoint = endpoint;
    auto opened = Bus::open(s);
    EXPECT_TRUE(opened) << opened.error().what;
    bus = std::move(*opened);
    thread_ = std::thread([this] {
      while (!stop_) bus->poll(*this, -1);
    });
  }
  ~Server() override { stop(); }
  // From then on what it noted may be read.
  void stop() {
    stop_ = true;
    bus->wake();
    if (thread_.joinable()) thread_.join();
  }
  void on_request(actor::Door, std::string, actor::Route route, Header header,
                  std::string body) override {
    behaviour_(*this, std::move(route), std::move(header), std::move(body));
  }
  void on_answer(std::string const&, Header, std::string) override {}
  void on_hint(std::string const&, Hint) override {}

  void reply(actor::Route const& route, Header header, std::string const& detail) {
    header.kind = Kind::reply;
    Health health;
    health.detail = detail;
    bus->answer(route, header, codec::encode(health));
  }
  void refuse(actor::Route const& route, Header header, Refusal const& refusal) {
    header.kind = Kind::refusal;
    bus->answer(route, header, codec::encode(refusal));
  }

  KeyPair keys = rig::keys();
  std::string endpoint = rig::free_tcp();
  std::unique_ptr<Bus> bus;

 private:
  Behaviour behaviour_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

ClientSettings settings(Server const& server) {
  ClientSettings out;
  out.endpoint = server.endpoint;
  out.server_public_key = server.keys.public_key;
  out.keys = rig::keys();
  return out;
}

TEST(Client, CallsAndGetsItsReply) {
  Server server([](Server& s, actor::Route route, Header header, std::string body) {
    s.reply(route, header, codec::decode<HealthGet>(body)->service + "/" + header.token);
  });
  auto with_token = settings(server);
  with_token.token = Secret<std::string>("the token");
  auto client = Client::connect(with_token);
  ASSERT_TRUE(client) << client.error().what;
  auto const name = access::token_name("the token", with_token.keys.public_key);
  for (int i = 0; i < 50; ++i) {
    auto const health = client->call(HealthGet{"vault"});
    ASSERT_TRUE(health) << health.error().what;
    EXPECT_EQ(health->detail, "vault/" + (i == 0 ? "the token" : name));
  }
}

// As a service that was started again in the middle: what is in flight by name is asked for again.
TEST(Client, AServiceThatForgotTheNameGetsTheToken) {
  std::atomic<int> served = 0, asked = 0;
  Server server([&](Server& s, actor::Route route, Header header, std::string) {
    bool const forgotten = served % 10 == 9 && header.token != "the token";
    if (!forgotten) return s.reply(route, header, std::to_string(++served));
    ++asked;
    s.refuse(route, header, {Code::denied, "the token itself", 0, true});
  });
  auto with_token = settings(server);
  with_token.token = Secret<std::string>("the token");
  with_token.resend_first_ms = 60'000;  // nothing but the refusal makes it send again
  auto client = Client::connect(with_token);
  ASSERT_TRUE(client) << client.error().what;
  int replies = 0;
  auto const done = [&](Result<Health> const& health) { replies += health ? 1 : 0; };
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(client->submit(HealthGet{"x"}, done, 60'000));
    while (client->in_flight() > 0) client->pump(1000);
  }
  EXPECT_EQ(replies, 100);
  EXPECT_GE(asked, 1);
}

TEST(Client, ATokenThatIsRefusedGoesOnBeingSentItself) {
  Server server([](Server& s, actor::Route route, Header header, std::string) {
    s.refuse(route, header, {Code::denied, header.token});
  });
  auto with_token = settings(server);
  with_token.token = Secret<std::string>("bad token");
  auto client = Client::connect(with_token);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(client->call(HealthGet{"x"}).error(), (Error{Code::denied, "bad token"}));
}

TEST(Client, RefusalIsAnErrorWithItsCodeAndPause) {
  Server server([](Server& s, actor::Route route, Header header, std::string) {
    s.refuse(route, header, {Code::exhausted, "too busy", 250});
  });
  auto client = Client::connect(settings(server));
  auto const answer = client->call(HealthGet{"x"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), (Error{Code::exhausted, "too busy"}));
  EXPECT_EQ(client->retry_after_ms(), 250);
}

// The service refuses the first sending when the second is on its way, and that one takes effect.
TEST(Client, ARefusalOfAnEarlierSendingIsNoAnswer) {
  std::optional<std::pair<actor::Route, Header>> first;
  Server server([&](Server& s, actor::Route route, Header header, std::string) {
    if (!first) return void(first.emplace(route, header));
    s.refuse(first->first, first->second, {Code::conflict, "rejected", 0, false, 1});
    s.reply(route, header, "done");
  });
  auto client = Client::connect(settings(server));
  auto const answer = client->call(HealthGet{"x"}, 60'000);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->detail, "done");
}

// The first sending waits somewhere and may take effect yet.
TEST(Client, APassingRefusalIsNoAnswerWhileAnotherSendingIsOut) {
  Server server([&](Server& s, actor::Route route, Header header, std::string) {
    if (header.attempt == 1) return;
    if (header.attempt > 3) return s.reply(route, header, std::to_string(header.attempt));
    s.refuse(route, header, {Code::exhausted, "too busy", 1, false, header.attempt});
  });
  auto client = Client::connect(settings(server));
  auto const answer = client->call(HealthGet{"x"}, 60'000);
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->detail, "4");
}

TEST(Client, WhatWasRefusedUntilTheDeadlineEndsWithThatRefusal) {
  Server server([&](Server& s, actor::Route route, Header header, std::string) {
    if (header.attempt > 1)
      s.refuse(route, header, {Code::exhausted, "too busy", 1, false, header.attempt});
  });
  auto client = Client::connect(settings(server));
  EXPECT_EQ(client->call(HealthGet{"x"}, 1'500).error(), (Error{Code::exhausted, "too busy"}));
}

TEST(Client, UnreachableServiceIsNamed) {
  ClientSettings s;
  s.endpoint = rig::free_tcp();
  s.server_public_key = rig::keys().public_key;
  s.keys = rig::keys();
  auto client = Client::connect(s);
  auto const answer = client->call(HealthGet{"x"}, 300);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_NE(answer.error().what.find(s.endpoint), std::string::npos);
  EXPECT_EQ(client->in_flight(), 0u);
}

TEST(Client, SilentServiceIsATimeout) {
  Server server([](Server&, actor::Route, Header, std::string) {});
  auto client = Client::connect(settings(server));
  auto const answer = client->call(HealthGet{"x"}, 600);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::timeout);
  EXPECT_NE(answer.error().what.find(server.endpoint), std::string::npos);
}

TEST(Client, SendsTheSameIdAgainUntilAnswered) {
  std::vector<Header> seen;
  Server server([&](Server& s, actor::Route route, Header header, std::string) {
    seen.push_back(header);
    if (seen.size() == 3) s.reply(route, header, "third");
  });
  auto quick = settings(server);
  quick.resend_first_ms = 30;
  auto client = Client::connect(quick);
  auto const answer = client->call(HealthGet{"x"}, 10'000, "my-id");
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->detail, "third");
  server.stop();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(seen[i].id, "my-id");
    EXPECT_EQ(seen[i].attempt, i + 1);
    EXPECT_LE(seen[i].deadline_ms, 10'000);
  }
  EXPECT_GE(client->counters().at("resends"), 2);
}

TEST(Client, LateAndRepeatedAnswersAreCountedNotDelivered) {
  Server server([](Server& s, actor::Route route, Header header, std::string) {
    s.reply(route, header, "once");
    s.reply(route, header, "twice");
  });
  auto client = Client::connect(settings(server));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client->call(HealthGet{"x"})->detail, "once");
  EXPECT_GE(client->counters().at("dropped_late_answer"), 19);
}

TEST(Client, WindowLimitsWhatIsInFlight) {
  Server server([](Server& s, actor::Route route, Header header, std::string) {
    s.reply(route, header, header.id);
  });
  auto narrow = settings(server);
  narrow.window = 10;
  auto client = Client::connect(narrow);
  constexpr int total = 2000;
  int sent = 0, good = 0;
  std::size_t most = 0;
  while (good < total) {
    while (sent < total && client->room() > 0) {
      auto const id = "r-" + std::to_string(sent++);
      ASSERT_TRUE(client->submit(
          HealthGet{"x"},
          [&, id](Result<Health> answer) {
            ASSERT_TRUE(answer) << answer.error().what;
            EXPECT_EQ(answer->detail, id);
            ++good;
          },
          10'000, id));
    }
    most = std::max(most, client->in_flight());
    client->pump(100);
  }
  EXPECT_EQ(most, 10u);
}

TEST(Client, FullWindowRepeatedIdAndIllegalIdAreRefusedAtOnce) {
  Server server([](Server&, actor::Route, Header, std::string) {});
  auto narrow = settings(server);
  narrow.window = 2;
  auto client = Client::connect(narrow);
  auto const ignore = [](Result<Health>) {};
  ASSERT_TRUE(client->submit(HealthGet{"x"}, ignore, 10'000, "a"));
  EXPECT_EQ(client->submit(HealthGet{"x"}, ignore, 10'000, "a").error().code, Code::conflict);
  EXPECT_EQ(client->submit(HealthGet{"x"}, ignore, 10'000, "b c").error().code, Code::invalid);
  ASSERT_TRUE(client->submit(HealthGet{"x"}, ignore, 10'000, "b"));
  EXPECT_EQ(client->submit(HealthGet{"x"}, ignore, 10'000, "c").error().code, Code::exhausted);
}

TEST(Client, AnswerMayBeAskedForInsideAnAnswer) {
  Server server([](Server& s, actor::Route route, Header header, std::string) {
    s.reply(route, header, "fine");
  });
  auto client = Client::connect(settings(server));
  bool inner = false;
  bool outer = false;
  ASSERT_TRUE(client->submit(HealthGet{"x"}, [&](Result<Health> first) {
    outer = bool(first);
    inner = bool(client->call(HealthGet{"y"}));
  }));
  while (!outer) client->pump(100);
  EXPECT_TRUE(inner);
}

// The promise behind resending: queued requests die with a killed server, and yet each takes effect
// once.
TEST(Client, FourThousandRequestsSurviveAKilledServerAndTakeEffectOnce) {
  constexpr std::size_t total = 4000;
  rig::Folder const folder;
  auto const server = rig::keys();
  ASSERT_TRUE(write_keys(folder.file("key"), server));
  ClientSettings s;
  s.endpoint = rig::free_tcp();
  s.server_public_key = server.public_key;
  s.keys = rig::keys();
  s.window = int(total);
  std::vector<std::string> const args = {"keys=" + folder.file("key"), "client=" + s.endpoint,
                                         "ledger=" + folder.file("ledger")};
  auto child = std::make_unique<rig::Child>(args);
  ASSERT_TRUE(child->serves);
  auto client = Client::connect(s);
  std::size_t answered = 0;
  for (std::size_t i = 0; i < total; ++i)
    ASSERT_TRUE(client->submit(
        HealthGet{"x"},
        [&](Result<Health> answer) {
          EXPECT_TRUE(answer) << answer.error().what;
          ++answered;
        },
        60'000, "id-" + std::to_string(i)));
  for (int kills = 1; kills <= 3; ++kills) {
    while (answered < std::size_t(kills) * 300) client->pump(50);
    child->kill_now();
    child = std::make_unique<rig::Child>(args);
    ASSERT_TRUE(child->serves);
  }
  EXPECT_LT(answered, total);  // else the kills came too late to prove anything
  while (client->in_flight() > 0) client->pump(50);
  EXPECT_EQ(answered, total);
  EXPECT_GT(client->counters().at("resends"), 0);

  std::ifstream ledger(folder.file("ledger"));
  std::set<std::string> ids;
  std::size_t lines = 0;
  for (std::string line; std::getline(ledger, line); ++lines) ids.insert(line);
  EXPECT_EQ(ids.size(), total);
  EXPECT_EQ(lines, total);
}

}  // namespace
}  // namespace lepton::bus
