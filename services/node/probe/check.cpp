#include "services/node/probe/check.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>

#include "services/node/exec/beside.hpp"
#include "services/node/runner/files.hpp"

namespace lepton::node {
namespace {

constexpr std::size_t body_max = 1u << 20;

Error bad(std::string what) {
  return {Code::unavailable, std::move(what)};
}

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

std::size_t drop_body(char*, std::size_t size, std::size_t count, void* seen) {
  auto& total = *static_cast<std::size_t*>(seen);
  total += size * count;
  return total > body_max ? 0 : size * count;
}

Status check_http(ProbeTask const& task) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  std::unique_ptr<CURL, EndCurl> const curl(curl_easy_init());
  if (!curl) return bad("no memory for a request");
  auto const url = fmt::format("http://127.0.0.1:{}{}", task.port, task.probe.path);
  std::size_t seen = 0;
  auto* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(task.probe.timeout_ms));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &seen);
  if (auto const done = curl_easy_perform(c); done != CURLE_OK)
    return bad(fmt::format("GET {}: {}", task.probe.path, curl_easy_strerror(done)));
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 400) return ok();
  return bad(fmt::format("GET {}: HTTP status {}", task.probe.path, status));
}

Status check_tcp(ProbeTask const& task) {
  Fd const s(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(static_cast<std::uint16_t>(task.port));
  int error = 0;
  if (::connect(s.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      pollfd p{s.get(), POLLOUT, 0};
      socklen_t size = sizeof error;
      if (::poll(&p, 1, static_cast<int>(task.probe.timeout_ms)) <= 0)
        error = ETIMEDOUT;
      else
        ::getsockopt(s.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return ok();
  return bad(fmt::format("port {}: {}", task.port, std::strerror(error)));
}

Status check_command(ProbeTask const& task, CheckSettings const& settings) {
  auto const& name = task.probe.command.front();
  auto const exit_code =
      run_beside(settings.state_dir, task.attempt, task.probe.command, task.probe.timeout_ms);
  if (!exit_code && exit_code.error().code == Code::timeout)
    return bad(fmt::format("{}: not done after {} ms", name, task.probe.timeout_ms));
  if (!exit_code) return bad(fmt::format("{}: {}", name, exit_code.error().what));
  if (*exit_code == 0) return ok();
  return bad(fmt::format("{}: exit code {}", name, *exit_code));
}

}  // namespace

Status check(ProbeTask const& task, CheckSettings const& settings) {
  switch (task.probe.kind) {
    case ProbeKind::http:
      return check_http(task);
    case ProbeKind::tcp:
      return check_tcp(task);
    case ProbeKind::command:
      return task.probe.command.empty() ? bad("no command") : check_command(task, settings);
    case ProbeKind::unknown:
      break;
  }
  return bad("a kind of probe that this version does not know");
}

}  // namespace lepton::node
