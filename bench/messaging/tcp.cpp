// The limit: an echo over a plain TCP connection with epoll, nothing encoded and nothing encrypted.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cstdlib>
#include <cstring>

#include "bench/messaging/side.hpp"

namespace lepton::bench {
namespace {

using Octets = std::array<char, 256>;

sockaddr_in address_of(Shared const& shared) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(std::uint16_t(std::atoi(std::strrchr(shared.endpoint, ':') + 1)));
  return address;
}

int poller_for(int fd) {
  int const yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  int const poller = ::epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  return poller;
}

void take(int poller, int fd, Octets& octets) {
  for (std::size_t got = 0; got < octets.size();) {
    epoll_event event{};
    if (::epoll_wait(poller, &event, 1, -1) <= 0) continue;
    auto const n = ::recv(fd, octets.data() + got, octets.size() - got, MSG_DONTWAIT);
    if (n == 0) std::_Exit(0);
    if (n > 0) got += std::size_t(n);
  }
}

void give(int fd, Octets const& octets) {
  if (::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL) != ssize_t(octets.size()))
    std::_Exit(1);
}

}  // namespace

void tcp_server(Load const&, Shared& shared) {
  int const listener = ::socket(AF_INET, SOCK_STREAM, 0);
  auto const address = address_of(shared);
  if (::bind(listener, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 1) != 0)
    std::_Exit(1);
  shared.ready = true;
  int const fd = ::accept(listener, nullptr, nullptr);
  int const poller = poller_for(fd);
  for (Octets octets{};;) {
    take(poller, fd, octets);
    give(fd, octets);
  }
}

void tcp_client(Load const& load, Shared& shared) {
  wait_ready(shared);
  int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
  auto const address = address_of(shared);
  if (::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) != 0)
    std::_Exit(1);
  int const poller = poller_for(fd);
  Octets octets{};
  measure_rtt(load, shared, [&] {
    give(fd, octets);
    take(poller, fd, octets);
  });
}

}  // namespace lepton::bench
