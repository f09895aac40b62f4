#include "cli/up/signals.hpp"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace lepton::cli {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (int const number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

}  // namespace

Signals::Signals() {
  auto const set = watched();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Signals::wait(TimeMs limit_ms) {
  auto const set = watched();
  timespec const limit{static_cast<time_t>(limit_ms / 1000), (limit_ms % 1000) * 1'000'000};
  if (stop_) return true;
  auto const number = sigtimedwait(&set, nullptr, &limit);
  stop_ = number == SIGTERM || number == SIGINT || number == SIGHUP;
  return stop_;
}

}  // namespace lepton::cli
