// Real questions at a small server and at a closed port.

#include "services/node/probe/check.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "services/node/probe/thread_prober.hpp"

namespace lepton::node {
namespace {

// Answers every request with one status; "" keeps the connection open and says nothing.
class Server {
 public:
  explicit Server(std::string status) : status_(std::move(status)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&place), sizeof place), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&place), &size);
    port = ntohs(place.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::uint32_t port = 0;

 private:
  void serve() {
    std::vector<int> open;
    for (int one = 0; (one = ::accept(fd_, nullptr, nullptr)) >= 0; open.push_back(one)) {
      char buffer[1024];
      if (status_.empty() || ::recv(one, buffer, sizeof buffer, 0) <= 0) continue;
      auto const answer =
          "HTTP/1.1 " + status_ + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      ::send(one, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    for (auto const one : open) ::close(one);
  }
  std::string status_;
  int fd_ = -1;
  std::thread thread_;
};

std::string http(std::uint32_t port) {
  ProbeTask const task{
      "a", ProbeRole::readiness, {ProbeKind::http, "/ready", {}, 1'000, 300}, port};
  auto const status = check(task, {});
  return status ? "good" : status.error().what;
}
std::string tcp(std::uint32_t port) {
  auto const status = check({"a", ProbeRole::readiness, {ProbeKind::tcp}, port}, {});
  return status ? "good" : status.error().what;
}

TEST(Check, HttpWantsAStatusFrom200To399) {
  EXPECT_EQ(http(Server("200 OK").port), "good");
  EXPECT_EQ(http(Server("302 Found").port), "good");
  EXPECT_EQ(http(Server("404 Not Found").port), "GET /ready: HTTP status 404");
  EXPECT_EQ(http(Server("503 Busy").port), "GET /ready: HTTP status 503");
}

TEST(Check, HttpHasATimeout) {
  EXPECT_NE(http(Server("").port).find("Timeout"), std::string::npos);
}

TEST(Check, TcpWantsAConnection) {
  std::uint32_t closed = 0;
  {
    Server const server("");
    EXPECT_EQ(tcp(server.port), "good");
    closed = server.port;
  }
  EXPECT_NE(tcp(closed).find("refused"), std::string::npos);
}

TEST(ThreadProber, AsksManyAtOnceAndTellsAll) {
  Server const server("200 OK");
  ThreadProber prober({});
  int begun = 0;
  for (int i = 0; i < 40; ++i)
    begun += prober.begin({std::to_string(i),
                           ProbeRole::readiness,
                           {ProbeKind::http, "/", {}, 1'000, 10'000},
                           server.port})
                 ? 1
                 : 0;
  EXPECT_EQ(begun, 40);
  int good = 0;
  auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (good < 40 && std::chrono::steady_clock::now() < limit) {
    for (auto const& done : prober.done()) good += done.good ? 1 : 0;
    std::this_thread::yield();
  }
  EXPECT_EQ(good, 40);
}

}  // namespace
}  // namespace lepton::node
