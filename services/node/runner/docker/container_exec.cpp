#include "services/node/runner/docker/container_exec.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/time.hpp"
#include "services/node/runner/docker/container_body.hpp"
#include "services/node/runner/docker/docker_api.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr int cannot_begin = 125, pause_ms = 20;
constexpr std::int64_t answer_limit_ms = 30'000, end_limit_ms = 10'000;
constexpr std::size_t part_max = 64 << 10, head_max = 16 << 10;

Result<Fd> reach(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{Code::invalid, "the path of Docker's socket is too long"};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return Error{Code::unavailable, "Docker does not answer; is its service running?"};
  return socket;
}

// After its answer's head the connection is the command's streams, in both directions.
Result<std::string> begin(Fd const& socket, std::string const& id) {
  std::string const body = R"({"Detach":false,"Tty":false})";
  auto const request = fmt::format(
      "POST /v1.41/exec/{}/start HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
      "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {}\r\n\r\n{}",
      id, body.size(), body);
  if (auto sent = write_all(socket.get(), request, "Docker's socket"); !sent) return sent.error();
  std::string text;
  SystemClock const clock;
  auto const until = clock.now_ms() + answer_limit_ms;
  while (text.find("\r\n\r\n") == text.npos && text.size() < head_max) {
    pollfd source{socket.get(), POLLIN, 0};
    if (::poll(&source, 1, pause_ms) <= 0) {
      if (clock.now_ms() < until) continue;
      return Error{Code::timeout, "Docker does not start the command"};
    }
    char part[4096];
    auto const n = ::read(socket.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error{Code::unavailable, "Docker has hung up"};
    text.append(part, static_cast<std::size_t>(n));
  }
  auto const head = text.find("\r\n\r\n");
  auto const good = text.starts_with("HTTP/1.1 101") || text.starts_with("HTTP/1.1 200");
  if (head == text.npos || !good)
    return Error{Code::unavailable, "Docker refuses the command: " + text.substr(0, 300)};
  return text.substr(head + 4);
}

// Output comes in frames: stream (1 octet), three zeros, length (4 octets, big end first), content.
class Streams {
 public:
  explicit Streams(Fd const& socket) : socket_(socket) {}

  // Until the engine closes its end, or has not done so long after our input hung up.
  void pass(std::string early) {
    ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
    take(early);
    while (open_ && !is_late()) turn();
  }

 private:
  void turn() {
    short const both = pending_.empty() ? POLLIN : POLLIN | POLLOUT;
    short const more = pending_.empty() && !gone_ ? POLLIN : 0;
    pollfd sources[] = {{socket_.get(), both, 0}, {gone_ ? -1 : 0, more, 0}};
    ::poll(sources, 2, gone_ ? pause_ms : -1);
    if ((sources[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) hang_up();
    if ((sources[1].revents & POLLIN) != 0 && !gone_) read_input();
    give();
    if ((sources[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_output();
  }

  void read_input() {
    char part[part_max];
    auto const n = ::read(0, part, sizeof part);
    if (n > 0) pending_.assign(part, static_cast<std::size_t>(n));
    if (n == 0) hang_up();
  }

  // The engine closes the command's input then, and lepton-init ends it.
  void hang_up() {
    if (gone_) return;
    gone_ = true;
    late_at_ms_ = clock_.now_ms() + end_limit_ms;
    pending_.clear();
    ::shutdown(socket_.get(), SHUT_WR);
  }
  bool is_late() const { return gone_ && clock_.now_ms() >= late_at_ms_; }

  void give() {
    if (pending_.empty() || gone_) return;
    auto const n = ::send(socket_.get(), pending_.data(), pending_.size(), MSG_NOSIGNAL);
    if (n > 0) pending_.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) pending_.clear();
  }

  void read_output() {
    char part[part_max];
    auto const n = ::read(socket_.get(), part, sizeof part);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    open_ = n > 0;
    if (open_) take({part, static_cast<std::size_t>(n)});
  }

  void take(std::string_view part) {
    while (!part.empty()) {
      if (left_ == 0) {
        head_ += part[0];
        part.remove_prefix(1);
        if (head_.size() < head_size) continue;
        stream_ = head_[0] == 2 ? 2 : 1;
        for (std::size_t i = 4; i < head_size; ++i)
          left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
        head_.clear();
        continue;
      }
      auto const some = part.substr(0, left_);
      (void)write_all(stream_, some, "the command's output");
      left_ -= some.size();
      part.remove_prefix(some.size());
    }
  }

  static constexpr std::size_t head_size = 8;
  Fd const& socket_;
  SystemClock clock_;
  std::string pending_, head_;
  std::size_t left_ = 0;
  int stream_ = 1;
  bool open_ = true, gone_ = false;
  TimeMs late_at_ms_ = 0;
};

Result<int> exit_code(DockerApi const& docker, std::string const& id) {
  SystemClock const clock;
  for (auto const until = clock.now_ms() + end_limit_ms; clock.now_ms() < until;) {
    auto const body = docker.get("/exec/" + id + "/json");
    if (!body) return body.error();
    auto const code = exec_exit_code(*body);
    if (!code) return code.error();
    if (*code) return **code;
    ::poll(nullptr, 0, pause_ms);
  }
  return Error{Code::timeout, "Docker does not tell how the command ended"};
}

Result<int> run(RunSpec const& spec, std::vector<std::string> const& command) {
  DockerApi const docker(spec.engine_socket);
  auto const made =
      docker.post("/containers/" + container_name(spec.attempt) + "/exec", exec_body(command));
  if (!made) return made.error();
  auto const id = exec_id(*made);
  if (!id) return id.error();
  auto const socket = reach(spec.engine_socket);
  if (!socket) return socket.error();
  auto early = begin(*socket, *id);
  if (!early) return early.error();
  Streams(*socket).pass(std::move(*early));
  return exit_code(docker, *id);
}

}  // namespace

int run_in_container(RunSpec const& spec, std::vector<std::string> const& command) {
  ::signal(SIGPIPE, SIG_IGN);
  auto const code = run(spec, command);
  if (code) return *code;
  std::fprintf(stderr, "lepton: %s\n", code.error().what.c_str());
  return cannot_begin;
}

}  // namespace lepton::node
