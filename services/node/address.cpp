#include "services/node/address.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lepton::node {
namespace {

constexpr std::uint16_t any_port = 9;

}  // namespace

std::string address_towards(std::string const& endpoint) {
  constexpr std::string_view scheme = "tcp://";
  auto const colon = endpoint.rfind(':');
  if (!endpoint.starts_with(scheme) || colon < scheme.size()) return "";
  auto const host = endpoint.substr(scheme.size(), colon - scheme.size());
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(any_port);
  if (inet_pton(AF_INET, host.c_str(), &place.sin_addr) != 1) return "";
  auto const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return "";
  char text[INET_ADDRSTRLEN] = "";
  socklen_t size = sizeof place;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size) == 0)
    inet_ntop(AF_INET, &place.sin_addr, text, sizeof text);
  ::close(fd);
  return text;
}

std::string listen_address(std::string const& address) {
  return address.empty() || address.starts_with("127.") ? "127.0.0.1" : "0.0.0.0";
}

}  // namespace lepton::node
