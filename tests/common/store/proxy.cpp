#include "tests/common/store/proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "common/base/check.hpp"

namespace lepton::store {
namespace fs = std::filesystem;
namespace {

sockaddr_un address_of(fs::path const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  LEPTON_CHECK(path.string().size() < sizeof address.sun_path, "a socket path is short");
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  return address;
}

int connect_to(fs::path const& path) {
  int const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto const address = address_of(path);
  if (connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    auto const n = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Proxy::Proxy(fs::path const& folder, fs::path server) : server_(std::move(server)) {
  fs::create_directories(folder);
  auto const path = folder / ".s.PGSQL.5432";
  fs::remove(path);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto const address = address_of(path);
  LEPTON_CHECK(bind(listener_, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 &&
                   listen(listener_, 8) == 0 && pipe(stop_) == 0,
               "the proxy needs its sockets");
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

void Proxy::arm(Cut cut, std::string word) {
  std::lock_guard const lock(mutex_);
  cut_ = cut;
  word_ = std::move(word);
  has_cut_ = false;
}

bool Proxy::is_cut(std::string_view chunk, Cut direction) {
  std::lock_guard const lock(mutex_);
  if (cut_ != direction || chunk.find(word_) == chunk.npos) return false;
  cut_ = Cut::none;
  has_cut_ = true;
  return true;
}

void Proxy::accept_one() {
  int const client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  if (int const server = connect_to(server_); server >= 0)
    pairs_.push_back({client, server});
  else
    close(client);
}

bool Proxy::pass(int from, int to, Cut direction) {
  char buffer[65536];
  auto const n = recv(from, buffer, sizeof buffer, 0);
  if (n <= 0) return false;
  std::string_view const chunk(buffer, static_cast<std::size_t>(n));
  return !is_cut(chunk, direction) && send_all(to, chunk);
}

void Proxy::run() {
  for (;;) {
    std::vector<pollfd> fds{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (auto const& p : pairs_) {
      fds.push_back({p.client, POLLIN, 0});
      fds.push_back({p.server, POLLIN, 0});
    }
    poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) break;
    auto const old = pairs_;
    for (std::size_t i = 0; i < old.size(); ++i) {
      auto const [client, server] = old[i];
      bool good = true;
      if (fds[2 + 2 * i].revents != 0) good = pass(client, server, Cut::request);
      if (good && fds[3 + 2 * i].revents != 0) good = pass(server, client, Cut::answer);
      if (good) continue;
      close(client);
      close(server);
      std::erase_if(pairs_, [&](Pair const& p) { return p.client == client; });
    }
    if (fds[1].revents != 0) accept_one();
  }
  for (auto const& p : pairs_) close(p.client), close(p.server);
}

}  // namespace lepton::store
