// What every balancer must do, the fake one and a real HAProxy alike; real requests through the
// latter. Skips the real one with a clear line where HAProxy is not installed.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <thread>

#include "common/postgres/process.hpp"
#include "services/deployer/balancer/fake_balancer.hpp"
#include "services/deployer/balancer/haproxy_balancer.hpp"

namespace lepton::deployer {
namespace {

constexpr char const* program = "/usr/sbin/haproxy";

int listen_at(std::uint16_t& port) {
  auto const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(port);
  int const on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof place;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&place), sizeof place) != 0 || ::listen(fd, 64) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size) != 0)
    return ::close(fd), -1;
  port = ntohs(place.sin_port);
  return fd;
}

int connect_to(std::uint32_t port) {
  auto const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(fd, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0) return fd;
  ::close(fd);
  return -1;
}

bool listens(std::string const& path) {
  auto const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  path.copy(place.sun_path, sizeof place.sun_path - 1);
  auto const done = ::connect(fd, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
  ::close(fd);
  return done;
}

std::string read_until_end(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  return all;
}

// The body of one GET through the entrance; the status line for anything but 200.
std::string get(std::uint32_t port) {
  auto const fd = connect_to(port);
  if (fd < 0) return "refused";
  std::string const request = "GET / HTTP/1.0\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return ::close(fd), "lost";
  auto const answer = read_until_end(fd);
  ::close(fd);
  if (answer.find(" 200 ") == answer.npos) return answer.substr(0, answer.find('\r'));
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

// Answers every request with its name, the open ones when it is told to.
class Replica {
 public:
  explicit Replica(std::string name) : name_(std::move(name)), fd_(listen_at(port_)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~Replica() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  BalancedServer server(bool draining = false) const {
    return {name_, "127.0.0.1", port_, draining};
  }

 private:
  void serve() {
    for (int open = 0; (open = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(open)) {
      char buffer[4096];
      if (::recv(open, buffer, sizeof buffer, 0) <= 0) continue;  // a health check
      auto const answer =
          "HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(name_.size()) + "\r\n\r\n" + name_;
      ::send(open, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
  std::string name_;
  std::uint16_t port_ = 0;
  int fd_;
  std::thread thread_;
};

struct Rig {
  virtual ~Rig() = default;
  virtual Balancer& balancer() = 0;
  virtual std::uint32_t port() const = 0;
  virtual void restart() = 0;
};

struct FakeRig final : Rig {
  FakeBalancer fake{7120, 2};
  Balancer& balancer() override { return fake; }
  std::uint32_t port() const override { return 7120; }
  void restart() override { fake.restart(); }
};

class HaproxyRig final : public Rig {
 public:
  HaproxyRig() {
    char name[] = "/tmp/lepton-haproxy-XXXXXX";
    folder_ = ::mkdtemp(name);
    std::uint16_t free = 0;
    ::close(listen_at(free));
    port_ = free;
    HaproxyPlan const plan{(folder_ / "s").string(),       "127.0.0.1", port_, 1, "",
                           (folder_ / "hold.lua").string()};
    std::ofstream(folder_ / "haproxy.cfg") << haproxy_config(plan);
    std::ofstream(plan.hold_program) << haproxy_hold_program();
    std::ofstream(haproxy_hold_map(plan.socket)) << "";
    balancer_.emplace(HaproxySettings{plan.socket});
    start([this] { return balancer_->reconcile({}).has_value(); });
  }
  ~HaproxyRig() override {
    stop();
    std::filesystem::remove_all(folder_);
  }
  Balancer& balancer() override { return *balancer_; }
  std::uint32_t port() const override { return port_; }
  // Open and without any word of the deployer.
  void restart() override {
    stop();
    start([this] {
      auto const fd = connect_to(port_);
      return fd >= 0 && ::close(fd) == 0 && listens((folder_ / "s").string());
    });
  }

 private:
  void start(std::function<bool()> const& is_open) {
    postgres::Command command{program, {"-db", "-f", (folder_ / "haproxy.cfg").string()}};
    command.parent_death_signal = SIGKILL;
    auto child = postgres::spawn(command);
    ASSERT_TRUE(child) << child.error().what;
    child_.emplace(std::move(*child));
    for (int i = 0; i < 500 && !is_open(); ++i)
      ASSERT_FALSE(child_->wait(20)) << "HAProxy has ended";
    ASSERT_TRUE(is_open());
  }
  void stop() {
    if (!child_) return;
    child_->signal(SIGKILL);
    child_->wait(5'000);
    child_.reset();
  }
  std::filesystem::path folder_;
  std::uint32_t port_ = 0;
  std::optional<HaproxyBalancer> balancer_;
  std::optional<postgres::Child> child_;
};

class BalancerContract : public testing::TestWithParam<char const*> {
 protected:
  std::unique_ptr<Rig> rig;
  void SetUp() override {
    if (GetParam() == std::string("fake")) {
      rig = std::make_unique<FakeRig>();
    } else if (::access(program, X_OK) != 0) {
      GTEST_SKIP() << "HAProxy is not installed; scripts/install-packages does it";
    } else {
      rig = std::make_unique<HaproxyRig>();
    }
  }
  EntranceLoad bring_all(Entrance const& wanted) {
    auto const seen = rig->balancer().reconcile({wanted});
    EXPECT_TRUE(seen) << seen.error().what;
    if (!seen) return {};
    for (auto const& entrance : *seen)
      if (entrance.port == rig->port()) return entrance;
    ADD_FAILURE() << "the entrance is not shown";
    return {};
  }
  // Brings it there again and again until as many as that are in flight; false after a while.
  bool reaches(Entrance const& wanted, std::function<bool(std::uint64_t)> const& fits) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!fits(bring_all(wanted).in_flight)) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  std::vector<ServerLoad> bring(std::vector<BalancedServer> servers) {
    return bring_all({rig->port(), std::move(servers)}).servers;
  }
};

BalancedServer const a{"ra", "127.0.0.1", 20'000}, b{"rb", "127.0.0.1", 20'001};

using Loads = std::vector<ServerLoad>;
ServerLoad idle(BalancedServer const& server, bool draining = false) {
  return {server.name, address_of(server), 0, draining};
}

TEST_P(BalancerContract, ServersComeDrainAndGo) {
  EXPECT_EQ(bring({}), Loads{});
  EXPECT_EQ(bring({a, b}), (Loads{idle(a), idle(b)}));
  EXPECT_EQ(bring({a, b}), (Loads{idle(a), idle(b)})) << "again";
  auto leaving = a;
  leaving.draining = true;
  EXPECT_EQ(bring({leaving, b}), (Loads{idle(a, true), idle(b)}));
  EXPECT_EQ(bring({a, b}), (Loads{idle(a), idle(b)})) << "and back";
  EXPECT_EQ(bring({b}), Loads{idle(b)});
  EXPECT_EQ(bring({a, b}).size(), 2u) << "the same name again";
  EXPECT_EQ(bring({}), Loads{});
}

TEST_P(BalancerContract, AServerMayComeAlreadyDraining) {
  auto leaving = a;
  leaving.draining = true;
  EXPECT_EQ(bring({leaving}), Loads{idle(a, true)});
}

TEST_P(BalancerContract, AServerMayMove) {
  bring({a});
  auto moved = a;
  moved.port = 20'007;
  EXPECT_EQ(bring({moved}), Loads{idle(moved)});
}

TEST_P(BalancerContract, WhatARestartForgotComesBack) {
  bring({a, b});
  rig->restart();
  EXPECT_EQ(bring({a, b}).size(), 2u);
}

TEST_P(BalancerContract, APortThatIsNoEntranceIsRefused) {
  auto const refused = rig->balancer().reconcile({{1, {a}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(bring({a}).size(), 1u);
}

TEST_P(BalancerContract, RequestsAreCounted) {
  bring({});
  auto const before = rig->balancer().reconcile({})->at(0).requests;
  if (auto* fake = dynamic_cast<FakeBalancer*>(&rig->balancer()))
    fake->serve(rig->port(), 3);
  else
    for (int i = 0; i < 3; ++i) get(rig->port());
  EXPECT_EQ(rig->balancer().reconcile({})->at(0).requests, before + 3);
}

// Requests that wait for a first server are seen as in flight until one is there.
TEST_P(BalancerContract, WhatIsHeldCountsAsInFlight) {
  Replica ra("ra");
  EXPECT_TRUE(bring_all({rig->port(), {}, 60'000}).holds);
  auto* fake = dynamic_cast<FakeBalancer*>(&rig->balancer());
  std::vector<std::thread> clients;
  std::vector<std::string> got(3);
  if (fake != nullptr) {
    fake->hold(rig->port(), got.size());
  } else {
    for (auto& answer : got) clients.emplace_back([this, &answer] { answer = get(rig->port()); });
  }
  EXPECT_TRUE(reaches({rig->port(), {}, 60'000}, [&](std::uint64_t n) { return n >= got.size(); }));
  EXPECT_TRUE(
      reaches({rig->port(), {ra.server()}, 60'000}, [](std::uint64_t n) { return n == 0; }));
  for (auto& client : clients) client.join();
  if (fake != nullptr) return;
  EXPECT_EQ(got, (std::vector<std::string>{"ra", "ra", "ra"}));
}
INSTANTIATE_TEST_SUITE_P(All, BalancerContract, testing::Values("fake", "haproxy"));

class RealRequests : public BalancerContract {};

std::string const unavailable = "HTTP/1.1 503 Service Unavailable";

TEST_P(RealRequests, AreHeldForALimitedTime) {
  bring_all({rig->port(), {}, 300});
  auto const fd = connect_to(rig->port());
  std::string const request = "GET / HTTP/1.0\r\n\r\n";
  ASSERT_GT(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
  auto const answer = read_until_end(fd);
  ::close(fd);
  EXPECT_EQ(answer.find(unavailable), 0u) << answer;
  EXPECT_NE(answer.find("retry-after: 5"), answer.npos) << answer;
  EXPECT_NE(answer.find("no replica is ready"), answer.npos) << answer;
}

TEST_P(RealRequests, AreRefusedAtOnceWhereNobodyHolds) {
  bring_all({rig->port(), {}, 0});
  EXPECT_EQ(get(rig->port()), unavailable);
}

// So many wait and no more; those beyond are told so, and the first ones are served.
TEST_P(RealRequests, OnlySoManyAreHeld) {
  constexpr std::size_t most = 100;
  bring_all({rig->port(), {}, 60'000});
  std::vector<int> waiting;
  std::string const request = "GET / HTTP/1.0\r\n\r\n";
  for (std::size_t i = 0; i < most; ++i) {
    waiting.push_back(connect_to(rig->port()));
    ASSERT_GT(::send(waiting.back(), request.data(), request.size(), MSG_NOSIGNAL), 0);
  }
  EXPECT_TRUE(reaches({rig->port(), {}, 60'000}, [&](std::uint64_t n) { return n >= most; }));
  EXPECT_EQ(get(rig->port()), unavailable);
  Replica ra("ra");
  bring_all({rig->port(), {ra.server()}, 60'000});
  for (auto const fd : waiting) {
    EXPECT_NE(read_until_end(fd).find("200 OK"), std::string::npos);
    ::close(fd);
  }
}

// A client that went away gives its place up at once.
TEST_P(RealRequests, ThatAreGivenUpAreHeldNoLonger) {
  bring_all({rig->port(), {}, 600'000});
  auto const fd = connect_to(rig->port());
  std::string const request = "GET / HTTP/1.0\r\n\r\n";
  ASSERT_GT(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
  EXPECT_TRUE(reaches({rig->port(), {}, 600'000}, [](std::uint64_t n) { return n >= 1; }));
  ::close(fd);
  EXPECT_TRUE(reaches({rig->port(), {}, 600'000}, [](std::uint64_t n) { return n == 0; }));
}

// An HAProxy that has just started waits for the deployer's first word.
TEST_P(RealRequests, SurviveTheMomentAfterARestart) {
  Replica ra("ra");
  bring_all({rig->port(), {ra.server()}, 0});
  rig->restart();
  std::string got;
  std::thread client([&] { got = get(rig->port()); });
  EXPECT_TRUE(reaches({rig->port(), {}, 60'000}, [](std::uint64_t n) { return n >= 1; }));
  bring_all({rig->port(), {ra.server()}, 60'000});
  client.join();
  EXPECT_EQ(got, "ra");
}

TEST_P(RealRequests, GoToServersThatAreWantedOnly) {
  Replica ra("ra"), rb("rb");
  bring({ra.server(), rb.server()});
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) seen.insert(get(rig->port()));
  EXPECT_EQ(seen, (std::set<std::string>{"ra", "rb"}));
  bring({ra.server(true), rb.server()});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(rig->port()), "rb");
}

// A GET that meets a dead replica is tried at another one.
TEST_P(RealRequests, ADeadServerCostsNoRequest) {
  Replica rb("rb");
  auto dead = std::make_unique<Replica>("ra");
  bring({dead->server(), rb.server()});
  dead.reset();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(rig->port()), "rb");
}

TEST_P(RealRequests, TwoHundredServersInOneCall) {
  std::vector<BalancedServer> many;
  for (std::uint32_t i = 0; i < 200; ++i)
    many.push_back({"r" + std::to_string(i), "127.0.0.1", 20'000 + i});
  EXPECT_EQ(bring(many).size(), 200u);
  EXPECT_EQ(bring({}).size(), 0u);
}
INSTANTIATE_TEST_SUITE_P(All, RealRequests, testing::Values("haproxy"));

}  // namespace
}  // namespace lepton::deployer
