#include "bench/messaging/side.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace lepton::bench {
namespace {

constexpr int real_time_priority = 10;

pid_t start(Part const& part, Load const& load, Shared& shared) {
  auto const parent = ::getpid();
  auto const pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);
  use_real_time();
  part(load, shared);
  std::_Exit(0);
}

}  // namespace

bool use_real_time() {
  sched_param parameter{};
  parameter.sched_priority = real_time_priority;
  return ::sched_setscheduler(0, SCHED_FIFO, &parameter) == 0;
}

bool real_time_allowed() {
  auto const pid = ::fork();
  if (pid == 0) std::_Exit(use_real_time() ? 0 : 1);
  int status = 1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Shared& create_shared() {
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return *new (memory) Shared{};
}

void run_pair(Part const& server, Part const& client, Load const& load, Shared& shared) {
  shared.ready = false;
  shared.received = 0;
  std::snprintf(shared.endpoint, sizeof(shared.endpoint), "%s", free_endpoint().c_str());
  auto const serving = start(server, load, shared);
  auto const asking = start(client, load, shared);
  int status = 0;
  ::waitpid(asking, &status, 0);
  ::kill(serving, SIGKILL);
  ::waitpid(serving, nullptr, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "a client of the benchmark ended badly (status %d)\n", status);
    std::exit(1);
  }
}

std::string free_endpoint() {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  ::close(fd);
  return "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void Pace::before(std::int64_t number) const {
  constexpr int pauses_max = 20;
  for (int i = 0; i < pauses_max && number - shared_.received > ahead_; ++i)
    ::usleep(50);  // spinning would keep the I/O threads from their core
}

void wait_ready(Shared& shared) {
  while (!shared.ready) ::usleep(1000);
}

void measure_rtt(Load const& load, Shared& shared, std::function<void()> const& once) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < load.rtt_warm; ++i) once();
  std::vector<double> us(std::size_t(load.rtt_count));
  for (auto& x : us) {
    auto const begin = Clock::now();
    once();
    x = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  }
  std::sort(us.begin(), us.end());
  shared.rtt_p50_us = us[us.size() / 2];
  shared.rtt_p99_us = us[us.size() * 99 / 100];
}

}  // namespace lepton::bench
