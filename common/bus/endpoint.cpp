#include "common/bus/endpoint.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>

namespace lepton::bus {
namespace {

constexpr std::string_view tcp = "tcp://";
constexpr std::string_view ipc = "ipc://";
constexpr std::size_t host_size_max = 253;

Error wrong(std::string_view endpoint, std::string const& why) {
  return {Code::invalid, "endpoint '" + std::string(endpoint.substr(0, 200)) + "' " + why};
}

bool legal_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  unsigned number = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + unsigned(c - '0');
  }
  return number <= 65535;
}

bool legal_host(std::string_view text) {
  return !text.empty() && text.size() <= host_size_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

bool is_numeric(std::string_view host) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

Status check_tcp(std::string_view endpoint, bool listen) {
  auto const rest = endpoint.substr(tcp.size());
  auto const colon = rest.rfind(':');
  if (colon == rest.npos || !legal_port(rest.substr(colon + 1)))
    return wrong(endpoint, "needs a port from 1 to 65535, for example tcp://127.0.0.1:7101");
  auto const host = rest.substr(0, colon);
  if (listen && !is_numeric(host))
    return wrong(endpoint,
                 "needs an IPv4 address to listen at, for example tcp://127.0.0.1:7101; "
                 "tcp://0.0.0.0:7101 is every address of this machine");
  if (!legal_host(host)) return wrong(endpoint, "needs a host name or an IPv4 address");
  return ok();
}

Status check_ipc(std::string_view endpoint) {
  auto const path = endpoint.substr(ipc.size());
  if (path.empty() || path.front() != '/')
    return wrong(endpoint, "needs an absolute path, for example ipc:///run/lepton/deployer");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return wrong(endpoint,
                 "has a path above 107 bytes, which no socket can have; use a shorter folder");
  return ok();
}

// libzmq removes a socket file that is there, also one that a living process listens at.
bool someone_listens(std::string_view path) {
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  bool const connected =
      ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return connected;
}

Status check(std::string_view endpoint, bool listen) {
  if (endpoint.starts_with(tcp)) return check_tcp(endpoint, listen);
  if (endpoint.starts_with(ipc)) return check_ipc(endpoint);
  return wrong(endpoint, "must begin with tcp:// or ipc://");
}

}  // namespace

Error in_use(std::string_view endpoint) {
  bool const port = endpoint.starts_with(tcp);
  return {Code::conflict,
          (port ? "port " : "socket ") + std::string(endpoint.substr(tcp.size())) +
              " is in use; another program or an earlier lepton listens there: stop it, or set "
              "another endpoint"};
}

Status check_listen(std::string_view endpoint) {
  if (auto legal = check(endpoint, true); !legal) return legal;
  if (endpoint.starts_with(ipc) && someone_listens(endpoint.substr(ipc.size())))
    return in_use(endpoint);
  return ok();
}

Status check_connect(std::string_view endpoint) {
  return check(endpoint, false);
}

}  // namespace lepton::bus
