#include "services/deployer/balancer/haproxy_balancer.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "common/base/text.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t answer_max = 16u << 20;
constexpr std::size_t line_max = 12'000;  // HAProxy's buffer holds 16,384

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket const&) = delete;
  Socket& operator=(Socket const&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error trouble(std::string const& what) {
  return {Code::unavailable,
          fmt::format("{}: {}; is HAProxy running?", what, std::strerror(errno))};
}

Status wait_for(int fd, short events, TimeMs until, Clock const& clock) {
  pollfd p{fd, events, 0};
  auto const left = std::max<TimeMs>(0, until - clock.now_ms());
  if (::poll(&p, 1, static_cast<int>(left)) > 0) return ok();
  return Error{Code::timeout, "HAProxy did not answer in time"};
}

Status send_all(int fd, std::string_view text, TimeMs until, Clock const& clock) {
  while (!text.empty()) {
    if (auto ready = wait_for(fd, POLLOUT, until, clock); !ready) return ready;
    auto const n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return trouble("HAProxy took no command");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok();
}

Result<std::string> read_all(int fd, TimeMs until, Clock const& clock) {
  std::string answer;
  char buffer[16'384];
  while (answer.size() < answer_max) {
    if (auto ready = wait_for(fd, POLLIN, until, clock); !ready) return ready.error();
    auto const n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return trouble("HAProxy gave no answer");
    if (n == 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return Error{Code::exhausted, "HAProxy's answer is longer than 16 MiB"};
}

EntranceLoad load_of(HaproxyBackend const& backend, bool holds) {
  EntranceLoad load{backend.port, backend.requests, backend.in_flight, {}, holds};
  // One in maintenance gets nothing and waits for its deletion.
  for (auto const& server : backend.servers)
    if (server.state != HaproxyState::maintenance)
      load.servers.push_back(
          {server.name, server.address, server.in_flight, server.state == HaproxyState::draining});
  return load;
}

}  // namespace

Result<std::string> HaproxyBalancer::exchange(std::string const& line) {
  SystemClock const clock;
  auto const until = clock.now_ms() + settings_.limit_ms;
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  if (settings_.socket.size() >= sizeof place.sun_path)
    return Error{Code::invalid, "the path of HAProxy's socket is longer than 107 bytes"};
  std::memcpy(place.sun_path, settings_.socket.data(), settings_.socket.size());
  Socket const s(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (s.get() < 0 || ::connect(s.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) != 0)
    return trouble("no connection to " + settings_.socket);
  if (auto sent = send_all(s.get(), line + "\n", until, clock); !sent) return sent.error();
  return read_all(s.get(), until, clock);
}

Result<std::vector<HaproxyBackend>> HaproxyBalancer::look() {
  auto page = exchange("show stat -1 6 -1");
  if (!page) return page.error();
  auto backends = parse_haproxy_page(*page);
  if (!backends) return backends;
  auto map = exchange("show map " + haproxy_hold_map(settings_.socket));
  if (!map) return map.error();
  auto const holds = parse_haproxy_holds(*map);
  holds_ = holds.has_value();
  if (!holds_) return backends;
  for (auto& backend : *backends)
    if (auto const found = holds->find(backend.port); found != holds->end())
      backend.hold_ms = found->second;
  return backends;
}

// As many in a line as fit. What was refused is seen at the next look.
Status HaproxyBalancer::send(std::vector<std::string> const& commands) {
  std::string line;
  auto const flush = [&]() -> Status {
    if (line.empty()) return ok();
    auto answer = exchange(std::exchange(line, {}));
    return answer ? ok() : Status(answer.error());
  };
  for (auto const& command : commands) {
    if (line.size() + command.size() + 2 > line_max)
      if (auto sent = flush(); !sent) return sent;
    line += (line.empty() ? "" : "; ") + command;
  }
  return flush();
}

Status HaproxyBalancer::bring(std::vector<HaproxyBackend> const& is,
                              std::vector<Entrance> const& wanted, bool& changed) {
  std::map<std::uint32_t, Entrance const*> by_port;
  for (auto const& entrance : wanted) {
    for (auto const& server : entrance.servers)
      if (auto good = check_server(server); !good) return good;
    by_port[entrance.port] = &entrance;
  }
  Entrance const nothing;
  auto const map = haproxy_hold_map(settings_.socket);
  std::vector<std::string> commands;
  for (auto const& backend : is) {
    auto const found = by_port.find(backend.port);
    auto const& want = found == by_port.end() ? nothing : *found->second;
    auto const more = haproxy_commands(backend, want.servers);
    commands.insert(commands.end(), more.begin(), more.end());
    if (auto const hold = haproxy_hold_command(backend, want.hold_ms, map); holds_ && hold)
      commands.push_back(*hold);
    if (found != by_port.end()) by_port.erase(found);
  }
  if (!by_port.empty())
    return Error{Code::invalid,
                 fmt::format("port {} is no entrance of HAProxy", by_port.begin()->first)};
  changed = !commands.empty();
  return send(commands);
}

Result<std::vector<EntranceLoad>> HaproxyBalancer::reconcile(std::vector<Entrance> const& wanted) {
  std::lock_guard const lock(mutex_);
  auto is = look();
  if (!is) return is.error();
  bool changed = false;
  if (auto brought = bring(*is, wanted, changed); !brought) return brought.error();
  if (changed) is = look();
  if (!is) return is.error();
  std::vector<EntranceLoad> seen;
  for (auto const& backend : *is) seen.push_back(load_of(backend, holds_));
  return seen;
}

}  // namespace lepton::deployer
