#include "common/service/loop.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>

namespace lepton::service {
namespace {

std::atomic<bool> stop_wanted = false;
std::atomic<bool> reload_wanted = false;

void on_signal(int number) {
  (number == SIGHUP ? reload_wanted : stop_wanted) = true;
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void harden() {
  rlimit const none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  umask(077);
}

int fail(std::string const& name, Error const& error) {
  std::fprintf(stderr, "lepton-%s: %s\n", name.c_str(), error.what.c_str());
  return 1;
}

bool stop_was_asked() {
  return stop_wanted;
}

bool reload_was_asked() {
  return reload_wanted.exchange(false);
}

void serve(actor::System& system, bus::Bus& bus, Inbox& inbox, bus::Sink& sink, Clock const& clock,
           store::LeaseTerm const* lease, std::function<void()> const& each_second) {
  constexpr TimeMs stop_limit_ms = 5'000;
  constexpr TimeMs sleep_max_ms = 200;
  std::optional<TimeMs> stop_at;
  auto second_at = clock.now_ms();
  bool more = false;
  while (!system.is_stopped()) {
    auto const next = system.next_at().value_or(clock.now_ms() + sleep_max_ms) - clock.now_ms();
    auto const hold = lease != nullptr ? lease->at(clock.now_ms()) : store::Hold::held;
    auto const wait = hold != store::Hold::held ? sleep_max_ms
                      : more                    ? 0
                                                : std::clamp<TimeMs>(next, 0, sleep_max_ms);
    bus.poll(sink, static_cast<int>(wait));
    if (each_second && clock.now_ms() >= second_at) {
      second_at = clock.now_ms() + 1'000;
      each_second();
    }
    if (stop_wanted && !stop_at) {
      stop_at = clock.now_ms() + stop_limit_ms;
      system.stop();
    }
    auto const now = lease != nullptr ? lease->at(clock.now_ms()) : store::Hold::held;
    if (now == store::Hold::lost) return;
    if (now == store::Hold::held) {
      inbox.drain();
      more = system.step();
    } else if (stop_at) {
      return;
    }
    if (stop_at && clock.now_ms() > *stop_at) return;
  }
}

}  // namespace lepton::service
